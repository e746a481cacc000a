import { describe, expect, test } from "vitest";

import type { Tool } from "#canonical/tool.ts";
import { checkToolCalls } from "#health/tool-call-validity.ts";
import type { JsonObject } from "#lib/json.ts";
import { leastMs } from "#test/pace.ts";

const tool = (parameters?: JsonObject): Tool => ({
  type: "function",
  name: "search",
  ...(parameters !== undefined && { parameters }),
});

const SEARCH: JsonObject = {
  type: "object",
  properties: {
    query: { type: "string" },
    limit: { type: ["integer", "null"] },
    order: { enum: ["new", "old"] },
    tags: { type: "array", items: { $ref: "#/$defs/tag" } },
    place: { anyOf: [{ type: "string" }, { type: "object", required: ["city"] }] },
  },
  required: ["query"],
  additionalProperties: false,
  $defs: { tag: { type: "string" } },
};

const verdict = (written: string, tools: readonly Tool[] = [tool(SEARCH)], name = "search") =>
  Object.entries(checkToolCalls([{ name, arguments: written }], tools)).find(
    ([, count]) => count === 1,
  )?.[0];

describe("checkToolCalls", () => {
  test.each([
    '{"query":"a"}',
    '{"query":"a","limit":3,"order":"new","tags":["x"],"place":{"city":"Graz"}}',
    '{"query":"a","limit":null,"place":"Graz"}',
  ])("%s is valid", (written) => {
    expect(verdict(written)).toBe("valid");
  });

  test.each([
    "{}",
    "[]",
    '"text"',
    '{"query":1}',
    '{"query":"a","more":1}',
    '{"query":"a","limit":1.5}',
    '{"query":"a","order":"any"}',
    '{"query":"a","tags":[1]}',
    '{"query":"a","place":{}}',
    '{"query":"a","place":5}',
    '{"query":"a","__proto__":1}',
  ])("%s does not fit the schema", (written) => {
    expect(verdict(written)).toBe("schemaMismatch");
  });

  test.each(['{"query":', "{'query':'a'}", "<tool>", '{"query":"a"}}'])(
    "%s is no JSON",
    (written) => {
      expect(verdict(written)).toBe("invalidJson");
    },
  );

  test("a tool that was not offered is unknown, also by a name that every object has", () => {
    expect(verdict("{}", [tool()], "find")).toBe("unknownName");
    expect(verdict("{}", [tool()], "constructor")).toBe("unknownName");
  });

  test("no arguments at all are those of a tool without parameters", () => {
    expect(verdict("", [tool()])).toBe("valid");
    expect(verdict("", [tool(SEARCH)])).toBe("schemaMismatch");
  });

  test("knows namespaced and custom tools, whose input is any text", () => {
    const spaced: Tool = { type: "function", name: "read", namespace: "files" };
    expect(verdict("{}", [spaced], "files__read")).toBe("valid");
    expect(verdict("not json", [{ type: "custom", name: "patch" }], "patch")).toBe("valid");
  });

  test("counts each call", () => {
    const calls = ["{}", '{"query":"a"}', "{"].map((written) => ({
      name: "search",
      arguments: written,
    }));
    expect(checkToolCalls(calls, [tool(SEARCH)])).toEqual({
      valid: 1,
      invalidJson: 1,
      unknownName: 0,
      schemaMismatch: 1,
    });
  });

  test("a schema that refers to itself, and one without end, end soon", async () => {
    const node: JsonObject = {
      type: "object",
      properties: { next: { $ref: "#/$defs/node" } },
      anyOf: [{ $ref: "#/$defs/node" }, { $ref: "#/$defs/node" }],
    };
    const parameters: JsonObject = { ...node, $defs: { node } };
    const deep = '{"next":'.repeat(500) + "{}" + "}".repeat(500);
    const took = leastMs(500, () => {
      expect(verdict(deep, [tool(parameters)])).toBe("valid");
      expect(verdict(`{"list":[${"1,".repeat(200_000)}1]}`, [tool(parameters)])).toBe("valid");
    });
    expect(await took).toBeLessThan(500);
  });

  test("a schema made to take long does not", async () => {
    const items = Array.from({ length: 10_000 }, (_, at) => ({ at }));
    const references = Array.from({ length: 2000 }, () => ({ $ref: "#/$defs/e" }));
    const many = (schema: JsonObject): JsonObject => ({
      type: "object",
      properties: { a: { anyOf: references } },
      $defs: { e: schema },
    });
    const name = "n".repeat(100_000);
    const took = leastMs(500, () => {
      for (const schema of [
        { enum: items },
        { enum: items.map(({ at }) => `${at}`) },
        { required: items.map(({ at }) => `${at}`) },
        { type: items.map(() => "string") },
        { type: "array", $ref: `#/$defs/${name}` },
        { allOf: references },
      ]) {
        checkToolCalls(
          Array.from({ length: 50 }, () => ({ name: "search", arguments: '{"a":{}}' })),
          [tool(many(schema))],
        );
      }
    });
    expect(await took).toBeLessThan(500);
  });

  test("a required name that no property has is not held against the model", () => {
    const parameters = { type: "object", properties: { a: {} }, required: ["a", "zzz"] };
    expect(verdict('{"a":1}', [tool(parameters)])).toBe("valid");
    expect(verdict("{}", [tool(parameters)])).toBe("schemaMismatch");
  });

  test("objects in an enum are not compared", () => {
    const parameters = { properties: { a: { enum: [{ b: 1 }, "c"] } } };
    expect(verdict('{"a":{"b":2}}', [tool(parameters)])).toBe("valid");
    expect(verdict('{"a":"d"}', [tool(parameters)])).toBe("schemaMismatch");
  });

  test("schemas that are none count as fulfilled", () => {
    for (const schema of [
      { type: 5 },
      { type: "object", properties: [] },
      { required: "all" },
      { enum: "x" },
      { $ref: "http://elsewhere" },
    ]) {
      expect(verdict("{}", [tool(schema as JsonObject)])).toBe("valid");
    }
  });
});
