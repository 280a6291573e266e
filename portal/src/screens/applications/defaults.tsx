/** What an application gives to calls that name nothing themselves: model, recogniser, voice, and their fallbacks. */
import type { Application } from "../../api/types";
import { type TextKey, useText } from "../../text";
import { CheckField, errorAt, ProposingField, TextField } from "../../ui/form";
import { type Use, useManifests } from "../services/data";
import { Fallback, ModelPick } from "../services/fallback";
import type { FormState } from "./application";

/** Members of an application that a speech panel shows; the fallback ones have the same names with a prefix. */
const SPEECH = [
  "speech_recognizer_vendor",
  "speech_recognizer_language",
  "speech_recognizer_label",
  "speech_synthesis_vendor",
  "speech_synthesis_language",
  "speech_synthesis_voice",
  "speech_synthesis_label",
] as const;
const ALL_SPEECH = [...SPEECH, ...SPEECH.map((name) => `fallback_${name}` as const)];

type SpeechMember = (typeof ALL_SPEECH)[number];
export type SpeechValues = Record<SpeechMember, string>;

export function speechOf(stored?: Application): SpeechValues {
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  return Object.fromEntries(ALL_SPEECH.map((name) => [name, text(stored?.[name])])) as SpeechValues;
}

/** Speech members as they are sent: an emptied one is removed; a voice that is an object stays as it is. */
export function speechBody(speech: SpeechValues, stored?: Application) {
  const isObject = (name: SpeechMember) => typeof stored?.[name] === "object" && stored[name] !== null;
  return Object.fromEntries(ALL_SPEECH.filter((name) => speech[name] || !isObject(name)).map((name) => [name, speech[name] || null]));
}

export function Models({ form }: { form: FormState }) {
  const { t } = useText();
  return (
    <div className="stack">
      <div className="field">
        <div className="model-pick">
          <ModelPick value={form.llm} name={t("apps.llm")} onChange={form.setLlm} />
        </div>
        <p className="help">{t("apps.llm.help")}</p>
      </div>
      <Fallback value={form.fallback} onChange={form.setFallback} error={errorAt(form.save.error, "fallback")} />
    </div>
  );
}

export function Speech({ form }: { form: FormState }) {
  const { t } = useText();
  return (
    <div className="stack">
      <SpeechFields form={form} />
      <CheckField label={t("apps.fallbackSpeech.use")} help={t("apps.fallbackSpeech.help")} checked={form.fallsBack} onChange={form.setFallsBack} />
      {form.fallsBack && (
        <fieldset>
          <legend>{t("apps.fallbackSpeech")}</legend>
          <SpeechFields form={form} prefix="fallback_" />
        </fieldset>
      )}
    </div>
  );
}

/** Who listens, then who speaks. */
function SpeechFields({ form, prefix = "" }: { form: FormState; prefix?: "" | "fallback_" }) {
  const { t } = useText();
  const vendors = useManifests("speech").data ?? [];
  const offering = (use: Use) => vendors.filter((one) => one.uses?.includes(use)).map((one) => one.vendor);
  const input = (plain: (typeof SPEECH)[number]) => {
    const name = `${prefix}${plain}` as SpeechMember;
    const shared = {
      label: t(`apps.${plain}` as TextKey),
      value: form.speech[name],
      error: errorAt(form.save.error, name),
      onChange: (value: string) => form.setSpeech({ ...form.speech, [name]: value }),
    };
    if (!plain.endsWith("vendor")) return <TextField key={name} {...shared} />;
    return <ProposingField key={name} {...shared} proposals={offering(plain.includes("recognizer") ? "stt" : "tts")} />;
  };
  return (
    <div className="stack">
      <div className="row-of-fields">{SPEECH.filter((name) => name.includes("recognizer")).map(input)}</div>
      <div className="row-of-fields">{SPEECH.filter((name) => name.includes("synthesis")).map(input)}</div>
    </div>
  );
}
