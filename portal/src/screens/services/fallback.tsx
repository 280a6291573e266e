/** Models to go on with, in order, when the first one fails before anything was said. */
import { ArrowUp, Plus, Trash2 } from "lucide-react";
import { useId } from "react";
import type { ModelChoice, VendorManifest } from "../../api/types";
import { useText } from "../../text";
import { Button } from "../../ui/parts";
import { nameOf, type Service, useManifests, useServices } from "./data";

const MOST = 10;

interface ModelPickProps {
  value: ModelChoice;
  onChange: (choice: ModelChoice) => void;
  /** Read before "vendor" and "model", so that rows can be told apart. */
  name: string;
  /** A service that is being added. */
  own?: ModelChoice;
}

const keyOf = ({ vendor, label }: Pick<ModelChoice, "vendor" | "label">) => JSON.stringify([vendor, label || null]);

/** Which services there are to choose from: stored ones, the one in the form, and what is chosen already. */
function choicesOf(services: Service[], manifests: VendorManifest[], ...more: (ModelChoice | undefined)[]) {
  const all = [...services, ...more.filter((one) => one !== undefined)];
  const vendors = all.length ? all : manifests.map(({ vendor }) => ({ vendor, label: null }));
  return new Map(vendors.map((one) => [keyOf(one), nameOf({ vendor: one.vendor, label: one.label ?? null }, manifests)]));
}

/** One model of one service. */
export function ModelPick({ value, onChange, name, own }: ModelPickProps) {
  const { t } = useText();
  const list = useId();
  const services = useServices("llm").data ?? [];
  const manifests = useManifests("llm").data ?? [];
  const choices = choicesOf(services, manifests, own, value.vendor ? value : undefined);
  const models = manifests.find((one) => one.vendor === value.vendor)?.knownModels.filter((one) => one.status !== "retired") ?? [];
  const pick = (chosen: string) => {
    if (!chosen) return onChange({ vendor: "", model: "" });
    const [vendor, label] = JSON.parse(chosen) as [string, string | null];
    const first = manifests.find((one) => one.vendor === vendor)?.knownModels.find((one) => one.status !== "retired")?.id;
    return onChange({ vendor, label, model: vendor === value.vendor ? value.model : (first ?? "") });
  };
  return (
    <>
      <select aria-label={`${name}: ${t("service")}`} value={value.vendor ? keyOf(value) : ""} onChange={(event) => pick(event.target.value)}>
        <option value="">{t("fallback.choose")}</option>
        {[...choices].map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
      <input
        aria-label={`${name}: ${t("stage.model")}`}
        list={list}
        autoComplete="off"
        spellCheck={false}
        disabled={!value.vendor}
        placeholder={t("fallback.model")}
        value={value.model}
        onChange={(event) => onChange({ ...value, model: event.target.value })}
      />
      <datalist id={list}>
        {models.map((one) => (
          <option key={one.id} value={one.id} />
        ))}
      </datalist>
    </>
  );
}

interface FallbackProps {
  value: ModelChoice[];
  onChange: (choices: ModelChoice[]) => void;
  own?: ModelChoice;
  error?: string | null;
}

export function Fallback({ value, onChange, own, error }: FallbackProps) {
  const { t } = useText();
  const change = (index: number, choice: ModelChoice) => onChange(value.map((one, at) => (at === index ? choice : one)));
  const raise = (index: number) => onChange(value.map((one, at) => (at === index - 1 ? (value[index] ?? one) : at === index ? (value[index - 1] ?? one) : one)));
  return (
    <fieldset className="fallback">
      <legend>{t("fallback")}</legend>
      <p className="help">{t("fallback.help")}</p>
      {value.length > 0 && (
        <ol>
          {value.map((choice, index) => {
            const name = t("fallback.one", { at: index + 1 });
            return (
              <li key={index}>
                <ModelPick value={choice} own={own} name={name} onChange={(changed) => change(index, changed)} />
                <button type="button" className="icon-button" disabled={index === 0} aria-label={t("fallback.earlier", { what: name })} onClick={() => raise(index)}>
                  <ArrowUp aria-hidden />
                </button>
                <button type="button" className="icon-button" aria-label={t("delete.one", { what: name })} onClick={() => onChange(value.filter((_, at) => at !== index))}>
                  <Trash2 aria-hidden />
                </button>
              </li>
            );
          })}
        </ol>
      )}
      {error && (
        <p className="error" role="alert">
          {error}
        </p>
      )}
      <div>
        <Button icon={Plus} disabled={value.length >= MOST} onClick={() => onChange([...value, { vendor: "", model: "" }])}>
          {t("fallback.add")}
        </Button>
      </div>
    </fieldset>
  );
}

/** What is sent: complete rows, without empty labels. */
export function chosen(choices: ModelChoice[]): ModelChoice[] {
  return choices.filter((one) => one.vendor && one.model.trim()).map(({ vendor, model, label }) => ({ vendor, model: model.trim(), label: label || null }));
}
