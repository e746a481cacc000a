import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { globPattern, globsMeet } from "#lib/glob.ts";

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

describe("globsMeet", () => {
  test.each([
    ["claude-*", "*-sonnet", true],
    ["claude-*", "gpt-*", false],
    ["Claude-4", "claude-*", true],
    ["*", "", true],
    ["ab*ba", "aba", false],
    ["a*", "*b*a", true],
  ])("%s and %s: %s", (one, other, meet) => {
    expect(globsMeet(one, other)).toBe(meet);
    expect(globsMeet(other, one)).toBe(meet);
  });

  test("is what trying all short names says", () => {
    const letters = ["a", "b"];
    // Of two globs of three letters each, a shared name of six is enough.
    const names = [""];
    for (const name of names)
      if (name.length < 6) names.push(...letters.map((next) => name + next));
    const glob = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 3 });
    fc.assert(
      fc.property(glob, glob, (one, other) => {
        const [first, second] = [globPattern(one), globPattern(other)];
        const shared = names.some((name) => first.test(name) && second.test(name));
        expect(globsMeet(one, other)).toBe(shared);
      }),
      { numRuns: 1_000 },
    );
  });

  test("long globs with many stars take no time", () => {
    const begin = performance.now();
    globsMeet(`${"*a".repeat(100)}*b`, `${"*a".repeat(100)}*c`);
    expect(performance.now() - begin).toBeLessThan(1_000);
  });
});
