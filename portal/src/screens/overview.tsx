/** Overview: is this server ready for calls, what went wrong, what happened last. */
import { useMutation } from "@tanstack/react-query";
import { ArrowRight, Check, CircleAlert, CircleDashed, FlaskConical, PlayCircle } from "lucide-react";
import { Link } from "wouter";
import { answered, api } from "../api/client";
import type { Application } from "../api/types";
import { useAccountSid } from "../session";
import { type TextKey, type Translate, useText } from "../text";
import { judge } from "../ui/health";
import { Button, Loaded, Page, Panel } from "../ui/parts";
import { splitReason } from "../ui/reason";
import { useToast } from "../ui/toast";
import { AlertList, useAlerts } from "./alerts";
import { ActiveCalls } from "./calls/active";
import { CallTable } from "./calls/list";
import { useCalls } from "./calls/data";
import { admits } from "./carriers/list";
import { useApplications, useCarriers, useGateways, useNumbers, useSystem } from "./lists";
import { useServiceActions, useServices } from "./services/data";

type State = "done" | "broken" | "open";

interface Step {
  name: string;
  href: string;
  state: State;
  text: string;
}

const LATEST = { page: 1, days: 365, direction: "", answered: "", filter: "" } as const;

export default function Overview() {
  const { t } = useText();
  const alerts = useAlerts(7, 5, "open");
  const calls = useCalls(LATEST);
  return (
    <Page title={t("nav.overview")}>
      <ActiveCalls />
      <Sandbox />
      <Checklist calls={Number(calls.data?.total ?? 0)} answered={calls.data?.data.some((call) => call.answered) ?? false} />
      <Panel title={t("overview.alerts")} actions={<Link href="/alerts">{t("overview.all")}</Link>}>
        <Loaded query={alerts}>{({ data }) => (data.length ? <AlertList alerts={data} /> : <p className="muted">{t("alerts.empty.text")}</p>)}</Loaded>
      </Panel>
      <Panel title={t("overview.calls")} actions={<Link href="/calls">{t("overview.all")}</Link>}>
        <Loaded query={calls}>
          {({ data }) => (data.length ? <CallTable calls={data.slice(0, 6)} /> : <p className="muted">{t("calls.empty.text")}</p>)}
        </Loaded>
      </Panel>
    </Page>
  );
}

/** Says that vendors are simulated, so that nobody takes a rehearsal for the real thing. */
function Sandbox() {
  const { t } = useText();
  if (!useSystem().data?.sandbox) return null;
  return (
    <aside className="notice" aria-label={t("overview.sandbox.title")}>
      <FlaskConical aria-hidden />
      <p>
        <strong>{t("overview.sandbox.title")}</strong> {t("overview.sandbox")}
      </p>
    </aside>
  );
}

function useSteps(calls: number, hasAnswered: boolean): Step[] | null {
  const { t, said, language } = useText();
  const llm = useServices("llm").data;
  const speech = useServices("speech").data;
  const applications = useApplications().data;
  const numbers = useNumbers({ page_size: 1, assigned: true }).data?.total;
  const carriers = useCarriers().data;
  const gateways = useGateways().data;
  if (!llm || !speech || !applications || numbers === undefined || !carriers || !gateways) return null;
  const service = (name: TextKey, href: string, rows: Parameters<typeof judge>[0][], missing: TextKey): Step => {
    const judged = rows.map((row) => judge(row, t, language));
    const best = judged.find((one) => one.tone === "good") ?? judged.find((one) => one.tone === "bad") ?? judged[0];
    const state: State = best?.tone === "good" ? "done" : best?.tone === "bad" ? "broken" : "open";
    return { name: t(name), href, state, text: best ? [best.text, said(splitReason(best.detail ?? "").says)].filter(Boolean).join(" · ") : t(missing) };
  };
  const listening = speech.filter((row) => row.uses.includes("stt"));
  const speaking = speech.filter((row) => row.uses.includes("tts"));
  const open = carriers.filter((row) => admits(row, gateways));
  return [
    service("step.llm", "/account/llm-services", llm, "step.llm.missing"),
    service("step.stt", "/account/speech-services", listening, "step.stt.missing"),
    service("step.tts", "/account/speech-services", speaking, "step.tts.missing"),
    counted(t, "step.application", "/applications", applications.length),
    counted(t, "step.number", "/numbers", numbers),
    counted(t, "step.carrier", "/carriers", open.length),
    { name: t("step.call"), href: "/calls", state: hasAnswered ? "done" : "open", text: t(hasAnswered ? "step.call.some" : "step.call.none", { count: calls }) },
  ];
}

function counted(t: Translate, name: "step.application" | "step.number" | "step.carrier", href: string, count: number): Step {
  return { name: t(name), href, state: count ? "done" : "open", text: t(count ? `${name}.some` : `${name}.missing`, { count }) };
}

const ICONS = { done: Check, broken: CircleAlert, open: CircleDashed };

function Checklist({ calls, answered: hasAnswered }: { calls: number; answered: boolean }) {
  const { t } = useText();
  const steps = useSteps(calls, hasAnswered);
  const check = useCheckAll();
  if (!steps) return <Panel title={t("overview.setup")}>{t("loading")}</Panel>;
  const done = steps.filter((step) => step.state === "done").length;
  const action = (
    <Button icon={PlayCircle} busy={check.isPending} onClick={() => check.mutate()}>
      {t("overview.check")}
    </Button>
  );
  return (
    <Panel title={t("overview.setup")} actions={action}>
      <div className="progress-line">
        <progress value={done} max={steps.length} aria-label={t("overview.setup")} />
        <span>{t("overview.progress", { done, all: steps.length })}</span>
      </div>
      <ul className="steps">
        {steps.map((step) => {
          const Icon = ICONS[step.state];
          return (
            <li key={step.name} className={step.state}>
              <Link href={step.href}>
                <Icon aria-label={t(`step.is.${step.state}`)} />
                <span>
                  <strong>{step.name}</strong>
                  <small>{step.text}</small>
                </span>
                <ArrowRight aria-hidden />
              </Link>
            </li>
          );
        })}
      </ul>
      <p className="help">{t("overview.check.help")}</p>
    </Panel>
  );
}

/** Do what a call would do: ask every vendor and every application now. */
function useCheckAll() {
  const { t } = useText();
  const toast = useToast();
  const account = useAccountSid();
  const llm = useServices("llm").data ?? [];
  const speech = useServices("speech").data ?? [];
  const applications = useApplications().data ?? [];
  const llmActions = useServiceActions("llm");
  const speechActions = useServiceActions("speech");
  return useMutation({
    mutationKey: ["check", account],
    mutationFn: async () => {
      for (const row of llm) await llmActions.test(row.sid);
      for (const row of speech) await speechActions.test(row.sid);
      for (const row of applications) await probe(row);
    },
    onSuccess: () => toast(t("overview.checked")),
    onError: (error) => toast(error, "bad"),
    onSettled: () => Promise.all([llmActions.refresh(), speechActions.refresh()]),
  });
}

async function probe(application: Application): Promise<void> {
  const url = application.call_hook?.url;
  if (url) await answered(api.GET("/v1/AppEnv", { params: { query: { url } } }));
}
