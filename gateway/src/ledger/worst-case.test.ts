import fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { ServiceTier, Usage } from "#canonical/usage.ts";
import type { Prices, TokenPrices } from "#catalog/types.ts";
import { chargePrices } from "#ledger/charge-prices.ts";
import { costOfUsage } from "#ledger/cost-of-usage.ts";
import { worstCaseLine } from "#ledger/worst-case.ts";

const price = fc.integer({ min: 0, max: 1_000_000 });
const tokenPrices: fc.Arbitrary<TokenPrices> = fc.record(
  {
    input: price,
    output: price,
    cacheRead: price,
    cacheWrite5m: price,
    cacheWrite1h: price,
    reasoning: price,
    inputAudio: price,
    cacheReadAudio: price,
    outputAudio: price,
    inputImage: price,
    outputImage: price,
  },
  { requiredKeys: ["input", "output"] },
);
const step = fc.record({
  aboveInputTokens: fc.integer({ min: 1, max: 3_000 }),
  prices: tokenPrices,
});
const prices: fc.Arbitrary<Prices> = fc
  .record({
    base: tokenPrices,
    longContext: fc.option(fc.array(step, { minLength: 1, maxLength: 2 }), { nil: undefined }),
    tiers: fc.option(fc.record({ priority: tokenPrices, flex: tokenPrices }), { nil: undefined }),
    perRequestNanoUsd: fc.integer({ min: 0, max: 1_000_000 }),
    perWebSearchNanoUsd: fc.integer({ min: 0, max: 1_000_000 }),
  })
  .map(({ base, longContext, tiers, ...fees }) => ({
    ...base,
    ...fees,
    ...(tiers !== undefined && { tiers }),
    ...(longContext !== undefined && {
      longContext: longContext.toSorted((a, b) => a.aboveInputTokens - b.aboveInputTokens),
    }),
  }));
const tokens = fc.integer({ min: 0, max: 5_000 });
const usages: fc.Arbitrary<Usage> = fc.record(
  {
    inputTokens: tokens,
    outputTokens: tokens,
    cacheReadTokens: tokens,
    cacheWrite5mTokens: tokens,
    cacheWrite1hTokens: tokens,
    inputAudioTokens: tokens,
    cacheReadAudioTokens: tokens,
    inputImageTokens: tokens,
    reasoningTokens: tokens,
    outputAudioTokens: tokens,
    outputImageTokens: tokens,
    webSearchRequests: fc.integer({ min: 0, max: 5 }),
  },
  { requiredKeys: ["inputTokens", "outputTokens"] },
);
const tiers = fc.constantFrom<ServiceTier>("default", "priority", "flex", "batch");

const spent = fc.record({ usage: usages, tier: tiers });

const boundOf = (usage: Usage, tier: ServiceTier) => ({
  inputTokens: usage.inputTokens,
  tier,
  audio: true,
  images: true,
  webSearches: 5,
  searchUnits: 0,
});

describe("worstCaseLine", () => {
  test("no usage within its bounds costs more: long contexts, tiers, caches, media, fees", () => {
    fc.assert(
      fc.property(prices, spent, fc.integer({ min: 0, max: 500 }), (all, { usage, tier }, more) => {
        const bound = { ...boundOf(usage, tier), inputTokens: usage.inputTokens + more };
        const line = worstCaseLine(all, bound);
        const cost = costOfUsage(usage, all, { tier }).nanoUsd;
        expect(line).toBeDefined();
        const output = BigInt(usage.outputTokens);
        const most =
          ((line?.basePicoUsd ?? 0n) + (line?.outputPicoUsd ?? 0n) * output + 999n) / 1_000n;
        expect(cost ?? 0n).toBeLessThanOrEqual(most);
      }),
      { numRuns: 2_000 },
    );
  });

  test("an unknown or unusable price that may apply makes all of it unknown", () => {
    const bound = { ...boundOf({ inputTokens: 5, outputTokens: 5 }, "default"), searchUnits: 1 };
    expect(worstCaseLine(undefined, bound)).toBeUndefined();
    expect(worstCaseLine({ input: 1, output: 1 }, bound)).toBeUndefined();
    expect(
      worstCaseLine({ input: 1.5, output: 1 }, { ...bound, webSearches: 0, searchUnits: 0 }),
    ).toBeUndefined();
    expect(
      worstCaseLine({ input: -1, output: 1 }, { ...bound, webSearches: 0, searchUnits: 0 }),
    ).toBeUndefined();
  });
});

describe("chargePrices", () => {
  const endpoint = {
    model: "m-1",
    provider: "p",
    prices: { input: 1_000, output: 3_000, cacheRead: 100 },
  };

  test("are the provider's own where no override names the endpoint", () => {
    expect(chargePrices(endpoint, [])).toBe(endpoint.prices);
    expect(chargePrices(endpoint, [{ models: ["other-*"], markupPercent: 5 }])).toBe(
      endpoint.prices,
    );
    expect(chargePrices(endpoint, [{ providers: ["q"], markupPercent: 5 }])).toBe(endpoint.prices);
  });

  test("the override that names it most exactly counts: own prices in proportion, then the markup", () => {
    const overrides = [
      { markupPercent: 900 },
      { models: ["M-*"], inputUsdPerMillion: "0.002", markupPercent: 50 },
    ];
    expect(chargePrices(endpoint, overrides)).toEqual({
      input: 3_000,
      output: 4_500,
      cacheRead: 300,
    });
  });

  test("own prices of both sides are prices where the provider's are unknown", () => {
    const unknown = { model: "m", provider: "p" };
    expect(chargePrices(unknown, [{ inputUsdPerMillion: 1 }])).toBeUndefined();
    expect(chargePrices(unknown, [{ inputUsdPerMillion: 1, outputUsdPerMillion: 2 }])).toEqual({
      input: 1_000_000,
      output: 2_000_000,
    });
  });

  test("a charge with a markup is never below the cost, nor above it by more than the markup", () => {
    fc.assert(
      fc.property(
        prices,
        spent,
        fc.integer({ min: 0, max: 1_000 }),
        (given, { usage, tier }, markupPercent) => {
          // A tier beyond a long context grows by the ratio of two prices that are rounded each.
          const { tiers: _tiers, ...all } = given;
          const cost = costOfUsage(usage, all, { tier }).nanoUsd ?? 0n;
          const own = chargePrices({ model: "m", provider: "p", prices: all }, [{ markupPercent }]);
          const charge = costOfUsage(usage, own, { tier }).nanoUsd ?? 0n;
          expect(charge).toBeGreaterThanOrEqual(cost);
          // Each price is rounded up by itself.
          const most = (cost * BigInt(100 + markupPercent)) / 100n + 100n;
          expect(charge).toBeLessThanOrEqual(most);
        },
      ),
      { numRuns: 500 },
    );
  });
});
