import type { PriceOverrideDocument } from "@turnpike/contract/governance.ts";

import type { Prices, TokenPrices } from "#catalog/types.ts";
import { overrideOf } from "#ledger/override-rank.ts";
import { parseUsd } from "#lib/money.ts";

/** What is priced. */
export interface PricedEndpoint {
  /** The catalogue's id. */
  readonly model: string;
  readonly provider: string;
  readonly prices?: Prices;
}

/**
 * The prices that a tenant is charged at: the provider's, or what the override that names the endpoint
 * most exactly makes of them. Own prices move all prices of their side in proportion, so that cached
 * input and long contexts keep their relation to the plain price; then comes the markup.
 * Where the provider's prices are unknown, own prices for both sides are prices all the same.
 */
export function chargePrices(
  endpoint: PricedEndpoint,
  overrides: readonly PriceOverrideDocument[],
): Prices | undefined {
  if (overrides.length === 0) return endpoint.prices;
  const override = overrideOf(endpoint, overrides);
  if (override === undefined) return endpoint.prices;
  const { inputUsdPerMillion, outputUsdPerMillion, markupPercent = 0 } = override;
  const own = { input: picoUsd(inputUsdPerMillion), output: picoUsd(outputUsdPerMillion) };
  const base = endpoint.prices ?? ownOnly(own);
  if (base === undefined) return undefined;
  return repriced(base, {
    input: ratio(own.input, base.input),
    output: ratio(own.output, base.output),
    hundredths: 10_000 + Math.round(markupPercent * 100),
  });
}

/** 1 USD a million tokens is 1,000,000 pico-USD a token. */
const picoUsd = (usd: string | number | undefined): number | undefined =>
  usd === undefined ? undefined : Math.ceil(Number(parseUsd(usd)) / 1_000);

const ownOnly = ({
  input,
  output,
}: {
  readonly input: number | undefined;
  readonly output: number | undefined;
}): Prices | undefined =>
  input === undefined || output === undefined ? undefined : { input, output };

/** How one side's prices change: `to` for what was `from`. */
interface Ratio {
  readonly to: number;
  readonly from: number;
}

const ratio = (to: number | undefined, from: number): Ratio =>
  to === undefined ? { to: 1, from: 1 } : { to, from };

interface Change {
  readonly input: Ratio;
  readonly output: Ratio;
  /** Hundredths of a percent of the price that are charged. */
  readonly hundredths: number;
}

const OUTPUT: ReadonlySet<string> = new Set([
  "output",
  "reasoning",
  "outputAudio",
  "outputImage",
] satisfies (keyof TokenPrices)[]);

/** Rounded up once a price: a tenth of a trillionth of a dollar a token. */
function changed(price: number, { to, from }: Ratio, hundredths: number): number {
  // From a price of 0 nothing is in proportion: all of it is the new price.
  const moved = from === 0 ? { to, from: 1, price: 1 } : { to, from, price };
  const dividend = BigInt(moved.price) * BigInt(moved.to) * BigInt(hundredths);
  const divisor = BigInt(moved.from) * 10_000n;
  return Number((dividend + divisor - 1n) / divisor);
}

function tokenPrices(prices: TokenPrices, change: Change): TokenPrices {
  const entries = Object.entries(prices).flatMap(([name, price]) =>
    typeof price === "number" && !name.startsWith("per")
      ? [[name, changed(price, change[OUTPUT.has(name) ? "output" : "input"], change.hundredths)]]
      : [],
  );
  return { input: 0, output: 0, ...Object.fromEntries(entries) };
}

const SAME: Ratio = { to: 1, from: 1 };

function repriced(prices: Prices, change: Change): Prices {
  const { longContext, tiers, perRequestNanoUsd, perWebSearchNanoUsd, perSearchUnitNanoUsd } =
    prices;
  const fees = { perRequestNanoUsd, perWebSearchNanoUsd, perSearchUnitNanoUsd };
  const marked = Object.entries(fees).flatMap(([name, fee]) =>
    fee === undefined ? [] : [[name, changed(fee, SAME, change.hundredths)]],
  );
  return {
    ...tokenPrices(prices, change),
    ...Object.fromEntries(marked),
    ...(longContext !== undefined && {
      longContext: longContext.map((step) => ({
        ...step,
        prices: tokenPrices(step.prices, change),
      })),
    }),
    ...(tiers !== undefined && {
      tiers: Object.fromEntries(
        Object.entries(tiers).map(([name, tier]) => [name, tokenPrices(tier, change)]),
      ),
    }),
  };
}
