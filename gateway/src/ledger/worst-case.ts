import type { ServiceTier } from "#canonical/usage.ts";
import type { Prices, TokenPrices } from "#catalog/types.ts";
import type { CostLine } from "#ledger/commands.ts";

/** Upper bounds of what a request can use, apart from its output tokens. */
export interface UsageBound {
  readonly inputTokens: number;
  readonly tier: ServiceTier;
  /** Sound goes in or comes out; pictures do. */
  readonly audio: boolean;
  readonly images: boolean;
  /** Searches that the provider may do for it; 0: it was not asked to. */
  readonly webSearches: number;
  readonly searchUnits: number;
}

/**
 * What a request costs at worst at these prices, as a line over its output tokens: every input token
 * at the dearest price that may apply to any of them (long context, service tier, cache writes), every
 * output token likewise, and all fees. `undefined`: a price that may apply is unknown or unusable.
 */
export function worstCaseLine(prices: Prices | undefined, bound: UsageBound): CostLine | undefined {
  if (prices === undefined) return undefined;
  const fees = feesNanoUsd(prices, bound);
  const rates = ratesThatMayApply(prices, bound);
  const input = dearest(rates, inputRates(bound));
  const output = dearest(rates, outputRates(bound));
  if (fees === undefined || input === undefined || output === undefined) return undefined;
  return {
    basePicoUsd: BigInt(bound.inputTokens) * input + fees * 1_000n,
    outputPicoUsd: output,
    inputTokens: bound.inputTokens,
  };
}

function ratesThatMayApply(prices: Prices, { tier, inputTokens }: UsageBound): TokenPrices[] {
  const tiers = tier === "default" ? undefined : prices.tiers?.[tier];
  const long = (prices.longContext ?? []).filter((step) => inputTokens > step.aboveInputTokens);
  const plain = [prices, ...(tiers === undefined ? [] : [tiers])];
  if (tiers === undefined) return [...plain, ...long.map((step) => step.prices)];
  // Both factors multiply, as `cost-of-usage` has it; the larger of the two bounds it from above.
  return [...plain, ...long.map((step) => grown(tiers, step.prices, prices))];
}

/** A tier's prices beyond a long-context bound: each grows at most as the most grown plain price. */
function grown(tier: TokenPrices, long: TokenPrices, base: TokenPrices): TokenPrices {
  const growth = Math.max(
    1,
    ...NAMES.map((name) => {
      const [to, from] = [long[name], base[name]];
      return to === undefined || from === undefined || from === 0 ? 1 : to / from;
    }),
  );
  const entries = NAMES.flatMap((name) => {
    const price = tier[name];
    return price === undefined
      ? []
      : [[name, Math.max(Math.ceil(price * growth) + 1, long[name] ?? 0)]];
  });
  return { ...long, ...Object.fromEntries(entries) };
}

const NAMES = [
  "input",
  "output",
  "cacheRead",
  "cacheWrite5m",
  "cacheWrite1h",
  "reasoning",
  "inputAudio",
  "cacheReadAudio",
  "outputAudio",
  "inputImage",
  "outputImage",
] as const satisfies readonly (keyof TokenPrices)[];

const inputRates = ({ audio, images }: UsageBound): readonly (keyof TokenPrices)[] => [
  "input",
  "cacheRead",
  "cacheWrite5m",
  "cacheWrite1h",
  ...(audio ? (["inputAudio", "cacheReadAudio"] as const) : []),
  ...(images ? (["inputImage"] as const) : []),
];

const outputRates = ({ audio, images }: UsageBound): readonly (keyof TokenPrices)[] => [
  "output",
  "reasoning",
  ...(audio ? (["outputAudio"] as const) : []),
  ...(images ? (["outputImage"] as const) : []),
];

function dearest(
  rates: readonly TokenPrices[],
  names: readonly (keyof TokenPrices)[],
): bigint | undefined {
  let most = 0;
  for (const rate of rates) {
    for (const name of names) {
      const price = rate[name] ?? 0;
      if (!Number.isSafeInteger(price) || price < 0) return undefined;
      most = Math.max(most, price);
    }
  }
  return BigInt(most);
}

function feesNanoUsd(prices: Prices, bound: UsageBound): bigint | undefined {
  const { perRequestNanoUsd = 0, perWebSearchNanoUsd, perSearchUnitNanoUsd } = prices;
  const fees: readonly (readonly [number, number | undefined])[] = [
    [1, perRequestNanoUsd],
    [bound.webSearches, perWebSearchNanoUsd],
    [bound.searchUnits, perSearchUnitNanoUsd],
  ];
  let sum = 0n;
  for (const [count, fee] of fees) {
    if (count === 0) continue;
    if (fee === undefined || !Number.isSafeInteger(fee) || fee < 0) return undefined;
    sum += BigInt(count) * BigInt(fee);
  }
  return sum;
}
