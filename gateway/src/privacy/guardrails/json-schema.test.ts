import { describe, expect, test } from "vitest";

import { obeysSchema } from "#privacy/guardrails/json-schema.ts";

/** A schema that takes over a hundred thousand steps, at whatever value. */
const endless = {
  $defs: {
    a: { allOf: Array.from({ length: 400 }, () => ({ $ref: "#/$defs/b" })) },
    b: { allOf: Array.from({ length: 400 }, () => ({ type: "string" })) },
  },
};
/** A schema without an end. */
const deep = { $defs: { a: { allOf: [{ $ref: "#/$defs/a" }] } } };

describe("obeysSchema", () => {
  test.each([
    [{ type: "string" }, true],
    [{ not: { type: "string" } }, false],
    [{ not: { type: "number" } }, true],
    [{ oneOf: [{ type: "string" }, { type: "number" }] }, true],
    [{ anyOf: [{ type: "number" }, { minLength: 9 }] }, false],
  ])("%j of a text: %s", (schema, obeys) => {
    expect(obeysSchema("text", schema)).toBe(obeys);
  });

  test.each([
    ["too many steps", { ...endless, $ref: "#/$defs/a" }],
    ["too many steps under not", { ...endless, not: { $ref: "#/$defs/a" } }],
    ["too many steps under not of not", { ...endless, not: { not: { $ref: "#/$defs/a" } } }],
    ["too many steps beside what obeys", { ...endless, anyOf: [{ $ref: "#/$defs/a" }, {}] }],
    [
      "too many steps in one of oneOf",
      { ...endless, oneOf: [{ type: "string" }, { $ref: "#/$defs/a" }] },
    ],
    ["too deep", { ...deep, $ref: "#/$defs/a" }],
    ["too deep under not", { ...deep, not: { $ref: "#/$defs/a" } }],
    ["a reference to nothing", { $ref: "#/$defs/none" }],
    ["a reference to nothing under not", { not: { $ref: "#/$defs/none" } }],
  ])("what cannot be decided does not obey: %s", (_, schema) => {
    expect(obeysSchema("text", schema)).toBe(false);
  });
});
