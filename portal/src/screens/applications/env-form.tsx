/** The form of an application's environment variables, built from what the application declares. */
import type { EnvSchema, EnvVariable } from "../../api/types";
import { useText } from "../../text";
import { AreaField, ProposingField, SecretField, SelectField, TextField } from "../../ui/form";
import { type EnvTexts, judge } from "./environment";

interface EnvFormProps {
  schema: EnvSchema;
  texts: EnvTexts;
  secrets: string[];
  showErrors: boolean;
  /** Whether the application has told what it declares. */
  isAsked: boolean;
  onChange: (name: string, text: string) => void;
}

export function EnvForm({ schema, texts, secrets, showErrors, isAsked, onChange }: EnvFormProps) {
  const names = [...new Set([...Object.keys(schema), ...Object.keys(texts), ...secrets])];
  return names.map((name) => (
    <Variable
      key={name}
      name={name}
      variable={schema[name]}
      text={texts[name] ?? ""}
      isStoredSecret={secrets.includes(name)}
      showErrors={showErrors}
      isAsked={isAsked}
      onChange={(text) => onChange(name, text)}
    />
  ));
}

interface VariableProps {
  name: string;
  variable: EnvVariable | undefined;
  text: string;
  isStoredSecret: boolean;
  showErrors: boolean;
  isAsked: boolean;
  onChange: (text: string) => void;
}

function Variable({ name, variable, text, isStoredSecret, showErrors, isAsked, onChange }: VariableProps) {
  const { t } = useText();
  const { error, unlisted } = judge(variable, text, isStoredSecret);
  const preset = variable?.default === undefined ? undefined : String(variable.default);
  const shared = {
    label: name,
    help: variable ? variable.description : isAsked ? t("env.undeclared") : undefined,
    required: variable?.required ?? false,
    value: text,
    error: showErrors && error ? t(`env.${error}`) : null,
    warning: unlisted ? t("env.unlisted") : null,
    placeholder: isStoredSecret ? t("form.storedSecret") : preset,
    onChange,
  };
  if (variable?.obscure || isStoredSecret) return <SecretField {...shared} />;
  if (variable?.type === "boolean") {
    const unset = preset === undefined ? t("env.unset") : t("env.default", { value: preset });
    return <SelectField {...shared} options={[{ value: "", label: unset }, { value: "true", label: t("yes") }, { value: "false", label: t("no") }]} />;
  }
  if (variable?.enum) return <ProposingField {...shared} className="mono" proposals={variable.enum.map(String)} />;
  if (variable?.uiHint === "textarea" || variable?.uiHint === "filepicker") return <AreaField {...shared} />;
  return <TextField {...shared} inputMode={variable?.type === "number" ? "decimal" : undefined} className="mono" />;
}
