/** Speech Services as data. The vendors' forms are few and stand here until REST has a manifest for them. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { answered, api } from "../../api/client";
import type { SpeechCredential, TestReport, VendorField } from "../../api/types";
import { useAccountSid } from "../../session";

export interface SpeechVendor {
  vendor: string;
  displayName: string;
  listens: boolean;
  speaks: boolean;
  fields: VendorField[];
}

const key: VendorField = { name: "api_key", label: "API Key", type: "password", required: true };

export const SPEECH_VENDORS: SpeechVendor[] = [
  {
    vendor: "deepgram",
    displayName: "Deepgram",
    listens: true,
    speaks: false,
    fields: [
      key,
      { name: "base_url", label: "Base URL", type: "url", default: "wss://api.deepgram.com" },
      { name: "model_id", label: "Model", type: "text", default: "nova-3" },
    ],
  },
  {
    vendor: "cartesia",
    displayName: "Cartesia",
    listens: false,
    speaks: true,
    fields: [
      key,
      { name: "base_url", label: "Base URL", type: "url", default: "wss://api.cartesia.ai" },
      { name: "model_id", label: "Model", type: "text", default: "sonic-3" },
    ],
  },
];

export interface SpeechReport extends TestReport {
  tts: { status: string; reason?: string };
  stt: { status: string; reason?: string };
}

export function vendorOf(name: string): SpeechVendor | undefined {
  return SPEECH_VENDORS.find((one) => one.vendor === name);
}

/** The failure a report tells of, or null. */
export function failureOf(report: SpeechReport): string | null {
  const failed = [report.stt, report.tts].find((one) => one.status === "fail");
  return failed ? (failed.reason ?? failed.status) : null;
}

export function wasTested(report: SpeechReport): boolean {
  return report.stt.status === "ok" || report.tts.status === "ok" || failureOf(report) !== null;
}

export function useSpeechServices() {
  const account_sid = useAccountSid();
  return useQuery({
    queryKey: ["speech", account_sid],
    queryFn: () =>
      answered(api.GET("/v1/Accounts/{account_sid}/SpeechCredentials", { params: { path: { account_sid } } })) as Promise<
        SpeechCredential[]
      >,
  });
}

export function useSpeechActions() {
  const account_sid = useAccountSid();
  const queries = useQueryClient();
  const to = (sid: string) => ({ params: { path: { account_sid, sid } } });
  return {
    refresh: () => queries.invalidateQueries({ queryKey: ["speech", account_sid] }),
    create: async (body: object) =>
      (
        await answered(
          api.POST("/v1/Accounts/{account_sid}/SpeechCredentials", { params: { path: { account_sid } }, body: body as never }),
        )
      ).sid,
    update: (sid: string, body: object) =>
      answered(api.PUT("/v1/Accounts/{account_sid}/SpeechCredentials/{sid}", { ...to(sid), body: body as never })),
    remove: (sid: string) => answered(api.DELETE("/v1/Accounts/{account_sid}/SpeechCredentials/{sid}", to(sid))),
    test: (sid: string) =>
      answered(api.GET("/v1/Accounts/{account_sid}/SpeechCredentials/{sid}/test", to(sid))) as unknown as Promise<SpeechReport>,
  };
}
