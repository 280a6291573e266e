/** A service's health from its last real use and its last test; asks no vendor. */
import { type Language, type Translate, useText } from "../text";
import { Status, type Tone } from "./parts";
import { Reason } from "./reason";
import { ago } from "./time";

export interface Health {
  tested_ok: boolean | null;
  tested_at: string | null;
  last_used_at: string | null;
  last_error: string | null;
  last_error_at: string | null;
}

interface Judgement {
  tone: Tone;
  text: string;
  detail?: string;
}

const at = (moment: string | null) => (moment ? Date.parse(moment) : 0);

/** What came last decides: a success, or a failure. */
export function judge(health: Health, t: Translate, language: Language): Judgement {
  const testedWell = health.tested_ok === true ? at(health.tested_at) : 0;
  const failed = Math.max(at(health.last_error_at), health.tested_ok === false ? at(health.tested_at) : 0);
  const worked = Math.max(at(health.last_used_at), testedWell);
  if (failed > worked) {
    const when = ago(new Date(failed).toISOString(), language);
    return { tone: "bad", text: t("health.failed", { when }), detail: health.last_error ?? undefined };
  }
  if (!worked) return { tone: "idle", text: t("health.unknown") };
  const when = ago(new Date(worked).toISOString(), language);
  return { tone: "good", text: t(worked === testedWell ? "health.tested" : "health.used", { when }) };
}

export function HealthStatus({ health }: { health: Health }) {
  const { t, language } = useText();
  const { tone, text, detail } = judge(health, t, language);
  return (
    <div className="health">
      <Status tone={tone}>{text}</Status>
      {detail && (
        <div className="detail">
          <Reason text={detail} />
        </div>
      )}
    </div>
  );
}
