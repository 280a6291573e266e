/** What a call's event log tells: transcript, delays of each turn, and why it ended. */
import { useQuery } from "@tanstack/react-query";
import { answered, api } from "../../api/client";
import type { Call, TimelineLine } from "../../api/types";
import { useAccountSid } from "../../session";
import type { TextKey } from "../../text";

export interface Utterance {
  who: "caller" | "agent" | "trouble";
  /** Seconds since the answer. */
  at: number;
  text: string;
  interrupted?: boolean;
  remedy?: string;
}

export type Part = "stt" | "eot" | "llm" | "tts";

export interface Turn {
  at: number;
  caller: string;
  agent: string;
  interrupted: boolean;
  model: string;
  /** The engine that ended the caller's turn; empty where the agent began. */
  endedBy: string;
  /** Caller stopped to first audio, in milliseconds; null where nothing was asked. */
  response: number | null;
  parts: Partial<Record<Part, number>>;
}

export const PARTS: Part[] = ["stt", "eot", "llm", "tts"];

const text = (value: unknown) => (typeof value === "string" ? value : "");

export function utterances(lines: TimelineLine[]): Utterance[] {
  const said: Utterance[] = [];
  let spokenSince = 0;
  for (const line of lines) {
    if (line.kind === "turn.event" && line.type === "PlaybackStarted") spokenSince = line.at_s;
    if (line.kind === "turn.command" && line.type === "CommitUserTurn") {
      said.push({ who: "caller", at: line.at_s, text: text(line.pii_text) });
    } else if (line.kind === "turn" && text(line.pii_heard)) {
      said.push({ who: "agent", at: spokenSince || line.at_s, text: text(line.pii_heard), interrupted: line.interrupted === true });
    } else if (line.kind === "error") {
      said.push({ who: "trouble", at: line.at_s, text: text(line.error), remedy: text(line.remedy) });
    }
  }
  return said.sort((a, b) => a.at - b.at);
}

export function turns(lines: TimelineLine[]): Turn[] {
  const found: Turn[] = [];
  let asked = "";
  for (const line of lines) {
    if (line.kind === "turn.command" && line.type === "CommitUserTurn") asked = `${asked} ${text(line.pii_text)}`.trim();
    if (line.kind !== "turn") continue;
    const latency = (line.latency ?? {}) as Record<string, number>;
    const parts: Turn["parts"] = {};
    for (const part of PARTS) {
      const value = latency[`${part}_ms`];
      if (typeof value === "number") parts[part] = value;
    }
    found.push({
      at: line.at_s,
      caller: asked,
      agent: text(line.pii_heard),
      interrupted: line.interrupted === true,
      model: text(line.model),
      endedBy: text(line.turn_detection),
      response: latency.response_ms ?? null,
      parts,
    });
    asked = "";
  }
  return found;
}

const ENDINGS: Record<string, TextKey> = {
  bye: "end.callerHangup",
  closed: "end.callerHangup",
  cancel: "end.cancel",
  hangup: "end.application",
  "script-ended": "end.verbs",
  rejected: "end.rejected",
  "agent-failed": "end.agentFailed",
  transferred: "end.transferred",
  "no-answer": "end.noAnswer",
  "no-media": "end.noMedia",
  "no-ack": "end.noAck",
  "session-expired": "end.noMedia",
  "no-common-codec": "end.codec",
  shutdown: "end.drain",
};

/** Endings that nobody need look into. */
const PEACEFUL = new Set(["bye", "closed", "hangup", "script-ended", "shutdown", "transferred"]);

/** The catalogue's sentence for a reason, when there is one. */
export function endingOf(call: Call): TextKey | null {
  return ENDINGS[call.termination_reason] ?? null;
}

export function endedWell(call: Call): boolean {
  return call.answered && PEACEFUL.has(call.termination_reason);
}

export interface CallFilters {
  page: number;
  days: number;
  direction: "" | "inbound" | "outbound";
  answered: "" | "true" | "false";
  filter: string;
}

export const PAGE_SIZE = 25;

export function useCalls({ page, days, direction, answered: isAnswered, filter }: CallFilters, refetchInterval: number | false = 10_000) {
  const account_sid = useAccountSid();
  return useQuery({
    queryKey: ["calls", account_sid, page, days, direction, isAnswered, filter],
    refetchInterval,
    placeholderData: (before) => before,
    queryFn: () =>
      answered(
        api.GET("/v1/Accounts/{account_sid}/RecentCalls", {
          params: {
            path: { account_sid },
            query: {
              page,
              count: PAGE_SIZE,
              days,
              direction: direction || undefined,
              answered: isAnswered || undefined,
              filter: filter || undefined,
            },
          },
        }),
      ),
  });
}
