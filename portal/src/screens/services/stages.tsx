/** The staged Test as six rows that turn green, amber or red one after another, read aloud as they do. */
import { Check, CircleDashed, LoaderCircle, Minus, TriangleAlert, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import type { Stage, StageName, TestReport } from "../../api/types";
import { type TextKey, type Translate, useText } from "../../text";
import { Button } from "../../ui/parts";
import { delay } from "../../ui/time";
import { hostOf, outcomeOf } from "./data";

const STEP_MS = 90;
const ICONS = { ok: Check, warning: TriangleAlert, failed: X, skipped: Minus, waiting: CircleDashed, running: LoaderCircle };

interface StagesProps {
  report: TestReport | undefined;
  running: boolean;
  /** The rows that are shown before the answer is there. */
  names: StageName[];
  /** Called when the reader takes over what a stage suggests. */
  onSuggestion?: (values: Record<string, string>, code: string) => void;
}

export function Stages({ report, running, names, onSuggestion }: StagesProps) {
  const { t } = useText();
  const expected: Pick<Stage, "name" | "kind">[] = names.map((name) => ({ name }));
  const rows = !running && report?.stages?.length ? report.stages : expected;
  const shown = useRevealed(report, running, rows.length);
  const done = !running && report !== undefined && shown >= rows.length;
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    void frame.current?.scrollIntoView({ block: "nearest" });
  }, [running, done]);
  return (
    <div className="stages" ref={frame}>
      <ol aria-label={t("test.stages")}>
        {rows.map(({ name, kind }, index) => {
          const stage = index < shown ? report?.stages?.[index] : undefined;
          const waiting = running && index === 0 ? "running" : "waiting";
          return <Row key={`${name} ${kind}`} name={name} kind={kind} stage={stage} state={stage?.status ?? waiting} onSuggestion={onSuggestion} />;
        })}
      </ol>
      <p className={`verdict ${done ? verdictTone(report) : ""}`} role="status" aria-live="polite">
        {running ? t("test.running") : done ? <Verdict report={report} /> : ""}
      </p>
    </div>
  );
}

/** Count rows up one by one after the answer has come; all at once for readers who want less motion. */
function useRevealed(report: TestReport | undefined, running: boolean, all: number): number {
  const [shown, setShown] = useState(0);
  useEffect(() => {
    if (running || !report) return setShown(0);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return setShown(all);
    let count = 0;
    const timer = setInterval(() => {
      setShown(++count);
      if (count >= all) clearInterval(timer);
    }, STEP_MS);
    return () => clearInterval(timer);
  }, [report, running, all]);
  return shown;
}

function verdictTone(report: TestReport): string {
  const outcome = outcomeOf(report);
  return outcome === "ok" ? "good" : outcome === "ok_with_warnings" ? "warn" : "bad";
}

function Verdict({ report }: { report: TestReport }) {
  const { t, said } = useText();
  const first = report.time_to_first_token_ms;
  const audible = report.time_to_first_audio_ms;
  const outcome = outcomeOf(report);
  if (outcome === "ok" && first != null) return t("test.verdict.ok", { delay: delay(first) });
  if (outcome === "ok" && audible != null) return t("test.verdict.audible", { delay: delay(audible) });
  if (outcome === "ok") return t("test.passed");
  if (outcome === "ok_with_warnings") return t("test.verdict.warnings");
  if (report.stages?.length) return t("test.verdict.failed");
  return said(report.reason) || t(outcome === "not_tested" ? "test.notTested" : "test.failed");
}

interface RowProps {
  name: StageName;
  kind: Stage["kind"];
  stage: Stage | undefined;
  state: keyof typeof ICONS;
  onSuggestion?: StagesProps["onSuggestion"];
}

function Row({ name, kind, stage, state, onSuggestion }: RowProps) {
  const { t, said } = useText();
  const Icon = ICONS[state];
  const suggested = stage?.suggested && Object.keys(stage.suggested).length ? stage.suggested : null;
  return (
    <li className={`stage ${state}`} data-stage={name} data-status={state} data-code={stage?.code || undefined}>
      <Icon aria-hidden className={state === "running" ? "spin" : undefined} />
      <div>
        <strong>
          {t(`stage.${name}` as TextKey)}
          {kind && <small>{t(`speech.${kind}`)}</small>}
        </strong>
        <span className="read-only">{t(`stage.is.${state}` as TextKey)}</span>
        <p>{said(stage?.message, stage?.code) || t(`stage.${name}.does` as TextKey)}</p>
        {stage?.hint && <p className="hint">{said(stage.hint)}</p>}
        {(stage?.vendor_text || stage?.request_id) && <VendorWords stage={stage} />}
        {suggested && stage && onSuggestion && (
          <Button onClick={() => onSuggestion(suggested, stage.code ?? "")}>{suggestionText(suggested, stage, t)}</Button>
        )}
      </div>
      {stage?.duration_ms != null && stage.status !== "skipped" && <span className="took">{delay(stage.duration_ms)}</span>}
    </li>
  );
}

function VendorWords({ stage }: { stage: Stage }) {
  const { t } = useText();
  const words = [stage.vendor_type, stage.vendor_text].filter(Boolean).join(": ");
  return (
    <details>
      <summary>{t(words ? "test.vendorSaid" : "test.requestId")}</summary>
      {words && <code>{words}</code>}
      {stage.request_id && (
        <p>
          {t("test.requestId")} <code>{stage.request_id}</code>
        </p>
      )}
    </details>
  );
}

function suggestionText(suggested: Record<string, string>, stage: Stage, t: Translate): string {
  const host = hostOf(suggested.base_url ?? "");
  if (host) return t(stage.code === "region" ? "test.useRegion" : "test.otherRegion", { host });
  const [what] = Object.values(suggested);
  return t("test.use", { what: what ?? "" });
}
