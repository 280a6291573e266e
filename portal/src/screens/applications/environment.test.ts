import { describe, expect, it } from "vitest";
import type { EnvSchema } from "../../api/types";
import { isSchema, judge, startingTexts, valuesOf } from "./environment";

const SCHEMA: EnvSchema = {
  LLM_MODEL: { type: "string", enum: ["openai:gpt-4o"], default: "openai:gpt-4o" },
  PROMPT: { type: "string", required: true },
  TURNS: { type: "number" },
  VERBOSE: { type: "boolean" },
};

describe("judge", () => {
  it("warns of a value outside the enum without refusing it", () =>
    expect(judge(SCHEMA.LLM_MODEL, "moonshot:kimi-k2.6", false)).toEqual({ unlisted: true }));
  it("asks for what is required", () => expect(judge(SCHEMA.PROMPT, "", false)).toEqual({ error: "required" }));
  it("takes a stored secret for given", () => expect(judge(SCHEMA.PROMPT, "", true)).toEqual({}));
  it("refuses text where a number is wanted", () => expect(judge(SCHEMA.TURNS, "many", false)).toEqual({ error: "number" }));
  it("lets variables pass that the application does not declare", () => expect(judge(undefined, "x", false)).toEqual({}));
});

describe("valuesOf", () => {
  it("gives each value its type and leaves out what is empty", () =>
    expect(valuesOf(SCHEMA, { LLM_MODEL: "", PROMPT: "Hi", TURNS: "3", VERBOSE: "false", OWN: "1" })).toEqual({
      PROMPT: "Hi",
      TURNS: 3,
      VERBOSE: false,
      OWN: "1",
    }));
});

describe("startingTexts", () => {
  it("keeps stored values that the application does not declare", () =>
    expect(startingTexts({ A: { type: "string" } }, { B: 2 })).toEqual({ A: "", B: "2" }));
});

describe("isSchema", () => {
  it("knows a schema from something else", () => {
    expect(isSchema(SCHEMA)).toBe(true);
    expect(isSchema({ msg: "no" })).toBe(false);
    expect(isSchema(null)).toBe(false);
  });
});
