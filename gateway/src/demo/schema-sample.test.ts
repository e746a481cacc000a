import { describe, expect, test } from "vitest";

import { sampleOf } from "./schema-sample.ts";

describe("sampleOf", () => {
  test.each([
    ["const", { const: 7 }, 7],
    ["enum", { enum: ["b", "a"] }, "b"],
    ["nullable type", { type: ["null", "string"] }, "demo value"],
    ["format", { type: "string", format: "date" }, "2026-01-01"],
    ["lengths", { type: "string", minLength: 14, maxLength: 14 }, "demo value...."],
    ["bounds", { type: "integer", exclusiveMinimum: 4 }, 5],
    ["only a maximum", { type: "number", maximum: -2 }, -2],
    ["multipleOf", { type: "integer", minimum: 5, multipleOf: 4 }, 8],
    ["items", { type: "array", minItems: 2, items: { type: "boolean" } }, [true, true]],
    ["tuples", { prefixItems: [{ const: 1 }, { const: 2 }], type: "array" }, [1, 2]],
    ["no type, but properties", { properties: { a: { const: 1 } } }, { a: 1 }],
    [
      "allOf",
      { allOf: [{ properties: { a: { const: 1 } } }, { properties: { b: { const: 2 } } }] },
      { a: 1, b: 2 },
    ],
    ["a command", { type: "object", properties: { command: {} } }, { command: "echo demo" }],
    ["a reference to nowhere", { $ref: "#/$defs/none" }, "demo value"],
  ])("%s", (_name, schema, expected) => {
    expect(sampleOf(schema)).toEqual(expected);
  });

  test("a recursive schema ends", () => {
    const node = {
      type: "object",
      properties: { next: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] } },
      required: ["next"],
    };
    const value = sampleOf({ $ref: "#/$defs/node", $defs: { node } });
    expect(JSON.stringify(value)).toMatch(/null/);
  });

  test("a schema that refers to itself alone ends", () => {
    expect(sampleOf({ $ref: "#" })).toBeNull();
  });

  test("a schema that multiplies itself ends soon", () => {
    const required = ["a", "b", "c"];
    const properties = Object.fromEntries(required.map((name) => [name, { $ref: "#" }]));
    const value = sampleOf({ type: "object", properties, required });
    expect(JSON.stringify(value).length).toBeLessThan(100_000);
  });
});
