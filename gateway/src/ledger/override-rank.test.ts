import fc from "fast-check";
import type { PriceOverrideDocument } from "@turnpike/contract/governance.ts";
import { describe, expect, test } from "vitest";

import { overrideOf, sharedModels } from "#ledger/override-rank.ts";

const opus = { model: "claude-opus-5", provider: "anthropic" };
/** From the least exact to the most. */
const LADDER: readonly PriceOverrideDocument[] = [
  {},
  { providers: ["anthropic"] },
  { models: ["claude-*"] },
  { models: ["gpt-*", "claude-o*"] },
  { models: ["*laude-opus-5"] },
  { models: ["claude-opus-5*"] },
  { models: ["CLAUDE-opus-5"] },
  { models: ["claude-opus-5"], providers: ["bedrock", "anthropic"] },
];

describe("overrideOf", () => {
  test.each(LADDER.map((override, at) => ({ override, at })))(
    "$override counts before all that are less exact, whatever the order",
    ({ override, at }) => {
      expect(overrideOf(opus, LADDER.slice(0, at + 1))).toBe(override);
      expect(overrideOf(opus, LADDER.slice(0, at + 1).toReversed())).toBe(override);
    },
  );

  test("what names another model or provider does not count", () => {
    const others = [{ models: ["gpt-*"] }, { models: ["claude-*"], providers: ["bedrock"] }];
    expect(overrideOf(opus, others)).toBeUndefined();
    expect(overrideOf(opus, [{ models: [] }])).toBeUndefined();
  });
});

describe("sharedModels", () => {
  const ab = fc.string({ unit: fc.constantFrom("a", "b", "*"), minLength: 1, maxLength: 3 });
  const override: fc.Arbitrary<PriceOverrideDocument> = fc.record(
    {
      models: fc.array(ab, { maxLength: 2 }),
      providers: fc.uniqueArray(fc.constantFrom("p", "q"), { maxLength: 2 }),
    },
    { requiredKeys: [] },
  );
  const name = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 5 });

  test("two that share none have no endpoint whose price depends on their order", () => {
    fc.assert(
      fc.property(override, override, name, (one, other, model) => {
        if (sharedModels(one, other) !== undefined) return;
        const endpoint = { model, provider: "p" };
        expect(overrideOf(endpoint, [one, other])).toBe(overrideOf(endpoint, [other, one]));
      }),
      { numRuns: 5_000 },
    );
  });

  test.each<[PriceOverrideDocument, PriceOverrideDocument, boolean]>([
    [{}, {}, true],
    [{}, { models: ["*"] }, true],
    [{}, { providers: ["p"] }, false],
    [{ providers: ["p"] }, { providers: ["q", "p"] }, true],
    [{ providers: ["p"] }, { providers: ["q"] }, false],
    [{ models: ["a*", "b"] }, { models: ["B"] }, true],
    [{ models: ["a*"] }, { models: ["*b"] }, true],
    [{ models: ["a*"] }, { models: ["b*"] }, false],
    [{ models: ["a*"] }, { models: ["ab*"] }, false],
  ])("%j and %j: %s", (one, other, share) => {
    expect(sharedModels(one, other) !== undefined).toBe(share);
    expect(sharedModels(other, one) !== undefined).toBe(share);
  });
});
