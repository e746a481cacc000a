import type { ServiceTier, Usage } from "#canonical/usage.ts";
import type { Prices, TokenPrices } from "#catalog/types.ts";

/** What one answer cost; `null` with a reason when it cannot be known, never a made-up 0. */
export type UsageCost =
  | { readonly nanoUsd: bigint }
  | { readonly nanoUsd: null; readonly reason: string };

const TOTALS = ["inputTokens", "outputTokens"] as const satisfies readonly (keyof Usage)[];

/** Counts that may be absent, which means none. */
const PARTS = [
  "cacheReadTokens",
  "cacheWrite5mTokens",
  "cacheWrite1hTokens",
  "inputAudioTokens",
  "cacheReadAudioTokens",
  "inputImageTokens",
  "reasoningTokens",
  "outputAudioTokens",
  "outputImageTokens",
  "webSearchRequests",
  "searchUnits",
] as const satisfies readonly (keyof Usage)[];

const RATES = [
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

const PICO_PER_NANO = 1000n;

/**
 * Prices one answer, in integers, rounded half up to a nano-USD once at the end.
 *
 * A part of a total costs its own price when there is one, else what the total costs:
 * cache reads and writes fall back to `input` (a 1-hour write first to the 5-minute price: the ratio
 * between the two is a vendor's, so it is not guessed), cached audio to `cacheRead`, reasoning, audio
 * and images to `output` or `input`. Parts above their total are cut to it: Azure's Grok reports more
 * cached than prompt tokens, and some gateways more reasoning than completion tokens.
 * A web search or search unit without a known price makes the whole cost unknown.
 */
export function costOfUsage(
  usage: Usage,
  prices: Prices | undefined,
  options: { readonly tier?: ServiceTier } = {},
): UsageCost {
  if (prices === undefined) return unknown("the endpoint has no known price");
  const wrong =
    TOTALS.find((name) => !isCount(usage[name])) ??
    PARTS.find((name) => !isCount(usage[name] ?? 0));
  if (wrong !== undefined) return unknown(`usage.${wrong} is not a whole number of at least 0`);
  const rates = ratesFor(usage.inputTokens, prices, options.tier ?? "default");
  if (rates === undefined) return unknown("a price is not a whole number of at least 0");
  const units = unitsPicoUsd(usage, prices);
  if (typeof units === "string") return unknown(units);
  const picoUsd =
    totalPicoUsd(usage, rates, "input") + totalPicoUsd(usage, rates, "output") + units;
  return { nanoUsd: (picoUsd + PICO_PER_NANO / 2n) / PICO_PER_NANO };
}

const unknown = (reason: string): UsageCost => ({ nanoUsd: null, reason });

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** Token prices that apply to the whole request; `undefined` when one of them is unusable. */
function ratesFor(inputTokens: number, prices: Prices, tier: ServiceTier): TokenPrices | undefined {
  const service = tier === "default" ? undefined : prices.tiers?.[tier];
  const long = prices.longContext?.findLast((step) => inputTokens > step.aboveInputTokens)?.prices;
  const all = [prices, service, long].filter((rates) => rates !== undefined);
  if (!all.every((rates) => RATES.every((name) => isCount(rates[name] ?? 0)))) return undefined;
  if (service === undefined) return long ?? prices;
  return long === undefined ? service : scaled(service, long, prices);
}

/**
 * The price of a service tier beyond a long-context bound. Vendors multiply both factors (Gemini 3
 * Pro: 2 → 4 beyond 200k, 3.60 → 7.20 with priority), so the tier's price grows as the plain one does.
 */
function scaled(service: TokenPrices, long: TokenPrices, base: TokenPrices): TokenPrices {
  const grown = RATES.flatMap((name) => {
    const price = service[name];
    return price === undefined
      ? []
      : [[name, grownPrice(price, growthOf(name, long, base))] as const];
  });
  return { input: long.input, output: long.output, ...Object.fromEntries(grown) };
}

/** How a price grows beyond the bound: by its own two prices, else by those of its total. */
function growthOf(name: keyof TokenPrices, long: TokenPrices, base: TokenPrices) {
  const [to, from] = [long[name], base[name]];
  if (to !== undefined && from !== undefined) return { to, from };
  const total = OUTPUT_RATES.has(name) ? "output" : "input";
  return { to: long[total], from: base[total] };
}

const OUTPUT_RATES: ReadonlySet<keyof TokenPrices> = new Set([
  "output",
  "reasoning",
  "outputAudio",
  "outputImage",
]);

const grownPrice = (
  price: number,
  { to, from }: { readonly to: number; readonly from: number },
): number =>
  from === 0 ? Math.max(price, to) : Number(ceilingOf(BigInt(price) * BigInt(to), BigInt(from)));

const ceilingOf = (dividend: bigint, divisor: bigint): bigint =>
  (dividend + divisor - 1n) / divisor;

/** A part of a total that may have its own price. */
interface Part {
  readonly tokens: (usage: Usage) => number | undefined;
  readonly picoUsd: (rates: TokenPrices) => number | undefined;
}

const cachedAudio = (usage: Usage): number =>
  Math.min(
    usage.cacheReadAudioTokens ?? 0,
    usage.cacheReadTokens ?? 0,
    usage.inputAudioTokens ?? 0,
  );

const INPUT_PARTS: readonly Part[] = [
  { tokens: cachedAudio, picoUsd: (rates) => rates.cacheReadAudio ?? rates.cacheRead },
  {
    tokens: (usage) => (usage.cacheReadTokens ?? 0) - cachedAudio(usage),
    picoUsd: (rates) => rates.cacheRead,
  },
  {
    tokens: (usage) => usage.cacheWrite1hTokens,
    picoUsd: (rates) => rates.cacheWrite1h ?? rates.cacheWrite5m,
  },
  { tokens: (usage) => usage.cacheWrite5mTokens, picoUsd: (rates) => rates.cacheWrite5m },
  {
    tokens: (usage) => (usage.inputAudioTokens ?? 0) - cachedAudio(usage),
    picoUsd: (rates) => rates.inputAudio,
  },
  { tokens: (usage) => usage.inputImageTokens, picoUsd: (rates) => rates.inputImage },
];

const OUTPUT_PARTS: readonly Part[] = [
  { tokens: (usage) => usage.outputAudioTokens, picoUsd: (rates) => rates.outputAudio },
  { tokens: (usage) => usage.outputImageTokens, picoUsd: (rates) => rates.outputImage },
  { tokens: (usage) => usage.reasoningTokens, picoUsd: (rates) => rates.reasoning },
];

/** Prices the parts of a total in order, never more tokens than are left, and the rest by itself. */
function totalPicoUsd(usage: Usage, rates: TokenPrices, side: "input" | "output"): bigint {
  let left = side === "input" ? usage.inputTokens : usage.outputTokens;
  let picoUsd = 0n;
  for (const part of side === "input" ? INPUT_PARTS : OUTPUT_PARTS) {
    const tokens = Math.min(part.tokens(usage) ?? 0, left);
    left -= tokens;
    picoUsd += BigInt(tokens) * BigInt(part.picoUsd(rates) ?? rates[side]);
  }
  return picoUsd + BigInt(left) * BigInt(rates[side]);
}

/** What is billed by the piece, or the reason why that is unknown. */
function unitsPicoUsd(usage: Usage, prices: Prices): bigint | string {
  const units = [
    { name: "a request", count: 1, price: prices.perRequestNanoUsd ?? 0 },
    {
      name: "a web search",
      count: usage.webSearchRequests ?? 0,
      price: prices.perWebSearchNanoUsd,
    },
    { name: "a search unit", count: usage.searchUnits ?? 0, price: prices.perSearchUnitNanoUsd },
  ];
  let picoUsd = 0n;
  for (const { name, count, price } of units.filter((unit) => unit.count > 0)) {
    if (price === undefined) return `the price of ${name} is unknown`;
    if (!isCount(price)) return `the price of ${name} is not a whole number of at least 0`;
    picoUsd += BigInt(count) * BigInt(price) * PICO_PER_NANO;
  }
  return picoUsd;
}
