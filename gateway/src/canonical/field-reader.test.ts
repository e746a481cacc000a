import { describe, expect, test } from "vitest";

import { FieldReader } from "./field-reader.ts";
import type { JsonObject } from "#lib/json.ts";

describe("FieldReader", () => {
  const reader = new FieldReader({ a: null, text: "x", list: [1], deep: { n: "1" } }, "body");

  test("null and nothing are both absent", () => {
    expect(reader.string("a")).toBeUndefined();
    expect(reader.number("none")).toBeUndefined();
    expect(reader.string("text")).toBe("x");
  });

  test.each([
    [() => reader.number("text"), "body.text must be a number"],
    [() => reader.count("text"), "body.text must be a whole number from 0 to 9007199254740991"],
    [() => reader.boolean("text"), "body.text must be true or false"],
    [() => reader.array("text"), "body.text must be an array"],
    [() => reader.objectAt("list"), "body.list must be an object"],
    [() => reader.objects("list"), "body.list[0] must be an object"],
    [() => reader.strings("list"), "body.list[0] must be a string"],
    [() => reader.nested("deep")?.number("n"), "body.deep.n must be a number"],
    [() => reader.requiredString("a"), "body.a is missing: it must be a string"],
  ])("a wrong type names its path (%#)", (read, message) => {
    expect(read).toThrow(message);
  });

  test.each([1.5, -0.5, 2 ** 53, -(2 ** 53), 1e300, Number.POSITIVE_INFINITY, Number.NaN])(
    "%s is no whole number",
    (value) => {
      expect(() => new FieldReader({ value }).integer("value")).toThrow("value must be a whole");
    },
  );

  test("a seed has up to 64 bits", () => {
    const seeds = new FieldReader({ a: 2 ** 60, b: -(2 ** 63), half: 0.5, long: 2 ** 65 });
    expect([seeds.seed("a"), seeds.seed("b")]).toEqual([2 ** 60, -(2 ** 63)]);
    const most = new FieldReader(JSON.parse('{"seed":18446744073709551615}') as JsonObject);
    expect(most.seed("seed")).toBe(2 ** 64);
    expect(() => seeds.seed("half")).toThrow("half must be a whole number of at most 64 bits");
    expect(() => seeds.seed("long")).toThrow("long must be a whole number of at most 64 bits");
  });

  test("whole numbers have a bound where one is named", () => {
    const whole = new FieldReader({ minus: -1, none: 0, most: Number.MAX_SAFE_INTEGER });
    expect(whole.integer("minus")).toBe(-1);
    expect(whole.count("none")).toBe(0);
    expect(whole.count("most")).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => whole.count("minus")).toThrow("minus must be a whole number from 0");
    expect(() => whole.integer("none", 1)).toThrow("none must be a whole number from 1");
  });
});
