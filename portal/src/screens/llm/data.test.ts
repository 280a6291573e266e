import { describe, expect, it } from "vitest";
import { hostOf, isGood, memberOf, modelIds } from "./data";

describe("memberOf", () => {
  it.each([
    ["apiKey", "api_key"],
    ["baseURL", "base_url"],
    ["retiredModels", "retired_models"],
    ["projectId", "project_id"],
    ["endpoint", "endpoint"],
  ])("turns %s into %s", (field, member) => expect(memberOf(field)).toBe(member));
});

describe("hostOf", () => {
  it.each([
    ["https://api.moonshot.ai/v1", "api.moonshot.ai"],
    ["api.moonshot.cn", "api.moonshot.cn"],
    ["http://127.0.0.1:8000/v1", "127.0.0.1:8000"],
    ["", ""],
    ["http://[", ""],
  ])("finds the host of %s", (url, host) => expect(hostOf(url)).toBe(host));
});

describe("reports", () => {
  it("lists models of either shape", () => expect(modelIds({ status: "ok", models: ["a", { id: "b" }] })).toEqual(["a", "b"]));
  it("takes warnings for a success", () => expect(isGood({ status: "ok_with_warnings" })).toBe(true));
  it("takes nothing tested for no success", () => expect(isGood({ status: "not tested" })).toBe(false));
});
