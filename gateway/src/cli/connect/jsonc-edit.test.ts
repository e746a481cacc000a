import { describe, expect, test } from "vitest";

import { setJsonc } from "./jsonc-edit.ts";

describe("setJsonc", () => {
  test.each([
    ["an empty text", "", '{\n  "a": {\n    "b": 1\n  }\n}\n'],
    ["an empty object", "{}", '{\n  "a": {\n    "b": 1\n  }\n}'],
    ["a value that is there", '{"a": {"b": 2, "c": 3}}', '{"a": {"b": 1, "c": 3}}'],
    ["a member on one line", '{"x": 1}', '{"x": 1, "a": {\n    "b": 1\n  }}'],
    [
      "a neighbour",
      '{\n\t"a": {\n\t\t"c": 3\n\t}\n}\n',
      '{\n\t"a": {\n\t\t"c": 3,\n\t\t"b": 1\n\t}\n}\n',
    ],
    [
      "comments and trailing commas",
      '// mine\n{\n  "a": {\n    "c": 3, // three\n  }, /* end */\n}\n',
      '// mine\n{\n  "a": {\n    "c": 3,\n    "b": 1, // three\n  }, /* end */\n}\n',
    ],
    [
      "an object of comments only",
      "{\n  // nothing yet\n}",
      '{\n  // nothing yet\n  "a": {\n    "b": 1\n  }\n}',
    ],
    ["a value of another type", '{"a": 7}', '{"a": {\n  "b": 1\n}}'],
    [
      "the last of two of the same name",
      '{"a": {"b": 5}, "a": {"b": 6}}',
      '{"a": {"b": 5}, "a": {"b": 1}}',
    ],
    ["Windows lines", '{\r\n  "a": {}\r\n}', '{\r\n  "a": {\r\n    "b": 1\r\n  }\r\n}'],
  ])("%s", (_name, before, after) => {
    expect(setJsonc(before, ["a", "b"], 1)).toBe(after);
  });

  test.each(["[]", "{", '{"a" 1}', '{"a": }', "{}x", '{"a": 1 "b": 2}', "[".repeat(5000)])(
    "refuses %.20s",
    (text) => expect(() => setJsonc(text, ["a"], 1)).toThrow(/not JSON/),
  );

  test("strings that look like structure stay", () => {
    const text = '{"x": "a // b } \\" ,", "y": [1, {"a": 2}]}';
    const edited = JSON.parse(setJsonc(text, ["a"], "new")) as unknown;
    expect(edited).toEqual({ x: 'a // b } " ,', y: [1, { a: 2 }], a: "new" });
  });
});
