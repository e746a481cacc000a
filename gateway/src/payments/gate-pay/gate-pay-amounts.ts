/** What the currencies of orders are counted in: a millionth. */
const UNIT_NANO_USD = 1_000n;
const NANO_DIGITS = 9;

/**
 * An amount as Gate Pay writes it, as nano-USD; `undefined`: it is none, or finer than a nano-dollar.
 * Numbers are taken by their digits, never calculated with.
 */
export function readAmount(value: unknown): bigint | undefined {
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text !== "string") return undefined;
  const { whole, fraction = "" } =
    /^(?<whole>\d{1,12})(?:\.(?<fraction>\d{1,18}))?$/.exec(text)?.groups ?? {};
  if (whole === undefined || !/^0*$/.test(fraction.slice(NANO_DIGITS))) return undefined;
  return BigInt(whole + fraction.slice(0, NANO_DIGITS).padEnd(NANO_DIGITS, "0"));
}

/** Whether an order or refund can be of this amount. */
export const isPayable = (nanoUsd: bigint): boolean =>
  nanoUsd > 0n && nanoUsd % UNIT_NANO_USD === 0n;

/** The greatest payable amount that is not above this one. */
export const payablePart = (nanoUsd: bigint): bigint => nanoUsd - (nanoUsd % UNIT_NANO_USD);
