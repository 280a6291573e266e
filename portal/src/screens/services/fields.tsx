/** The inputs that a vendor's manifest asks for. */
import { useState } from "react";
import type { KnownModel, VendorField, VendorManifest } from "../../api/types";
import { useText } from "../../text";
import { Choice, ProposingField, SecretField, SelectField, TextField } from "../../ui/form";
import { endOf, hostOf, isSecret } from "./data";

interface InputProps {
  field: VendorField;
  /** What to propose while one types. */
  models: KnownModel[];
  /** What the server shows of the stored value; undefined for a new service. */
  storedValue?: string;
  value: string;
  error: string | null;
  onChange: (value: string) => void;
}

export function VendorFieldInput({ field, models, storedValue, value, error, onChange }: InputProps) {
  const { t, said } = useText();
  const shared = { label: said(field.label), help: said(field.help), value, error, onChange, required: field.required ?? false };
  if (isSecret(field)) {
    if (!storedValue) return <SecretField {...shared} />;
    const end = endOf(storedValue);
    const help = end ? t("service.keyStays", { end }) : t("form.stays");
    return <SecretField {...shared} required={false} help={help} placeholder={`···· ${end}`} />;
  }
  if (field.type === "select") {
    const options = (field.options ?? []).map((option) => (typeof option === "string" ? { label: option, value: option } : { ...option, label: said(option.label) }));
    return <SelectField {...shared} options={options} />;
  }
  if (models.length) return <ProposingField {...shared} proposals={models.map((model) => model.id)} />;
  return <TextField {...shared} inputMode={field.type === "url" ? "url" : undefined} />;
}

const OWN = "own";

/** The regions that fill in the Base URL. */
export function Region(props: { suggestions: { label: string; value: string }[]; value: string; onChange: (url: string) => void }) {
  const { t, said } = useText();
  const [own, setOwn] = useState(false);
  const region = own ? undefined : props.suggestions.find((one) => one.value === props.value);
  return (
    <Choice
      legend={t("llm.region")}
      value={region?.value ?? OWN}
      options={[...props.suggestions.map((one) => ({ ...one, label: said(one.label), note: hostOf(one.value) })), { value: OWN, label: t("llm.region.own") }]}
      onChange={(chosen) => {
        setOwn(chosen === OWN);
        if (chosen !== OWN) props.onChange(chosen);
      }}
    />
  );
}

interface ModelFieldProps {
  manifest: VendorManifest;
  live: string[];
  value: string;
  onChange: (value: string) => void;
}

/** A model by name: the live list when the Test has brought it, what is known before that, and anything one types. */
export function ModelField({ manifest, live, value, onChange }: ModelFieldProps) {
  const { t, said } = useText();
  const known = manifest.knownModels.filter((model) => model.status !== "retired");
  const chosen = manifest.knownModels.find((model) => model.id === value);
  const ids = live.length ? live : known.map((model) => model.id);
  const warning =
    chosen?.status === "retired"
      ? t("llm.model.retired", { when: chosen.retiredOn ?? "", successor: chosen.successor ?? "–" })
      : live.length && value && !live.includes(value)
        ? t("llm.model.unlisted")
        : null;
  return (
    <ProposingField
      label={t("llm.model")}
      help={said(chosen?.note) || t(live.length ? "llm.model.live" : "llm.model.help")}
      warning={warning}
      value={value}
      placeholder={ids[0]}
      proposals={ids}
      onChange={onChange}
    />
  );
}
