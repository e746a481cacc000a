const NANO_USD = 1_000_000_000n;

/** Nano-USD as dollars with six decimals, rounded up: a cost that is not zero never looks like it. */
export function formatUsd(nanoUsd: bigint | number): string {
  const nano = BigInt(nanoUsd);
  const micro = (nano + 999n) / 1000n;
  const fraction = (micro % (NANO_USD / 1000n)).toString().padStart(6, "0");
  return `$${micro / (NANO_USD / 1000n)}.${fraction}`;
}

/** Pico-USD a token as USD for a million tokens: `0.15`, `3`, `12.5`. */
export function formatPerMillion(picoUsd: number): string {
  const whole = Math.trunc(picoUsd / 1_000_000);
  const fraction = String(picoUsd % 1_000_000)
    .padStart(6, "0")
    .replace(/0+$/, "");
  return fraction === "" ? String(whole) : `${whole}.${fraction}`;
}
