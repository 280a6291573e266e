/** The set-up checklist: what a call needs, judged by what has worked, and a button that tries everything now. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ArrowRight, Check, CircleAlert, CircleDashed, PlayCircle } from "lucide-react";
import { Link } from "wouter";
import { answered, api } from "../api/client";
import type { Application } from "../api/types";
import { useAccountSid } from "../session";
import { type Said, type TextKey, type Translate, useText } from "../text";
import { judge } from "../ui/health";
import { Button, Panel } from "../ui/parts";
import { splitReason } from "../ui/reason";
import { useToast } from "../ui/toast";
import { admits } from "./carriers/list";
import { useApplications, useCarriers, useGateways, useNumbers } from "./lists";
import { useServiceActions, useServices } from "./services/data";

type State = "done" | "broken" | "open";

interface Step {
  name: string;
  href: string;
  state: State;
  text: string;
}

function useSteps(calls: number, hasAnswered: boolean): Step[] | null {
  const { t, said, language } = useText();
  const llm = useServices("llm").data;
  const speech = useServices("speech").data;
  const applications = useApplications().data;
  const numbers = useNumbers({ page_size: 1, assigned: true }).data?.total;
  const carriers = useCarriers().data;
  const gateways = useGateways().data;
  const probes = useProbes().data;
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
    applicationStep(applications, probes, hasAnswered, t, said),
    counted(t, "step.number", "/numbers", numbers),
    counted(t, "step.carrier", "/carriers", open.length),
    { name: t("step.call"), href: "/calls", state: hasAnswered ? "done" : "open", text: t(hasAnswered ? "step.call.some" : "step.call.none", { count: calls }) },
  ];
}

/** An application is ready when it has answered: to a call, or when it was asked for its variables. */
function applicationStep(applications: Application[], probes: Probes, hasAnswered: boolean, t: Translate, said: Said): Step {
  const name = t("step.application");
  const href = "/applications";
  if (!applications.length) return { name, href, state: "open", text: t("step.application.missing") };
  const broken = applications.find((one) => probes[one.application_sid]);
  if (broken) {
    return { name, href: `${href}/${broken.application_sid}`, state: "broken", text: `${broken.name}: ${said(probes[broken.application_sid])}` };
  }
  const isReady = hasAnswered || applications.some((one) => one.app_json || one.application_sid in probes);
  return { name, href, state: isReady ? "done" : "open", text: t(isReady ? "step.application.some" : "step.application.unasked", { count: applications.length }) };
}

function counted(t: Translate, name: "step.number" | "step.carrier", href: string, count: number): Step {
  return { name: t(name), href, state: count ? "done" : "open", text: t(count ? `${name}.some` : `${name}.missing`, { count }) };
}

const ICONS = { done: Check, broken: CircleAlert, open: CircleDashed };

export function Checklist({ calls, answered: hasAnswered }: { calls: number; answered: boolean }) {
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

/** What came of asking applications, by sid: why one did not answer, or nothing. */
type Probes = Record<string, string>;

const NOT_ASKED: Probes = {};
const probesKey = (account: string) => ["probes", account];

function useProbes() {
  return useQuery({ queryKey: probesKey(useAccountSid()), enabled: false, initialData: NOT_ASKED, queryFn: () => NOT_ASKED });
}

/** Do what a call would do: ask every vendor and every application now. */
function useCheckAll() {
  const { t } = useText();
  const toast = useToast();
  const account = useAccountSid();
  const queries = useQueryClient();
  const llm = useServices("llm").data ?? [];
  const speech = useServices("speech").data ?? [];
  const applications = useApplications().data ?? [];
  const llmActions = useServiceActions("llm");
  const speechActions = useServiceActions("speech");
  return useMutation({
    mutationKey: ["check", account],
    mutationFn: async () => {
      // One that cannot be asked, for example because of too many tests, keeps nobody from asking the others.
      const failures: unknown[] = [];
      const note = (error: unknown) => failures.push(error);
      for (const row of llm) await llmActions.test(row.sid).catch(note);
      for (const row of speech) await speechActions.test(row.sid).catch(note);
      const probes: Probes = {};
      for (const row of applications) probes[row.application_sid] = await probe(row);
      queries.setQueryData(probesKey(account), probes);
      if (failures.length) throw failures[0];
    },
    onSuccess: () => toast(t("overview.checked")),
    onError: (error) => toast(error, "bad"),
    onSettled: () => Promise.all([llmActions.refresh(), speechActions.refresh()]),
  });
}

/** Ask an application; returns why it did not answer, or nothing. */
async function probe(application: Application): Promise<string> {
  const url = application.call_hook?.url;
  if (!url) return "";
  try {
    await answered(api.GET("/v1/AppEnv", { params: { query: { url } } }));
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
