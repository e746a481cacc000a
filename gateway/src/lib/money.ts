/** Nano-USD as decimal USD, without a float on the way: 12_345_678n → "0.012345678". */
export function formatUsd(nanoUsd: bigint): string {
  const digits = nanoUsd.toString().padStart(10, "0");
  const fraction = digits.slice(-9).replace(/0+$/, "");
  const whole = digits.slice(0, -9);
  return fraction === "" ? whole : `${whole}.${fraction}`;
}

/** USD as text or number, to nano-USD; digits beyond the ninth are cut. The inverse of `formatUsd`. */
export function parseUsd(usd: string | number): bigint {
  const text = typeof usd === "number" ? usd.toFixed(9) : usd;
  const [whole = "0", fraction = ""] = text.split(".");
  return BigInt(whole) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, "0"));
}

/** The same for what may be below 0: balances. */
export const formatSignedUsd = (nanoUsd: bigint): string =>
  nanoUsd < 0n ? `-${formatUsd(-nanoUsd)}` : formatUsd(nanoUsd);
