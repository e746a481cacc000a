import { builtInCatalog } from "../../gateway/src/catalog/load-catalog.ts";
import type {
  CatalogData,
  CatalogEndpoint,
  CatalogModel,
  ModelKind,
} from "../../gateway/src/catalog/types.ts";
import type { ConfiguredProvider } from "../../gateway/src/providers/configured-providers.ts";
import type { Speech } from "../../gateway/src/providers/provider.ts";

/** The model that is recorded, and what is known of it; unknown facts are taken to be so. */
export interface RecordedModel {
  readonly upstreamModel: string;
  readonly speeches: readonly Speech[];
  readonly contextTokens?: number;
  readonly maxOutputTokens?: number;
  readonly tools: boolean;
  readonly images: boolean;
  readonly reasoning: boolean;
}

/** The model that was asked for, else the provider's cheapest that calls tools. */
export function chatModel(
  { id, provider }: ConfiguredProvider,
  asked: string | undefined,
): RecordedModel {
  const catalog = builtInCatalog();
  const upstreamModel = asked ?? cheapest(catalog, id, "chat");
  if (upstreamModel === undefined) {
    throw new Error(`The catalogue has no chat model of ${id}. Name one: --model <id>`);
  }
  const endpoint = catalog.endpoints.find(
    (one) => one.provider === id && one.upstreamModel === upstreamModel,
  );
  const model = catalog.models.find((one) => one.id === endpoint?.model);
  return {
    upstreamModel,
    speeches: provider.speaks.filter(({ models }) => models?.test(upstreamModel) !== false),
    ...limitsOf(endpoint),
    tools: model?.capabilities.tools !== false,
    images: model?.input.includes("image") !== false,
    reasoning: model?.capabilities.reasoning !== false,
  };
}

/** The provider's name of its cheapest model of a kind that can still be used. */
export const cheapestModel = (provider: string, kind: ModelKind): string | undefined =>
  cheapest(builtInCatalog(), provider, kind);

function cheapest(catalog: CatalogData, provider: string, kind: ModelKind): string | undefined {
  const models = new Map(catalog.models.map((model) => [model.id, model]));
  const usable = ({ kind: has, deprecated, capabilities }: CatalogModel): boolean =>
    has === kind && deprecated === undefined && (kind !== "chat" || capabilities.tools === true);
  return catalog.endpoints
    .filter((endpoint) => endpoint.provider === provider && endpoint.deprecated === undefined)
    .filter(({ model }) => {
      const found = models.get(model);
      return found !== undefined && usable(found);
    })
    .toSorted((a, b) => price(a) - price(b))[0]?.upstreamModel;
}

/** Free endpoints come last: they are limited to a few requests a minute. */
const price = ({ prices }: CatalogEndpoint): number => {
  const sum = prices === undefined ? 0 : prices.input + prices.output;
  return sum === 0 ? Number.MAX_VALUE : sum;
};

const limitsOf = (
  endpoint: CatalogEndpoint | undefined,
): Pick<RecordedModel, "contextTokens" | "maxOutputTokens"> => ({
  ...(endpoint?.contextTokens !== undefined && { contextTokens: endpoint.contextTokens }),
  ...(endpoint?.maxOutputTokens !== undefined && { maxOutputTokens: endpoint.maxOutputTokens }),
});
