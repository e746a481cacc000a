import { describe, expect, test } from "vitest";

import { signatureText, unwrapSignature, wrapSignature, type Signature } from "./signature.ts";

const SIGNATURES: readonly Signature[] = [
  { origin: "anthropic", value: "EqUD+/==" },
  { origin: "anthropic", value: "EqUDCkYI", redacted: true },
  { origin: "openai", value: "gAAAAAB_-", itemId: "rs_1" },
  { origin: "gemini", value: "CsgC" },
  { origin: "other", value: "~?>é\u{1F600}\ud83d" },
];

describe("wrapSignature", () => {
  test.each(SIGNATURES)("is undone by unwrapSignature: $origin $value", (signature) => {
    expect(unwrapSignature(wrapSignature(signature), "gemini")).toEqual(signature);
  });

  test.each(SIGNATURES)("is base64 in both alphabets, without padding: $value", (signature) => {
    const wrapped = wrapSignature(signature);
    expect(wrapped).toMatch(/^(?:[A-Za-z0-9]{4})+$/);
    expect(Buffer.from(wrapped, "base64").toString("base64")).toBe(wrapped);
    expect(Buffer.from(wrapped, "base64url").toString("base64url")).toBe(wrapped);
  });
});

describe("unwrapSignature", () => {
  test("takes a token that is not wrapped as the dialect's own", () => {
    expect(unwrapSignature("EqUD", "anthropic")).toEqual({ origin: "anthropic", value: "EqUD" });
  });

  test("gives a wrapped token that was damaged to nobody", () => {
    const damaged = wrapSignature({ origin: "openai", value: "gAAAAAB" }).slice(0, -6);
    expect(unwrapSignature(damaged, "anthropic")).toEqual({ origin: "other", value: damaged });
  });
});

test("signatureText leaves a token bare only where its dialect says the same with it", () => {
  expect(signatureText({ origin: "gemini", value: "CsgC" }, "gemini")).toBe("CsgC");
  expect(signatureText({ origin: "anthropic", value: "EqUD" }, "gemini")).not.toContain("EqUD");
});
