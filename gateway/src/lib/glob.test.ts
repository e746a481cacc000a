import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { globPattern } from "#lib/glob.ts";

describe("globPattern", () => {
  test.each([
    ["claude-*", "claude-sonnet-4-5", true],
    ["claude-*", "not-claude-sonnet", false],
    ["*image*", "gpt-image-1", true],
    ["*-mini", "gpt-5-mini", true],
    ["*-mini", "gpt-5-mini-high", false],
    ["openai/gpt-5*@env:*", "openai/gpt-5@env:OPENAI_API_KEY", true],
    ["gpt-5", "gpt-5", true],
    ["gpt-5", "gpt-5.1", false],
    ["gpt.5", "gpt-5", false],
    ["a*a", "a", false],
    ["ab*ba", "aba", false],
    ["**", "", true],
  ])("%s and %s: %s", (glob, name, fits) => {
    expect(globPattern(glob).test(name)).toBe(fits);
  });

  test("case is nothing, in the glob and in the name", () => {
    expect(globPattern("Qwen/*").test("qwen/QwQ-32B")).toBe(true);
    expect(globPattern("gpt-4o*").test("GPT-4o")).toBe(true);
  });

  test("a line's end hides no name from a glob", () => {
    expect(globPattern("gpt-*-mini*").test("gpt-5\n-mini\n")).toBe(true);
  });

  test("answers as the regular expression of the glob does", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "-"), maxLength: 12 });
    const glob = fc.string({ unit: fc.constantFrom("a", "b", "-", "*"), maxLength: 8 });
    fc.assert(
      fc.property(glob, text, (pattern, name) => {
        const meant = new RegExp(`^${pattern.replaceAll(/\*+/g, ".*")}$`);
        expect(globPattern(pattern).test(name)).toBe(meant.test(name));
      }),
      { numRuns: 2_000 },
    );
  });

  test("many stars and a long name that almost fits take no time", () => {
    const pattern = globPattern(`${"*a".repeat(90)}*b`);
    const name = "a".repeat(10_000);
    const begin = performance.now();
    for (let times = 0; times < 100; times += 1) expect(pattern.test(name)).toBe(false);
    expect(performance.now() - begin).toBeLessThan(1_000);
  });
});
