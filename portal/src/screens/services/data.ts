/** LLM and Speech Services as data: vendors' forms, the account's services, the staged Test; the two differ in little. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { answered, api } from "../../api/client";
import type { ModelChoice, Stage, StageName, TestReport, VendorField, VendorFields, VendorManifest } from "../../api/types";
import { useAccountSid } from "../../session";
import type { Health } from "../../ui/health";

export type Kind = "llm" | "speech";
export type Values = Record<string, string>;
export type Body = Record<string, unknown>;

/** A stored service of either kind. */
export interface Service extends VendorFields, Health {
  sid: string;
  vendor: string;
  label: string | null;
  is_default: boolean;
  fingerprints: Record<string, string>;
  /** First useful token or first sound in the latest good test. */
  first_ms: number | null;
  uses: Use[];
  fallback?: ModelChoice[];
}

export type Use = "stt" | "tts";

interface KindFacts {
  list: string;
  manifest: "/v1/llm-vendors/manifest";
  rows: "/v1/Accounts/{account_sid}/LlmCredentials";
  row: "/v1/Accounts/{account_sid}/LlmCredentials/{sid}";
  test: "/v1/Accounts/{account_sid}/LlmCredentials/{sid}/test";
  tryOut: "/v1/Accounts/{account_sid}/LlmCredentials/test";
  stages: StageName[];
}

const LLM: KindFacts = {
  list: "/account/llm-services",
  manifest: "/v1/llm-vendors/manifest",
  rows: "/v1/Accounts/{account_sid}/LlmCredentials",
  row: "/v1/Accounts/{account_sid}/LlmCredentials/{sid}",
  test: "/v1/Accounts/{account_sid}/LlmCredentials/{sid}/test",
  tryOut: "/v1/Accounts/{account_sid}/LlmCredentials/test",
  stages: ["input", "reach", "key", "model", "talk", "tools"],
};

const SPEECH = {
  list: "/account/speech-services",
  manifest: "/v1/speech-vendors/manifest",
  rows: "/v1/Accounts/{account_sid}/SpeechCredentials",
  row: "/v1/Accounts/{account_sid}/SpeechCredentials/{sid}",
  test: "/v1/Accounts/{account_sid}/SpeechCredentials/{sid}/test",
  tryOut: "/v1/Accounts/{account_sid}/SpeechCredentials/test",
  stages: ["input", "reach", "key", "talk"],
} as const;

/** The operations have the same shape for both; only the members of bodies differ. */
export const KINDS: Record<Kind, KindFacts> = { llm: LLM, speech: SPEECH as unknown as KindFacts };

export function useManifests(kind: Kind) {
  return useQuery({
    queryKey: ["manifests", kind],
    staleTime: Infinity,
    queryFn: async () => (await answered(api.GET(KINDS[kind].manifest))).vendors as unknown as VendorManifest[],
  });
}

export function useServices(kind: Kind) {
  const account_sid = useAccountSid();
  return useQuery({
    queryKey: ["services", kind, account_sid],
    queryFn: async () =>
      ((await answered(api.GET(KINDS[kind].rows, { params: { path: { account_sid } } }))) as unknown as VendorFields[]).map(serviceOf),
  });
}

function serviceOf(row: VendorFields): Service {
  const uses: Use[] = [...(row.use_for_stt ? (["stt"] as const) : []), ...(row.use_for_tts ? (["tts"] as const) : [])];
  const sid = row.llm_credential_sid ?? row.speech_credential_sid;
  return { ...row, sid, uses, first_ms: row.time_to_first_token_ms ?? row.time_to_first_audio_ms ?? null } as Service;
}

/** Everything that forms and lists do to a service. */
export function useServiceActions(kind: Kind) {
  const account_sid = useAccountSid();
  const queries = useQueryClient();
  const { rows, row, test, tryOut } = KINDS[kind];
  const inAccount = { params: { path: { account_sid } } };
  const of = (sid: string) => ({ params: { path: { account_sid, sid } } });
  const asked = (sid: string, region_check: boolean) => ({
    params: { path: { account_sid, sid }, query: region_check ? { region_check } : {} },
  });
  return {
    refresh: () => queries.invalidateQueries({ queryKey: ["services", kind, account_sid] }),
    create: async (body: Body) => (await answered(api.POST(rows, { ...inAccount, body: body as never }))).sid,
    update: (sid: string, body: Body) => answered(api.PUT(row, { ...of(sid), body: body as never })),
    remove: (sid: string) => answered(api.DELETE(row, of(sid))),
    /** Test values that are not stored. */
    tryOut: (body: Body) => answered(api.POST(tryOut, { ...inAccount, body: body as never })) as unknown as Promise<TestReport>,
    /** Test a stored service; the result is remembered. */
    test: (sid: string, region_check = false) => answered(api.GET(test, asked(sid, region_check))) as unknown as Promise<TestReport>,
  };
}

export type ServiceActions = ReturnType<typeof useServiceActions>;

/** REST's name of a form field: `apiKey` -> `api_key`, `baseURL` -> `base_url`. */
export function memberOf(field: string): string {
  return field.replace(/([a-z])([A-Z])/g, "$1_$2").toLowerCase();
}

export function fieldsOf(manifest: VendorManifest): VendorField[] {
  return manifest.authKinds.flatMap((kind) => kind.fields);
}

export function isSecret(field: VendorField): boolean {
  return field.type === "password" || field.type === "json-file";
}

export function hostOf(url: string): string {
  try {
    return new URL(url.includes("://") ? url : `https://${url}`).host;
  } catch {
    return "";
  }
}

/** The vendor as people call it, and the label. */
export function nameOf(service: Pick<Service, "vendor" | "label">, manifests: VendorManifest[] = []): string {
  const vendor = manifests.find((one) => one.vendor === service.vendor)?.displayName ?? service.vendor;
  return [vendor, service.label].filter(Boolean).join(" · ");
}

/** The models that the vendor lists for this key now. */
export function listedModels(report: TestReport | undefined): string[] {
  return (report?.models ?? []).filter((model) => model.listed).map((model) => model.id);
}

/** Everything in one word, whichever of the two reports it is. */
export function outcomeOf(report: TestReport): string {
  return report.outcome ?? report.status.replace(" ", "_");
}

export function isGood(report: TestReport): boolean {
  return outcomeOf(report).startsWith("ok");
}

/** The stage that stopped a test. */
export function brokenStage(report: TestReport): Stage | undefined {
  return report.stages?.find((stage) => stage.status === "failed");
}

/** Why a test failed, as the server says it. */
export function reasonOf(report: TestReport): string {
  return report.reason || brokenStage(report)?.message || "";
}

/** The last characters of a secret as the server shows it; empty when it shows none. */
export function endOf(shown: string | undefined): string {
  return shown && !shown.endsWith("XXXX") ? shown.slice(-4) : "";
}
