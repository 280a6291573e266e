import { describe, expect, it } from "vitest";
import { splitReason } from "./reason";

describe("splitReason", () => {
  it.each([
    ["quota: moonshot: the account has no balance left (429 exceeded: Your account (x) is out)", "moonshot: the account has no balance left", "429 exceeded: Your account (x) is out"],
    ["moonshot: no answer came within 8 s", "moonshot: no answer came within 8 s", ""],
    ["The key was refused. Check that it is complete.", "The key was refused. Check that it is complete.", ""],
    ["deepgram: refused (401)", "deepgram: refused", "401"],
  ])("%s", (text, says, words) => expect(splitReason(text)).toEqual({ says, words }));
});
