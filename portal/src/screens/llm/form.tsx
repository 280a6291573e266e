/** The form of an LLM Service, made from the vendor's manifest: vendor, region, key, Base URL, label, model, Test, Save. */
import { useMutation } from "@tanstack/react-query";
import { FlaskConical } from "lucide-react";
import { type FormEvent, useId, useMemo, useState } from "react";
import { useLocation } from "wouter";
import type { LlmCredential, TestReport, VendorField, VendorManifest } from "../../api/types";
import { useText } from "../../text";
import { CheckField, Choice, errorAt, Field, SecretField, SelectField, TextField } from "../../ui/form";
import { Button, Panel, Problem } from "../../ui/parts";
import { useToast } from "../../ui/toast";
import { endOf, fieldsOf, hostOf, isGood, isSecret, memberOf, listedModels, useLlmActions, type Values } from "./data";
import { Stages } from "./stages";

interface FormProps {
  manifests: VendorManifest[];
  stored?: LlmCredential;
}

export function ServiceForm({ manifests, stored }: FormProps) {
  const { t } = useText();
  const [vendor, setVendor] = useState(stored?.vendor ?? manifests[0]?.vendor ?? "");
  const manifest = manifests.find((one) => one.vendor === vendor);
  return (
    <>
      {!stored && (
        <Choice
          cards
          legend={t("llm.vendor")}
          value={vendor}
          options={manifests.map((one) => ({ value: one.vendor, label: one.displayName }))}
          onChange={setVendor}
        />
      )}
      {manifest ? <VendorForm key={vendor} manifest={manifest} stored={stored} /> : <Problem error={new Error(t("llm.noVendor"))} />}
    </>
  );
}

function startingValues(manifest: VendorManifest, stored?: LlmCredential): Values {
  const values: Values = { label: stored?.label ?? "", model_id: String(stored?.model_id ?? "") };
  for (const field of fieldsOf(manifest)) {
    const member = memberOf(field.name);
    values[member] = isSecret(field) ? "" : String(stored?.[member] ?? field.default ?? "");
  }
  return values;
}

/** Everything that is sent; a secret left empty is not, so that the stored one stays. */
function givenValues(values: Values, secrets: string[]): Values {
  return Object.fromEntries(Object.entries(values).filter(([name, value]) => value !== "" || !secrets.includes(name)));
}

interface Try {
  /** Values to test instead of the form's. */
  override: Values;
  /** The reader agrees that the stored key is sent to the vendor's other region. */
  regionCheck?: boolean;
}

/** What the form holds, and what can be done with it. */
function useServiceForm(manifest: VendorManifest, stored?: LlmCredential) {
  const { t } = useText();
  const toast = useToast();
  const actions = useLlmActions();
  const [, go] = useLocation();
  const start = useMemo(() => startingValues(manifest, stored), [manifest, stored]);
  const [values, setValues] = useState(start);
  const [isDefault, setDefault] = useState(stored?.is_default ?? false);
  const secrets = fieldsOf(manifest).filter(isSecret).map((field) => memberOf(field.name));
  const set = (changes: Values) => setValues((before) => ({ ...before, ...changes }));
  const hasNewSecret = secrets.some((name) => values[name]);
  const changed = JSON.stringify(values) !== JSON.stringify(start) || isDefault !== (stored?.is_default ?? false);
  const body = () => ({ ...givenValues(values, secrets), is_default: isDefault }) as unknown as Values;

  const test = useMutation({
    mutationFn: async ({ override, regionCheck }: Try): Promise<TestReport> => {
      const tried = { ...values, ...override };
      if (stored && !secrets.some((name) => tried[name])) {
        if (changed) await actions.update(stored.llm_credential_sid, body());
        return actions.test(stored.llm_credential_sid, regionCheck);
      }
      return actions.tryOut({ vendor: manifest.vendor, ...givenValues(tried, secrets) });
    },
    // A suggestion that works is taken over into the form; one that does not leaves the form as it was.
    onSuccess: (report, { override }) => (isGood(report) ? set(override) : undefined),
    onSettled: actions.refresh,
  });
  const save = useMutation({
    mutationFn: async () => {
      if (stored) await actions.update(stored.llm_credential_sid, body());
      const sid = stored?.llm_credential_sid ?? (await actions.create({ ...body(), vendor: manifest.vendor }));
      // What the Test found out before saving is found out again by the server, so that the list can show it.
      if (test.data) void actions.test(sid).catch(() => undefined).then(actions.refresh);
      await actions.refresh();
    },
    onSuccess: () => {
      toast(t("saved"));
      go("/account/llm-services");
    },
  });
  /** Try what a stage suggests. A stored key is only asked about at the other region; the form then shows the rest. */
  const follow = (suggested: Values, code: string) => {
    if (!stored || hasNewSecret) test.mutate({ override: suggested });
    else if (suggested.base_url && code === "key") test.mutate({ override: {}, regionCheck: true });
    else set(suggested);
  };
  return {
    values,
    set,
    follow,
    isDefault,
    setDefault,
    test,
    save,
    hasNewSecret,
    hasAllSecrets: secrets.every((name) => values[name]),
    hostMoved: stored !== undefined && hostOf(values.base_url ?? "") !== hostOf(start.base_url ?? ""),
    changed,
    leave: () => go("/account/llm-services"),
  };
}

type ServiceFormState = ReturnType<typeof useServiceForm>;

function VendorForm({ manifest, stored }: { manifest: VendorManifest; stored?: LlmCredential }) {
  const form = useServiceForm(manifest, stored);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    form.save.mutate();
  };
  const known = ["label", "vendor", ...fieldsOf(manifest).map((field) => memberOf(field.name))];
  const general = [form.save.error, form.test.error].find((error) => error && !errorAt(error, ...known));
  return (
    <form onSubmit={submit} className="stack" noValidate>
      <Panel>
        <Members form={form} manifest={manifest} stored={stored} />
      </Panel>
      <TestPanel form={form} manifest={manifest} stored={stored} />
      <Problem error={general} />
      <Footer form={form} isNew={!stored} />
    </form>
  );
}

/** Region, secret, address, then the rest: the order in which people have them at hand. */
function orderedFields(fields: VendorField[]): VendorField[] {
  const weight = (field: VendorField) => (field.type === "url" ? 1 : isSecret(field) ? 0 : 2);
  return [...fields].sort((a, b) => weight(a) - weight(b));
}

interface PartProps {
  form: ServiceFormState;
  manifest: VendorManifest;
  stored?: LlmCredential;
}

function Members({ form, manifest, stored }: PartProps) {
  const { t } = useText();
  const fields = fieldsOf(manifest);
  const regions = fields.find((field) => field.suggestions);
  const wrong = (member: string) => errorAt(form.save.error, member) ?? errorAt(form.test.error, member);
  const needsKey = (field: VendorField) => form.hostMoved && isSecret(field) && !form.values[memberOf(field.name)];
  const input = (field: VendorField) => {
    const member = memberOf(field.name);
    return (
      <VendorFieldInput
        key={field.name}
        field={field}
        storedValue={stored && String(stored[member] ?? "")}
        value={form.values[member] ?? ""}
        error={wrong(member) ?? (needsKey(field) ? t("llm.keyAgain") : null)}
        onChange={(value) => form.set({ [member]: value })}
      />
    );
  };
  return (
    <div className="stack">
      {regions?.suggestions && (
        <Region suggestions={regions.suggestions} value={form.values.base_url ?? ""} onChange={(base_url) => form.set({ base_url })} />
      )}
      {orderedFields(fields.filter((field) => field.type !== "select")).map(input)}
      <TextField
        label={t("llm.label")}
        help={t("llm.label.help")}
        value={form.values.label ?? ""}
        error={wrong("label")}
        onChange={(label) => form.set({ label })}
      />
      {fields.filter((field) => field.type === "select").map(input)}
      <CheckField label={t("llm.default")} help={t("llm.default.help")} checked={form.isDefault} onChange={form.setDefault} />
    </div>
  );
}

function TestPanel({ form, manifest, stored }: PartProps) {
  const { t } = useText();
  const { test } = form;
  const usesStored = stored !== undefined && !form.hasNewSecret;
  const mayTest = stored && !form.hostMoved ? true : form.hasAllSecrets;
  return (
    <Panel title={t("test")}>
      <div className="stack">
        <ModelField
          manifest={manifest}
          live={listedModels(test.data)}
          value={form.values.model_id ?? ""}
          onChange={(model_id) => form.set({ model_id })}
        />
        <div className="test-line">
          <Button icon={FlaskConical} busy={test.isPending} disabled={!mayTest} onClick={() => test.mutate({ override: {} })}>
            {t(!usesStored ? "test" : form.changed ? "test.save" : "test.again")}
          </Button>
          <p className="help">{t(mayTest ? "test.cost" : "test.needsKey")}</p>
        </div>
        {(test.data || test.isPending) && (
          <Stages report={test.data} running={test.isPending} onSuggestion={form.follow} />
        )}
      </div>
    </Panel>
  );
}

function Footer({ form, isNew }: { form: ServiceFormState; isNew: boolean }) {
  const { t } = useText();
  const failed = form.test.data !== undefined && !form.test.isPending && !isGood(form.test.data);
  return (
    <div className="actions sticky">
      {failed && <p className="warning">{t("llm.saveAnyway.text")}</p>}
      <Button onClick={form.leave}>{t("cancel")}</Button>
      <Button type="submit" look="main" busy={form.save.isPending} disabled={isNew ? !form.hasAllSecrets : !form.changed}>
        {t(failed ? "llm.saveAnyway" : "save")}
      </Button>
    </div>
  );
}

interface InputProps {
  field: VendorField;
  /** What the server shows of the stored value; undefined for a new service. */
  storedValue?: string;
  value: string;
  error: string | null;
  onChange: (value: string) => void;
}

function VendorFieldInput({ field, storedValue, value, error, onChange }: InputProps) {
  const { t, said } = useText();
  const shared = { label: said(field.label), help: said(field.help), value, error, onChange, required: field.required ?? false };
  if (isSecret(field)) {
    if (!storedValue) return <SecretField {...shared} />;
    const end = endOf(storedValue);
    const help = end ? t("llm.keyStays", { end }) : t("form.stays");
    return <SecretField {...shared} required={false} help={help} placeholder={`···· ${end}`} />;
  }
  if (field.type === "select") {
    const options = (field.options ?? []).map((option) => (typeof option === "string" ? { label: option, value: option } : { ...option, label: said(option.label) }));
    return <SelectField {...shared} options={options} />;
  }
  return <TextField {...shared} inputMode={field.type === "url" ? "url" : undefined} />;
}

const OWN = "own";

/** The regions that fill in the Base URL. */
function Region(props: { suggestions: { label: string; value: string }[]; value: string; onChange: (url: string) => void }) {
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
function ModelField({ manifest, live, value, onChange }: ModelFieldProps) {
  const { t } = useText();
  const list = useId();
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
    <Field label={t("llm.model")} help={chosen?.note || t(live.length ? "llm.model.live" : "llm.model.help")} warning={warning}>
      {(described) => (
        <>
          <input {...described} list={list} autoComplete="off" spellCheck={false} value={value} placeholder={ids[0]} onChange={(event) => onChange(event.target.value)} />
          <datalist id={list}>
            {ids.map((id) => (
              <option key={id} value={id} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}
