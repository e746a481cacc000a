import { describe, expect, test } from "vitest";

import type { Part } from "./message.ts";
import { carriedSignature, TEXT_OWNER, withCarriedSignatures } from "./carried-signature.ts";

const token = { origin: "gemini", value: "v" } as const;
const call: Part = { type: "tool-call", id: "c1", name: "run", kind: "function", input: "{}" };
const text: Part = { type: "text", text: "hello" };
const carrier = (owner: string): Part => ({
  type: "reasoning",
  text: "",
  signature: carriedSignature(token, owner),
});

describe("withCarriedSignatures", () => {
  test("puts a call's token on it, from before or from behind", () => {
    const signed = { ...call, signature: token };
    expect(withCarriedSignatures([text, carrier("c1"), call])).toEqual([text, signed]);
    expect(withCarriedSignatures([call, carrier("c1"), text])).toEqual([signed, text]);
  });

  test("puts a text's token on the text before", () => {
    const signed = { ...text, signature: token };
    expect(withCarriedSignatures([text, carrier(TEXT_OWNER), text])).toEqual([signed, text]);
  });

  test("leaves out a token whose owner is gone", () => {
    expect(withCarriedSignatures([carrier("c2"), carrier(TEXT_OWNER), call])).toEqual([call]);
  });

  test("keeps reasoning that carries nobody else's token", () => {
    const own: Part[] = [
      { type: "reasoning", text: "", signature: { origin: "openai", value: "v", itemId: "c1" } },
      { type: "reasoning", text: "", signature: { origin: "anthropic", value: "v" } },
      { type: "reasoning", text: "hm", signature: carriedSignature(token, "c1") },
      { type: "reasoning", text: "" },
    ];
    expect(withCarriedSignatures([...own, call])).toEqual([...own, call]);
  });
});
