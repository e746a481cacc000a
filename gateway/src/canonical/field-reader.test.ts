import { describe, expect, test } from "vitest";

import { FieldReader } from "./field-reader.ts";

describe("FieldReader", () => {
  const reader = new FieldReader({ a: null, text: "x", list: [1], deep: { n: "1" } }, "body");

  test("null and nothing are both absent", () => {
    expect(reader.string("a")).toBeUndefined();
    expect(reader.number("none")).toBeUndefined();
    expect(reader.string("text")).toBe("x");
  });

  test.each([
    [() => reader.number("text"), "body.text must be a number"],
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
});
