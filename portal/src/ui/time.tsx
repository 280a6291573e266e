/** Times as people say them. */
import { type Language, useText } from "../text";

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

const LOCALES: Record<Language, string> = { en: "en-GB", zh: "zh-CN" };

export function ago(at: string, language: Language, nowMs = Date.now()): string {
  const seconds = Math.round((Date.parse(at) - nowMs) / 1000);
  const format = new Intl.RelativeTimeFormat(LOCALES[language], { numeric: "auto" });
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit);
  }
  return format.format(Math.abs(seconds) < 10 ? 0 : seconds, "second");
}

export function dateTime(at: string, language: Language): string {
  return new Date(at).toLocaleString(LOCALES[language], { dateStyle: "medium", timeStyle: "medium" });
}

export function Ago({ at }: { at: string | null | undefined }) {
  const { language } = useText();
  if (!at) return <span className="muted">–</span>;
  return (
    <time dateTime={at} title={dateTime(at, language)}>
      {ago(at, language)}
    </time>
  );
}

/** Seconds as 0:05 or 1:02:03. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const shown = parts[0] ? parts : parts.slice(1);
  return shown.map((part, index) => (index ? String(part).padStart(2, "0") : String(part))).join(":");
}

/** Milliseconds as 420 ms or 1.4 s. */
export function delay(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
