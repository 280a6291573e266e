/** LLM Services as data: the vendors' forms, the account's services, the staged Test. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { answered, api } from "../../api/client";
import type { LlmCredential, StageName, TestReport, VendorField, VendorManifest } from "../../api/types";
import { useAccountSid } from "../../session";

export type Values = Record<string, string>;

export const STAGES: StageName[] = ["input", "reach", "key", "model", "talk", "tools"];

const path = (account_sid: string) => ({ params: { path: { account_sid } } });
const pathTo = (account_sid: string, sid: string) => ({ params: { path: { account_sid, sid } } });

export function useManifests() {
  return useQuery({
    queryKey: ["llm-manifests"],
    staleTime: Infinity,
    queryFn: async () => (await answered(api.GET("/v1/llm-vendors/manifest"))).vendors as unknown as VendorManifest[],
  });
}

export function useLlmServices() {
  const account = useAccountSid();
  return useQuery({
    queryKey: ["llm", account],
    queryFn: () => answered(api.GET("/v1/Accounts/{account_sid}/LlmCredentials", path(account))) as Promise<LlmCredential[]>,
  });
}

const asked = (account_sid: string, sid: string, region_check: boolean) =>
  ({ params: { path: { account_sid, sid }, query: region_check ? { region_check } : {} } }) as ReturnType<typeof pathTo>;

/** Everything the form and the list do to a service. */
export function useLlmActions() {
  const account = useAccountSid();
  const queries = useQueryClient();
  const refresh = () => queries.invalidateQueries({ queryKey: ["llm", account] });
  return {
    refresh,
    create: async (body: Values & { vendor: string }) =>
      (await answered(api.POST("/v1/Accounts/{account_sid}/LlmCredentials", { ...path(account), body: body as never }))).sid,
    update: (sid: string, body: Values) =>
      answered(api.PUT("/v1/Accounts/{account_sid}/LlmCredentials/{sid}", { ...pathTo(account, sid), body: body as never })),
    remove: (sid: string) => answered(api.DELETE("/v1/Accounts/{account_sid}/LlmCredentials/{sid}", pathTo(account, sid))),
    /** Test values that are not stored. */
    tryOut: (body: Values & { vendor: string }) =>
      answered(
        api.POST("/v1/Accounts/{account_sid}/LlmCredentials/test", { ...path(account), body: body as never }),
      ) as unknown as Promise<TestReport>,
    /** Test a stored service; the result is remembered. */
    test: (sid: string, region_check = false) =>
      answered(api.GET("/v1/Accounts/{account_sid}/LlmCredentials/{sid}/test", asked(account, sid, region_check))) as unknown as Promise<TestReport>,
    models: (sid: string) =>
      answered(api.GET("/v1/Accounts/{account_sid}/LlmCredentials/{sid}/models", pathTo(account, sid))) as unknown as Promise<
        { id: string }[]
      >,
  };
}

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

/** The models that the vendor lists for this key now. */
export function listedModels(report: TestReport | undefined): string[] {
  return (report?.models ?? []).filter((model) => model.listed).map((model) => model.id);
}

export function isGood(report: TestReport): boolean {
  return (report.outcome ?? report.status).startsWith("ok");
}

/** The last characters of a secret as the server shows it; empty when it shows none. */
export function endOf(shown: string | undefined): string {
  return shown && !shown.endsWith("XXXX") ? shown.slice(-4) : "";
}
