import type { OperationName } from "#canonical/operation-name.ts";
import type { CatalogEndpoint, CatalogModel } from "#catalog/types.ts";
import type { Needs } from "#routing/candidate.ts";
import { KIND_OF, makeCandidates } from "#routing/find-candidates.ts";
import { forbiddenBy, type GovernanceBounds } from "#routing/governance-bounds.ts";
import type { Market } from "#routing/market.ts";

/** The endpoints of a model that have a key here, and that the bounds leave for some request. */
export function usableEndpoints(
  model: CatalogModel,
  market: Market,
  bounds: GovernanceBounds | undefined,
): readonly CatalogEndpoint[] {
  const configured = market.catalog
    .endpointsOf(model.id)
    .filter(({ provider }) => (market.providers.get(provider)?.length ?? 0) > 0);
  if (bounds === undefined) return configured;
  const needs: Needs = { ...SMALLEST, operation: operationOf(model) };
  return configured.filter((endpoint) =>
    makeCandidates(model, endpoint, { market, asked: needs }).candidates.some(
      (candidate) => forbiddenBy(candidate, bounds, needs) === undefined,
    ),
  );
}

/** A request that costs as little as one can. */
const SMALLEST = {
  protocol: "openai-chat",
  inputTokens: 0,
  modalities: [],
  tools: false,
  maxOutputTokens: 1,
} as const;

function operationOf({ kind }: CatalogModel): OperationName {
  const found = Object.entries(KIND_OF).find(([, of]) => of === kind);
  return (found?.[0] ?? "chat") as OperationName;
}
