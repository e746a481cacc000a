import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ServiceTier, Usage } from "#canonical/usage.ts";
import type { Prices } from "#catalog/types.ts";
import { costOfUsage } from "./cost-of-usage.ts";

/** USD a million tokens to pico-USD a token. */
const usd = (perMillion: number): number => Math.round(perMillion * 1e6);

const CLAUDE: Prices = {
  input: usd(3),
  output: usd(15),
  cacheRead: usd(0.3),
  cacheWrite5m: usd(3.75),
  cacheWrite1h: usd(6),
  longContext: [
    {
      aboveInputTokens: 200_000,
      prices: { input: usd(6), output: usd(22.5), cacheRead: usd(0.6), cacheWrite5m: usd(7.5) },
    },
  ],
  perWebSearchNanoUsd: 10_000_000,
};
const GPT: Prices = {
  input: usd(2.5),
  output: usd(15),
  cacheRead: usd(0.25),
  longContext: [
    {
      aboveInputTokens: 272_000,
      prices: { input: usd(5), output: usd(22.5), cacheRead: usd(0.5) },
    },
  ],
  tiers: {
    batch: { input: usd(1.25), output: usd(7.5) },
    priority: { input: usd(5), output: usd(30), cacheRead: usd(0.5) },
    flex: { input: usd(1.25), output: usd(7.5), cacheRead: usd(0.13) },
  },
};
const FLASH: Prices = {
  input: usd(0.3),
  output: usd(2.5),
  cacheRead: usd(0.03),
  inputAudio: usd(1),
  cacheReadAudio: usd(0.1),
};
const AUDIO: Prices = {
  input: usd(2.5),
  output: usd(10),
  inputAudio: usd(40),
  outputAudio: usd(80),
};
const PRO: Prices = {
  input: usd(2),
  output: usd(12),
  longContext: [{ aboveInputTokens: 200_000, prices: { input: usd(4), output: usd(18) } }],
  tiers: { priority: { input: usd(3.6), output: usd(21.6) } },
};
const DOUBAO: Prices = {
  input: usd(0.46),
  output: usd(2.3),
  longContext: [
    { aboveInputTokens: 32_000, prices: { input: usd(0.7), output: usd(3.5) } },
    { aboveInputTokens: 128_000, prices: { input: usd(1.4), output: usd(7) } },
  ],
};
const THINKER: Prices = { input: usd(2), output: usd(8), reasoning: usd(3) };
const IMAGE: Prices = { input: usd(5), output: usd(10), inputImage: usd(10), outputImage: usd(40) };
const SEARCH: Prices = { input: usd(3), output: usd(15), perRequestNanoUsd: 14_000_000 };
const RERANK: Prices = { input: 0, output: 0, perSearchUnitNanoUsd: 2_000_000 };
const FREE: Prices = { input: 0, output: 0 };
const PLAIN: Prices = { input: usd(1), output: usd(4) };

interface Row {
  readonly what: string;
  readonly prices: Prices;
  readonly usage: Partial<Usage>;
  readonly tier?: ServiceTier;
  /** The cost in nano-USD, worked out in `sum`: tokens × USD a million = thousandths of nano × 1,000. */
  readonly nanoUsd: bigint;
  readonly sum: string;
}

const ROWS: readonly Row[] = [
  {
    what: "input and output",
    prices: CLAUDE,
    usage: { inputTokens: 14, outputTokens: 65 },
    nanoUsd: 1_017_000n,
    sum: "14×3,000 + 65×15,000 = 42,000 + 975,000",
  },
  { what: "nothing used", prices: CLAUDE, usage: {}, nanoUsd: 0n, sum: "0" },
  {
    what: "cache read",
    prices: CLAUDE,
    usage: { inputTokens: 1000, cacheReadTokens: 800 },
    nanoUsd: 840_000n,
    sum: "800×300 + 200×3,000 = 240,000 + 600,000",
  },
  {
    what: "5-minute cache write",
    prices: CLAUDE,
    usage: { inputTokens: 1000, cacheWrite5mTokens: 1000 },
    nanoUsd: 3_750_000n,
    sum: "1,000×3,750",
  },
  {
    what: "1-hour cache write",
    prices: CLAUDE,
    usage: { inputTokens: 1000, cacheWrite1hTokens: 1000 },
    nanoUsd: 6_000_000n,
    sum: "1,000×6,000",
  },
  {
    what: "both writes, a read and fresh input",
    prices: CLAUDE,
    usage: {
      inputTokens: 1000,
      cacheReadTokens: 100,
      cacheWrite5mTokens: 200,
      cacheWrite1hTokens: 300,
      outputTokens: 10,
    },
    nanoUsd: 3_930_000n,
    sum: "100×300 + 200×3,750 + 300×6,000 + 400×3,000 + 10×15,000 = 30,000 + 750,000 + 1,800,000 + 1,200,000 + 150,000",
  },
  {
    what: "1-hour write at the 5-minute price when it has none",
    prices: { input: usd(3), output: usd(15), cacheWrite5m: usd(3.75) },
    usage: { inputTokens: 100, cacheWrite1hTokens: 100 },
    nanoUsd: 375_000n,
    sum: "100×3,750",
  },
  {
    what: "cache parts at the input price when they have none",
    prices: PLAIN,
    usage: {
      inputTokens: 300,
      cacheReadTokens: 100,
      cacheWrite5mTokens: 100,
      cacheWrite1hTokens: 100,
    },
    nanoUsd: 300_000n,
    sum: "300×1,000",
  },
  {
    what: "web searches",
    prices: CLAUDE,
    usage: { inputTokens: 10, webSearchRequests: 3 },
    nanoUsd: 30_030_000n,
    sum: "10×3,000 + 3×10,000,000",
  },
  {
    what: "exactly at the long-context bound",
    prices: CLAUDE,
    usage: { inputTokens: 200_000, outputTokens: 1000 },
    nanoUsd: 615_000_000n,
    sum: "200,000×3,000 + 1,000×15,000",
  },
  {
    what: "one token beyond the bound: all tokens cost more",
    prices: CLAUDE,
    usage: { inputTokens: 200_001, outputTokens: 1000 },
    nanoUsd: 1_222_506_000n,
    sum: "200,001×6,000 + 1,000×22,500",
  },
  {
    what: "cache read beyond the bound",
    prices: CLAUDE,
    usage: { inputTokens: 300_000, cacheReadTokens: 250_000 },
    nanoUsd: 450_000_000n,
    sum: "250,000×600 + 50,000×6,000",
  },
  {
    what: "the first of two bounds",
    prices: DOUBAO,
    usage: { inputTokens: 32_001, outputTokens: 1 },
    nanoUsd: 22_404_200n,
    sum: "32,001×700 + 1×3,500",
  },
  {
    what: "the second of two bounds",
    prices: DOUBAO,
    usage: { inputTokens: 128_001, outputTokens: 1 },
    nanoUsd: 179_208_400n,
    sum: "128,001×1,400 + 1×7,000",
  },
  {
    what: "batch",
    prices: GPT,
    usage: { inputTokens: 1000, outputTokens: 100 },
    tier: "batch",
    nanoUsd: 2_000_000n,
    sum: "1,000×1,250 + 100×7,500",
  },
  {
    what: "a tier's missing part at the tier's input price",
    prices: GPT,
    usage: { inputTokens: 1000, cacheReadTokens: 1000 },
    tier: "batch",
    nanoUsd: 1_250_000n,
    sum: "1,000×1,250",
  },
  {
    what: "priority with cache",
    prices: GPT,
    usage: { inputTokens: 1000, cacheReadTokens: 400, outputTokens: 100 },
    tier: "priority",
    nanoUsd: 6_200_000n,
    sum: "400×500 + 600×5,000 + 100×30,000",
  },
  {
    what: "flex with cache",
    prices: GPT,
    usage: { inputTokens: 1000, cacheReadTokens: 1000, outputTokens: 2 },
    tier: "flex",
    nanoUsd: 145_000n,
    sum: "1,000×130 + 2×7,500",
  },
  {
    what: "the default tier",
    prices: GPT,
    usage: { inputTokens: 1000 },
    tier: "default",
    nanoUsd: 2_500_000n,
    sum: "1,000×2,500",
  },
  {
    what: "a tier without prices",
    prices: PLAIN,
    usage: { inputTokens: 1000 },
    tier: "flex",
    nanoUsd: 1_000_000n,
    sum: "1,000×1,000",
  },
  {
    what: "priority beyond the bound: both factors",
    prices: PRO,
    usage: { inputTokens: 200_001, outputTokens: 10 },
    tier: "priority",
    nanoUsd: 1_440_331_200n,
    sum: "200,001×(3,600×4/2) + 10×(21,600×18/12) = 200,001×7,200 + 10×32,400",
  },
  {
    what: "both factors, a broken pico rounded up",
    prices: {
      input: 3,
      output: 3,
      longContext: [{ aboveInputTokens: 10, prices: { input: 4, output: 4 } }],
      tiers: { priority: { input: 4, output: 4 } },
    },
    usage: { inputTokens: 1000 },
    tier: "priority",
    nanoUsd: 6n,
    sum: "4×4/3 = 5.33, so 1,000×6 pico",
  },
  {
    what: "input audio",
    prices: FLASH,
    usage: { inputTokens: 159, inputAudioTokens: 150, outputTokens: 22 },
    nanoUsd: 207_700n,
    sum: "150×1,000 + 9×300 + 22×2,500 = 150,000 + 2,700 + 55,000",
  },
  {
    what: "cached audio",
    prices: FLASH,
    usage: {
      inputTokens: 100,
      inputAudioTokens: 60,
      cacheReadTokens: 50,
      cacheReadAudioTokens: 40,
    },
    nanoUsd: 33_300n,
    sum: "40×100 + 10×30 + 20×1,000 + 30×300 = 4,000 + 300 + 20,000 + 9,000",
  },
  {
    what: "cached audio at the cache price when it has none",
    prices: { ...AUDIO, cacheRead: usd(1.25) },
    usage: { inputTokens: 10, inputAudioTokens: 10, cacheReadTokens: 10, cacheReadAudioTokens: 10 },
    nanoUsd: 12_500n,
    sum: "10×1,250",
  },
  {
    what: "audio in and out",
    prices: AUDIO,
    usage: { inputTokens: 30, inputAudioTokens: 20, outputTokens: 50, outputAudioTokens: 40 },
    nanoUsd: 4_125_000n,
    sum: "20×40,000 + 10×2,500 + 40×80,000 + 10×10,000 = 800,000 + 25,000 + 3,200,000 + 100,000",
  },
  {
    what: "images in and out",
    prices: IMAGE,
    usage: { inputTokens: 30, inputImageTokens: 20, outputTokens: 1100, outputImageTokens: 1000 },
    nanoUsd: 41_250_000n,
    sum: "20×10,000 + 10×5,000 + 1,000×40,000 + 100×10,000 = 200,000 + 50,000 + 40,000,000 + 1,000,000",
  },
  {
    what: "reasoning with its own price",
    prices: THINKER,
    usage: { inputTokens: 10, outputTokens: 100, reasoningTokens: 70 },
    nanoUsd: 470_000n,
    sum: "10×2,000 + 70×3,000 + 30×8,000 = 20,000 + 210,000 + 240,000",
  },
  {
    what: "reasoning without its own price",
    prices: PLAIN,
    usage: { outputTokens: 100, reasoningTokens: 70 },
    nanoUsd: 400_000n,
    sum: "100×4,000",
  },
  {
    what: "more cached than prompt tokens (Azure Grok)",
    prices: CLAUDE,
    usage: { inputTokens: 100, cacheReadTokens: 163 },
    nanoUsd: 30_000n,
    sum: "100×300",
  },
  {
    what: "more reasoning than completion tokens",
    prices: THINKER,
    usage: { outputTokens: 50, reasoningTokens: 80 },
    nanoUsd: 150_000n,
    sum: "50×3,000",
  },
  {
    what: "a fee for the request",
    prices: SEARCH,
    usage: { inputTokens: 10, outputTokens: 10 },
    nanoUsd: 14_180_000n,
    sum: "14,000,000 + 10×3,000 + 10×15,000",
  },
  {
    what: "rerank by search units",
    prices: RERANK,
    usage: { searchUnits: 3 },
    nanoUsd: 6_000_000n,
    sum: "3×2,000,000",
  },
  {
    what: "free",
    prices: FREE,
    usage: { inputTokens: 5, outputTokens: 5 },
    nanoUsd: 0n,
    sum: "10×0",
  },
  {
    what: "half a nano is rounded up",
    prices: { input: 500, output: 0 },
    usage: { inputTokens: 1 },
    nanoUsd: 1n,
    sum: "1×0.5",
  },
  {
    what: "less than half is rounded down",
    prices: { input: 499, output: 0 },
    usage: { inputTokens: 1 },
    nanoUsd: 0n,
    sum: "1×0.499",
  },
  {
    what: "parts are rounded once, together",
    prices: { input: 400, output: 400 },
    usage: { inputTokens: 1, outputTokens: 1 },
    nanoUsd: 1n,
    sum: "0.4 + 0.4 = 0.8",
  },
  {
    what: "more than a double can count",
    prices: PLAIN,
    usage: { inputTokens: Number.MAX_SAFE_INTEGER },
    nanoUsd: 9_007_199_254_740_991_000n,
    sum: "(2^53 − 1)×1,000",
  },
];

const usageOf = (part: Partial<Usage>): Usage => ({ inputTokens: 0, outputTokens: 0, ...part });

describe("costOfUsage", () => {
  test.each(ROWS)("$what: $sum", ({ prices, usage, tier, nanoUsd }) => {
    expect(costOfUsage(usageOf(usage), prices, tier === undefined ? {} : { tier })).toEqual({
      nanoUsd,
    });
  });

  test.each<[string, Partial<Usage>, Prices | undefined, string]>([
    ["no price", {}, undefined, "the endpoint has no known price"],
    [
      "NaN",
      { inputTokens: Number.NaN },
      PLAIN,
      "usage.inputTokens is not a whole number of at least 0",
    ],
    ["a negative count", { cacheReadTokens: -1 }, PLAIN, "usage.cacheReadTokens is not"],
    ["half a token", { outputTokens: 0.5 }, PLAIN, "usage.outputTokens is not"],
    ["a count beyond 2^53", { reasoningTokens: 2 ** 53 }, PLAIN, "usage.reasoningTokens is not"],
    ["infinity", { searchUnits: Number.POSITIVE_INFINITY }, RERANK, "usage.searchUnits is not"],
    ["a negative price", { inputTokens: 1 }, { input: -1, output: 0 }, "a price is not"],
    [
      "a price that is NaN",
      { inputTokens: 1 },
      { ...PLAIN, cacheRead: Number.NaN },
      "a price is not",
    ],
    [
      "a broken tier",
      {},
      { ...PLAIN, tiers: { batch: { input: 0.5, output: 1 } } },
      "a price is not",
    ],
    ["a broken fee", {}, { ...PLAIN, perRequestNanoUsd: -1 }, "the price of a request is not"],
    [
      "web searches without a price",
      { webSearchRequests: 1 },
      PLAIN,
      "the price of a web search is unknown",
    ],
    [
      "search units without a price",
      { searchUnits: 1 },
      PLAIN,
      "the price of a search unit is unknown",
    ],
  ])("%s is no cost, with the reason", (...[, usage, prices, reason]) => {
    const cost = costOfUsage(usageOf(usage), prices, { tier: "batch" });
    expect(cost).toMatchObject({ nanoUsd: null, reason: expect.stringContaining(reason) });
  });
});

const count = fc.nat({ max: 2_000_000 });
const price = fc.nat({ max: 1_000_000_000 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const tokenPrices = fc.record(
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

const usages = fc.record(
  {
    inputTokens: count,
    outputTokens: count,
    cacheReadTokens: count,
    cacheWrite5mTokens: count,
    cacheWrite1hTokens: count,
    inputAudioTokens: count,
    cacheReadAudioTokens: count,
    inputImageTokens: count,
    reasoningTokens: count,
    outputAudioTokens: count,
    outputImageTokens: count,
  },
  { requiredKeys: ["inputTokens", "outputTokens"] },
);

/** Parts that fit their totals, as parsers give them. */
const fittingUsages = fc
  .tuple(count, count, count, count, count)
  .map(([read, write, fresh, reasoning, text]) => ({
    inputTokens: read + write + fresh,
    outputTokens: reasoning + text,
    cacheReadTokens: read,
    cacheWrite5mTokens: write,
    reasoningTokens: reasoning,
  }));

function nano(usage: Usage, prices: Prices): bigint {
  const cost = costOfUsage(usage, prices);
  if (cost.nanoUsd === null) throw new Error(cost.reason);
  return cost.nanoUsd;
}

const dearest = (prices: Prices): bigint =>
  BigInt(Math.max(...Object.values(prices).filter((value) => typeof value === "number")));

describe("costOfUsage, for all usage and prices", () => {
  test("lies between 0 and every token at the dearest price", () => {
    fc.assert(
      fc.property(usages, tokenPrices, (usage, prices) => {
        const tokens = BigInt(usage.inputTokens + usage.outputTokens);
        const cost = nano(usage, prices);
        expect(cost >= 0n && cost <= (tokens * dearest(prices)) / 1000n + 1n).toBe(true);
      }),
    );
  });

  test("never falls when tokens are added", () => {
    fc.assert(
      fc.property(usages, tokenPrices, count, (usage, prices, more) => {
        const cost = nano(usage, prices);
        expect(nano({ ...usage, inputTokens: usage.inputTokens + more }, prices) >= cost).toBe(
          true,
        );
        expect(nano({ ...usage, outputTokens: usage.outputTokens + more }, prices) >= cost).toBe(
          true,
        );
      }),
    );
  });

  test("of two answers together is the sum of both, to the rounding", () => {
    fc.assert(
      fc.property(fittingUsages, fittingUsages, tokenPrices, (a, b, prices) => {
        const both = Object.fromEntries(
          Object.entries(a).map(([name, tokens]) => [name, tokens + b[name as keyof typeof b]]),
        );
        const difference = nano(usageOf(both), prices) - nano(a, prices) - nano(b, prices);
        expect(difference >= -1n && difference <= 1n).toBe(true);
      }),
    );
  });

  test("is a whole number or null with a reason, whatever the numbers", () => {
    const anything = maybe(fc.oneof(fc.double(), fc.integer(), fc.constant(2 ** 60)));
    const hostile = fc.record({
      inputTokens: anything,
      outputTokens: anything,
      cacheReadTokens: anything,
    });
    fc.assert(
      fc.property(hostile, tokenPrices, (numbers, prices) => {
        const cost = costOfUsage(numbers as unknown as Usage, prices);
        expect(cost.nanoUsd === null ? cost.reason.length > 0 : cost.nanoUsd >= 0n).toBe(true);
      }),
    );
  });
});
