import { describe, expect, test } from "vitest";

import { toolInputObject } from "./tool-input.ts";
import { withoutBillingHeader } from "./without-billing-header.ts";

describe("toolInputObject", () => {
  test.each([
    ["", { value: {}, exact: true }],
    ["null", { value: {}, exact: true }],
    ['{"a":1}', { value: { a: 1 }, exact: true }],
    ["[1]", { value: { input: [1] }, exact: false }],
    ['{"a":', { value: { input: '{"a":' }, exact: false }],
  ])("%j", (text, expected) => {
    expect(toolInputObject(text)).toEqual(expected);
  });
});

describe("withoutBillingHeader", () => {
  const header = { type: "text", text: "x-anthropic-billing-header: cc_version=1" } as const;
  const rules = { type: "text", text: "rules" } as const;
  const user = { role: "user", content: [header] } as const;

  test("takes the header away, and the message with it when nothing else is in it", () => {
    expect(withoutBillingHeader([{ role: "system", content: [header, rules] }, user])).toEqual([
      { role: "system", content: [rules] },
      user,
    ]);
    expect(withoutBillingHeader([{ role: "system", content: [header] }, user])).toEqual([user]);
  });

  test("leaves everything else", () => {
    expect(withoutBillingHeader([user])).toEqual([user]);
    expect(withoutBillingHeader([])).toEqual([]);
  });
});
