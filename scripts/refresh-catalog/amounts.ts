import type { Prices, TokenPrices } from "../../gateway/src/catalog/types.ts";

/** $10,000 a million tokens; above it a source has mixed up its units. */
const HIGHEST_PICO_USD = 10_000_000_000;

/** USD a token (a number or decimal text) to whole pico-USD; `undefined` when unusable. */
export const picoFromUsdPerToken = (value: unknown): number | undefined =>
  whole(value, 1e12, HIGHEST_PICO_USD);

/** USD a million tokens to whole pico-USD a token. */
export const picoFromUsdPerMillion = (value: unknown): number | undefined =>
  whole(value, 1e6, HIGHEST_PICO_USD);

/** USD a piece to whole nano-USD. */
export const nanoFromUsd = (value: unknown): number | undefined => whole(value, 1e9, 1e12);

/**
 * The nearest integer: sources write 0.0000006000000000000001 for 0.0000006, and a double keeps 15
 * digits where prices have at most 6.
 */
function whole(value: unknown, factor: number, highest: number): number | undefined {
  const amount = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof amount !== "number" || !Number.isFinite(amount) || amount < 0) return undefined;
  const result = Math.round(amount * factor);
  return result > highest || (result === 0 && amount > 0) ? undefined : result;
}

type Maybe<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** A copy without absent members. */
export function present<T extends object>(object: Maybe<T>): Partial<T> {
  return Object.fromEntries(
    Object.entries(object).filter(([, value]) => value !== undefined),
  ) as Partial<T>;
}

/** Token prices when both base prices are known; parts that cost as much as their total are left out. */
export function tokenPrices(found: Maybe<TokenPrices>): TokenPrices | undefined {
  const { input, output } = found;
  if (input === undefined || output === undefined) return undefined;
  const parts = present<TokenPrices>({
    ...found,
    reasoning: found.reasoning === output ? undefined : found.reasoning,
    inputAudio: found.inputAudio === input ? undefined : found.inputAudio,
    inputImage: found.inputImage === input ? undefined : found.inputImage,
    outputImage: found.outputImage === output ? undefined : found.outputImage,
  });
  // A part priced 0 beside a priced total is a blank that the source filled with 0.
  const kept = Object.entries(parts).filter(
    ([name, price]) => price > 0 || name === "input" || name === "output",
  );
  return { ...Object.fromEntries(kept), input, output };
}

/** True when both prices are 0: free, if the source means it. */
export const isFree = (prices: TokenPrices): boolean => prices.input === 0 && prices.output === 0;

/** Long-context steps whose every price is complete, ascending and different from the step before. */
export function longContext(
  base: TokenPrices,
  steps: readonly {
    readonly aboveInputTokens: number | undefined;
    readonly prices: Maybe<TokenPrices>;
  }[],
): Prices["longContext"] {
  const complete = steps.flatMap(({ aboveInputTokens, prices }) => {
    const full = tokenPrices({ ...base, ...present<TokenPrices>(prices) });
    const usable =
      full !== undefined && Number.isSafeInteger(aboveInputTokens) && Number(aboveInputTokens) > 0;
    return usable ? [{ aboveInputTokens: Number(aboveInputTokens), prices: full }] : [];
  });
  const changed = complete
    .sort((a, b) => a.aboveInputTokens - b.aboveInputTokens)
    .filter(({ prices }) => JSON.stringify(prices) !== JSON.stringify(tokenPrices(base)));
  return changed.length === 0 ? undefined : changed;
}
