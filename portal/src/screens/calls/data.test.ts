import { describe, expect, it } from "vitest";
import { turns, utterances } from "./data";

const LINES = [
  { kind: "call", at_s: 0, name: "answered" },
  { kind: "turn.event", at_s: 0.4, type: "PlaybackStarted", reply: 1 },
  { kind: "turn", at_s: 2, cause: "greeting", interrupted: false, model: "kimi-k2.6", pii_heard: "Hello!", latency: { llm_ms: 120, tts_ms: 90 } },
  { kind: "turn.command", at_s: 4, type: "CommitUserTurn", pii_text: "When do you open?" },
  { kind: "turn.event", at_s: 4.6, type: "PlaybackStarted", reply: 2 },
  { kind: "error", at_s: 4.5, error: "slow", remedy: "wait" },
  {
    kind: "turn",
    at_s: 6,
    cause: "user",
    interrupted: true,
    model: "kimi-k2.6",
    turn_detection: "smart-turn",
    pii_heard: "At nine",
    latency: { stt_ms: 240, eot_ms: 0, llm_ms: 100, tts_ms: 80, response_ms: 610 },
  },
];

describe("utterances", () => {
  it("tells who said what in the order of time", () => {
    expect(utterances(LINES).map(({ who, at }) => [who, at])).toEqual([
      ["agent", 0.4],
      ["caller", 4],
      ["trouble", 4.5],
      ["agent", 4.6],
    ]);
  });
});

describe("turns", () => {
  it("joins what was asked with what was heard and how long it took", () => {
    const [greeting, answer] = turns(LINES);
    expect(greeting).toMatchObject({ caller: "", agent: "Hello!", response: null, parts: { llm: 120, tts: 90 } });
    expect(answer).toMatchObject({ caller: "When do you open?", interrupted: true, response: 610, endedBy: "smart-turn" });
    expect(answer?.parts).toEqual({ stt: 240, eot: 0, llm: 100, tts: 80 });
  });
});
