import { describe, expect, it } from "vitest";
import { fill, reword, translate } from ".";
import { en } from "./en";
import { zh } from "./zh";
import { server } from "./zh-server";

describe("translate", () => {
  it("translates sentence by sentence and leaves addresses whole", () =>
    expect(translate("Global: https://api.moonshot.ai/v1. China: https://api.moonshot.cn/v1. Or your own proxy.", server.sentences)).toBe(
      "国际：https://api.moonshot.ai/v1。中国：https://api.moonshot.cn/v1。或您自己的代理。",
    ));
  it("keeps what it does not know", () => expect(translate("Something new. First word after 0.31 s.", server.sentences)).toBe("Something new. 首词用时 0.31 秒。"));
  it("falls back to the stable code and keeps the server's words", () => {
    const words = { sentences: server.sentences, codes: { quota: "余额不足" } };
    expect(reword("No money.", "quota", words)).toBe("余额不足（No money.）");
    expect(reword("The key was refused.", "quota", words)).toBe("密钥被拒绝。");
    expect(reword("No money.", "other", words)).toBe("No money.");
    expect(reword("", "quota", words)).toBe("余额不足");
  });
  it("changes nothing without a language", () => expect(translate("The key was refused.", [])).toBe("The key was refused."));
});

describe("catalogues", () => {
  const places = (sentence: string) => [...sentence.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
  it.each(Object.keys(en) as (keyof typeof en)[])("%s has the same places in both languages", (key) => {
    expect(places(zh[key])).toEqual(places(en[key]));
    expect(zh[key]).not.toBe("");
  });
  it("fills places", () => expect(fill("{a} of {b} {c}", { a: 1, b: "x" })).toBe("1 of x {c}"));
});
