import { describe, expect, it } from "vitest";
import { endOf, hostOf, isGood, listedModels, memberOf } from "./data";

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

describe("endOf", () => {
  it("shows the end of a long secret", () => expect(endOf("XXXXXXXX4f2a")).toBe("4f2a"));
  it("shows nothing of a short one", () => expect(endOf("XXXXXXXX")).toBe(""));
});

describe("reports", () => {
  it("offers the models that the vendor lists", () =>
    expect(listedModels({ status: "ok", models: [{ id: "a", listed: true }, { id: "b", listed: false }, { id: "c", listed: null }] })).toEqual(["a"]));
  it("takes warnings for a success", () => expect(isGood({ status: "ok", outcome: "ok_with_warnings" })).toBe(true));
  it("takes a failure for one", () => expect(isGood({ status: "fail", outcome: "failed" })).toBe(false));
  it("takes nothing tested for no success", () => expect(isGood({ status: "not tested" })).toBe(false));
});
