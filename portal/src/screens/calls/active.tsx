/** Calls that are up: who talks to whom, since when; hang up. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { PhoneOff } from "lucide-react";
import { useEffect, useState } from "react";
import { answered, api, ApiFailure } from "../../api/client";
import { useAccountSid } from "../../session";
import { type TextKey, useText } from "../../text";
import { Badge, Button, Panel, Table } from "../../ui/parts";
import { shownNumber } from "../../ui/number";
import { Ago, clock } from "../../ui/time";
import { useToast } from "../../ui/toast";

const EVERY_MS = 2_000;

interface ActiveCall {
  call_sid: string;
  from: string;
  to: string;
  call_status: string;
  direction: string;
  /** When it came in and when it was answered, ISO 8601. */
  attempted_at?: string | null;
  answered_at?: string | null;
}

function useActiveCalls() {
  const account_sid = useAccountSid();
  return useQuery({
    queryKey: ["active", account_sid],
    refetchInterval: EVERY_MS,
    queryFn: async () => {
      const request = api.GET("/v1/Accounts/{account_sid}/Calls", { params: { path: { account_sid } } });
      return (await answered(request).catch(noneWithoutCalls)) as unknown as ActiveCall[];
    },
  });
}

/** A process that takes no calls has none up. */
function noneWithoutCalls(error: unknown): [] {
  if (error instanceof ApiFailure && error.status === 503) return [];
  throw error;
}

/** The time, as often as a clock of seconds needs it. */
function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

const NONE: ActiveCall[] = [];

const STATES: Record<string, TextKey> = {
  "in-progress": "active.in-progress",
  ringing: "active.ringing",
  trying: "active.trying",
  "early-media": "active.early-media",
};

export function ActiveCalls() {
  const { t } = useText();
  const calls = useActiveCalls().data ?? NONE;
  const now = useNow();
  const began = (call: ActiveCall) => call.answered_at ?? call.attempted_at;
  if (!calls.length) return null;
  return (
    <Panel title={t("active.title", { count: calls.length })}>
      <Table
        caption={t("active.caption")}
        rows={calls}
        id={(call) => call.call_sid}
        columns={[
          { title: t("calls.call"), cell: (call) => `${shownNumber(call.from) || t("calls.unknown")} → ${shownNumber(call.to) || t("calls.unknown")}` },
          { title: t("active.state"), cell: (call) => <Badge tone={call.call_status === "in-progress" ? "good" : "idle"}>{call.call_status in STATES ? t(STATES[call.call_status] as TextKey) : call.call_status}</Badge> },
          { title: t("active.since"), cell: (call) => <Ago at={began(call)} /> },
          { title: t("active.duration"), numeric: true, cell: (call) => (call.answered_at ? clock((now - Date.parse(call.answered_at)) / 1000) : "–") },
          { title: t("actions"), quiet: true, cell: (call) => <HangUp call={call} /> },
        ]}
      />
    </Panel>
  );
}

function HangUp({ call }: { call: ActiveCall }) {
  const { t } = useText();
  const toast = useToast();
  const queries = useQueryClient();
  const account_sid = useAccountSid();
  const hangUp = useMutation({
    mutationFn: () =>
      answered(api.DELETE("/v1/Accounts/{account_sid}/Calls/{call_sid}", { params: { path: { account_sid, call_sid: call.call_sid } } })),
    onError: (error) => toast(error, "bad"),
    onSettled: () => queries.invalidateQueries({ queryKey: ["active", account_sid] }),
  });
  return (
    <Button look="quiet" icon={PhoneOff} busy={hangUp.isPending} onClick={() => hangUp.mutate()}>
      {t("active.hangUp")}
    </Button>
  );
}
