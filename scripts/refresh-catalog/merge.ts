import type { CatalogEndpoint, Prices, TokenPrices } from "../../gateway/src/catalog/types.ts";
import { isFree, present } from "./amounts.ts";
import type { GenaiPrices } from "./genai-prices.ts";
import type { SourceRow } from "./row.ts";

/** Two sources that give one endpoint different base prices. */
export interface Disagreement {
  readonly endpoint: string;
  readonly chosen: string;
  readonly others: readonly string[];
}

/** All that is known of one endpoint, newest source first. */
export interface MergedEndpoint {
  readonly endpoint: Omit<CatalogEndpoint, "model">;
  readonly rows: readonly SourceRow[];
  readonly disagreement?: Disagreement;
}

type Priced = SourceRow & { readonly prices: Prices };

/** Joins the rows of all sources by provider and upstream id. */
export function mergeRows(
  rows: readonly SourceRow[],
  genai: GenaiPrices,
): readonly MergedEndpoint[] {
  const groups = Map.groupBy(rows, (row) => `${row.provider}\n${row.upstreamModel}`);
  return [...groups.values()].map((group) => mergeOne(newestFirst(group), genai));
}

const newestFirst = (rows: readonly SourceRow[]): readonly SourceRow[] =>
  rows.toSorted((a, b) => dayOf(b).localeCompare(dayOf(a)) || a.source.localeCompare(b.source));

const dayOf = (row: SourceRow): string => row.priceFrom ?? row.date;

function mergeOne(own: readonly SourceRow[], genai: GenaiPrices): MergedEndpoint {
  const [first] = own;
  if (first === undefined) throw new Error("a group of rows is never empty");
  const { provider, upstreamModel } = first;
  const priced = own.filter((row): row is Priced => row.prices !== undefined);
  // A rule of genai-prices speaks for whole families (`starts_with`), so a row of the very id goes first.
  const found = own.some((row) => row.source === "genai-prices")
    ? undefined
    : genai.rowFor(provider, upstreamModel);
  const spoken =
    found?.row.prices === undefined ? [] : [{ ...found.row, prices: found.row.prices }];
  const witness = found?.isExact === true ? [] : spoken;
  const exact = found?.isExact === true ? [...spoken, ...priced] : priced;
  const chosen = chooseFrom(exact, witness);
  const all = [...exact, ...witness];
  const agreeing =
    chosen === undefined ? [] : all.filter((row) => sameBase(row.prices, chosen.prices));
  const others = all.filter((row) => !agreeing.includes(row));
  const confirmedBy = agreeing.find((row) => row.source !== chosen?.source)?.source;
  const limits = ["openrouter", "models.dev", "litellm"].flatMap((name) =>
    own.filter((row) => row.source === name),
  );
  const deprecated = own.find((row) => row.deprecated !== undefined)?.deprecated;
  const origin = chosen ?? first;
  const endpoint: MergedEndpoint["endpoint"] = {
    provider,
    upstreamModel,
    ...present({
      contextTokens: limits.find((row) => row.contextTokens !== undefined)?.contextTokens,
      maxOutputTokens: limits.find((row) => row.maxOutputTokens !== undefined)?.maxOutputTokens,
      prices: chosen && completed(chosen.prices, agreeing),
    }),
    source: { name: origin.source, date: origin.date, ...present({ confirmedBy }) },
    ...present({ deprecated }),
  };
  if (chosen === undefined || others.length === 0) return { endpoint, rows: own };
  const told = (row: Priced): string =>
    `${row.source} ${row.prices.input / 1e6}/${row.prices.output / 1e6}`;
  const disagreement = {
    endpoint: `${provider}/${upstreamModel}`,
    chosen: told(chosen),
    others: others.map(told),
  };
  return { endpoint, rows: own, disagreement };
}

/**
 * The newest row, unless the others (two or more) agree with each other against it: a source's date
 * says when it was read, not when each of its prices was looked up. A price that starts after the
 * others were read is not outvoted; "free" is believed only when nobody knows a price.
 */
function chooseFrom(priced: readonly Priced[], witness: readonly Priced[]): Priced | undefined {
  const paid = priced.filter((row) => !isPriceless(row.prices));
  const able = paid.length > 0 ? paid : witness.filter((row) => !isPriceless(row.prices));
  const announced = witness.find((row) => row.priceFrom !== undefined);
  if (announced !== undefined) return announced;
  const [newest, ...older] = able.length > 0 ? able : priced;
  if (newest === undefined || newest.priceFrom !== undefined) return newest;
  const voters = [...older, ...witness.filter((row) => !able.includes(row))];
  const rival = older.find((row) => !sameBase(row.prices, newest.prices));
  if (rival === undefined || voters.some((row) => sameBase(row.prices, newest.prices)))
    return newest;
  return voters.filter((row) => sameBase(row.prices, rival.prices)).length >= 2 ? rival : newest;
}

const isPriceless = (prices: Prices): boolean =>
  isFree(prices) && prices.perSearchUnitNanoUsd === undefined;

const sameBase = (a: TokenPrices, b: TokenPrices): boolean =>
  a.input === b.input && a.output === b.output;

/** The chosen prices, with the parts that only sources of the same base prices know. */
function completed(chosen: Prices, agreeing: readonly Priced[]): Prices {
  if (isPriceless(chosen)) return { input: 0, output: 0 };
  const { longContext, ...rest } = Object.assign(
    {},
    ...agreeing.toReversed().map((row) => row.prices),
    chosen,
  ) as Prices;
  // Vendors drop long-context prices, and old sources keep them: the more sources decide.
  const withSteps = agreeing.filter((row) => row.prices.longContext !== undefined).length;
  const kept = chosen.longContext !== undefined || withSteps * 2 >= agreeing.length;
  return {
    ...rest,
    ...present({ longContext: kept ? filledSteps(longContext, agreeing) : undefined }),
  };
}

/** Steps with the parts (1-hour cache writes, audio) that only another source's same step knows. */
const filledSteps = (
  steps: Prices["longContext"],
  agreeing: readonly Priced[],
): Prices["longContext"] =>
  steps?.map(({ aboveInputTokens, prices }) => {
    const same = agreeing
      .flatMap((row) => row.prices.longContext ?? [])
      .filter(
        (step) => step.aboveInputTokens === aboveInputTokens && sameBase(step.prices, prices),
      );
    const known: TokenPrices = Object.assign(
      {},
      ...same.toReversed().map((step) => step.prices),
      prices,
    );
    return { aboveInputTokens, prices: known };
  });
