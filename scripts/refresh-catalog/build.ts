import type { CatalogData } from "../../gateway/src/catalog/types.ts";
import { parseCatalog } from "../../gateway/src/catalog/parse-catalog.ts";
import { readGenaiPrices } from "./genai-prices.ts";
import { readLiteLlm } from "./lite-llm.ts";
import { isServed } from "./identity.ts";
import { type Disagreement, type MergedEndpoint, mergeRows } from "./merge.ts";
import { readModelsDev } from "./models-dev.ts";
import { buildModels } from "./models.ts";
import { readOpenRouter } from "./open-router.ts";
import { readSource } from "./sources.ts";

/** A checked catalogue, and what its sources did not agree on. */
export interface BuiltCatalog {
  readonly data: CatalogData;
  readonly disagreements: readonly Disagreement[];
}

/** Reads the sources of a folder and merges them. The same files always give the same catalogue. */
export function buildFromSources(folder: string): BuiltCatalog {
  const genaiFile = readSource(folder, "genaiPrices");
  const openRouterFile = readSource(folder, "openRouter");
  const liteLlmFile = readSource(folder, "liteLlm");
  const modelsDevFile = readSource(folder, "modelsDev");
  const genai = readGenaiPrices(genaiFile.data, genaiFile.info);
  const rows = [
    ...genai.rows,
    ...readOpenRouter(openRouterFile.data, openRouterFile.info),
    ...readLiteLlm(liteLlmFile.data, liteLlmFile.info),
    ...readModelsDev(modelsDevFile.data, modelsDevFile.info),
  ];
  const merged = mergeRows(rows.filter(isServed), genai).filter(isOffered).map(withSearchPrice);
  const sources = [genaiFile, openRouterFile, liteLlmFile, modelsDevFile].map(({ info }) => info);
  const asOf = sources
    .map(({ date }) => date)
    .toSorted()
    .at(-1);
  const data = parseCatalog({ schema: 1, asOf, sources, ...buildModels(merged) });
  return { data, disagreements: merged.flatMap(({ disagreement }) => disagreement ?? []) };
}

/**
 * LiteLLM lists all that Fireworks has ever had, priced by size; most of it runs only on hardware that
 * one rents. What a second source lists too can be called.
 */
const isOffered = ({ endpoint, rows }: MergedEndpoint): boolean =>
  endpoint.provider !== "fireworks" ||
  endpoint.source.name !== "litellm" ||
  endpoint.source.confirmedBy !== undefined ||
  rows.some((row) => row.source !== "litellm" || row.kind !== "chat");

/** Anthropic bills a web search alike for every model; the sources say so for some of them only. */
const ANTHROPIC_SEARCH_NANO_USD = 10_000_000;

function withSearchPrice(merged: MergedEndpoint): MergedEndpoint {
  const { endpoint } = merged;
  const { prices } = endpoint;
  if (endpoint.provider !== "anthropic" || prices === undefined) return merged;
  if (prices.perWebSearchNanoUsd !== undefined) return merged;
  const priced = { ...prices, perWebSearchNanoUsd: ANTHROPIC_SEARCH_NANO_USD };
  return { ...merged, endpoint: { ...endpoint, prices: priced } };
}
