/** More tokens than any answer can have: beyond this a number is a provider's fault. */
const MAX_TOKENS = 1_000_000_000;

/** A wire value as a token count; `undefined` when it is not one (negative, NaN, absurd, text). */
export const tokenCount = (value: unknown): number | undefined =>
  typeof value === "number" && value >= 0 && value <= MAX_TOKENS ? Math.round(value) : undefined;

/** A count that is part of a total: never more than the total, and absent when zero or unknown. */
export function partOf(total: number, value: unknown): number | undefined {
  const count = tokenCount(value);
  return count === undefined || count === 0 ? undefined : Math.min(count, total);
}
