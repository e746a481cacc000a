import type { ConfiguredModel, ProviderEntry } from "@turnpike/contract/config.ts";

import type { Catalog, CatalogExtra } from "#catalog/catalog.ts";
import type { CatalogEndpoint, CatalogModel, Prices } from "#catalog/types.ts";
import type { ProviderSettings } from "#providers/configured-providers.ts";

import type { Config } from "./read-config.ts";

/** USD for a million tokens, as people write it, in pico-USD a token. */
const PICO_USD = 1_000_000;

/** A provider entry as `configureProvider` takes it. */
export function settingsOf(entry: ProviderEntry): ProviderSettings {
  const { apiKey, name, baseUrl, variables, compatible } = entry;
  return {
    ...(apiKey !== undefined && { secret: apiKey }),
    ...(name !== undefined && { name }),
    ...(baseUrl !== undefined && { baseUrl }),
    ...(variables !== undefined && { variables }),
    ...(compatible !== undefined && { compatible }),
  };
}

/** The models that the file adds; those that the catalogue knows get another endpoint only. */
export function catalogExtraOf(config: Config, catalog: Pick<Catalog, "resolve">): CatalogExtra {
  const added = config.providers.flatMap(({ id, models }) =>
    (models ?? []).map((model) => ({ provider: id, model })),
  );
  const known = (model: ConfiguredModel): string | undefined =>
    catalog.resolve(model.model ?? model.id)?.model.id;
  return {
    models: added
      .filter(({ model }) => known(model) === undefined)
      .map(({ provider, model }) => toModel(provider, model)),
    endpoints: added.map(({ provider, model }) =>
      toEndpoint(provider, model, known(model) ?? modelId(model)),
    ),
  };
}

const modelId = (model: ConfiguredModel): string => (model.model ?? model.id).toLowerCase();

function toModel(provider: string, model: ConfiguredModel): CatalogModel {
  const { tools, structuredOutput, reasoning } = model;
  return {
    id: modelId(model),
    name: model.model ?? model.id,
    author: provider,
    kind: model.kind ?? "chat",
    aliases: [],
    input: model.input ?? ["text"],
    output: ["text"],
    capabilities: {
      ...(tools !== undefined && { tools }),
      ...(structuredOutput !== undefined && { structuredOutput }),
      ...(reasoning !== undefined && { reasoning }),
    },
  };
}

function toEndpoint(provider: string, model: ConfiguredModel, id: string): CatalogEndpoint {
  const { contextTokens, maxOutputTokens } = model;
  const prices = toPrices(model.prices);
  return {
    model: id,
    provider,
    upstreamModel: model.id,
    ...(contextTokens !== undefined && { contextTokens }),
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    ...(prices !== undefined && { prices }),
    source: { name: "turnpike.yaml", date: "" },
  };
}

function toPrices(prices: ConfiguredModel["prices"]): Prices | undefined {
  if (prices === undefined) return undefined;
  const { input, output, cacheRead, cacheWrite } = prices;
  const pico = (usd: number): number => Math.round(usd * PICO_USD);
  return {
    input: pico(input),
    output: pico(output),
    ...(cacheRead !== undefined && { cacheRead: pico(cacheRead) }),
    ...(cacheWrite !== undefined && { cacheWrite5m: pico(cacheWrite) }),
  };
}
