const NANO_DECIMALS = 9;

const power = (decimals: number): bigint => 10n ** BigInt(decimals);

/** Nano-USD in a token's smallest unit, rounded up: whoever pays covers the whole price. */
export function toAtomic(nanoUsd: bigint, decimals: number): bigint {
  if (decimals >= NANO_DECIMALS) return nanoUsd * power(decimals - NANO_DECIMALS);
  const unit = power(NANO_DECIMALS - decimals);
  return (nanoUsd + unit - 1n) / unit;
}

/** A token's smallest unit in nano-USD, rounded down: nobody is credited more than was paid. */
export const toNanoUsd = (atomic: bigint, decimals: number): bigint =>
  decimals >= NANO_DECIMALS
    ? atomic / power(decimals - NANO_DECIMALS)
    : atomic * power(NANO_DECIMALS - decimals);
