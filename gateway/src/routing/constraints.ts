import type { Prices } from "#catalog/types.ts";
import { expectedCostNanoUsd, pricesAt, type Candidate, type Needs } from "#routing/candidate.ts";
import type { Provider } from "#providers/provider.ts";
import { forbiddenBy, type GovernanceBounds } from "#routing/governance-bounds.ts";
import type { ProviderPreferences } from "#routing/preferences.ts";
import { liesIn } from "#routing/regions.ts";
import type { Constraint } from "#routing/route.ts";

/** What bounds the choice of one request. */
export interface Bounds {
  readonly needs: Needs;
  readonly preferences: ProviderPreferences;
  readonly maxCostNanoUsd?: number;
  /** What the levels above the request allow; nothing of it can be widened by one. */
  readonly governance?: GovernanceBounds;
}

/** Token counts are estimates: so much more than the context may still fit. */
const CONTEXT_SLACK = 1.2;

/** The first hard bound that an endpoint breaks; `undefined`: it may be asked. Health is not looked at. */
export function brokenBound(candidate: Candidate, bounds: Bounds): Constraint | undefined {
  return (
    brokenPolicy(candidate, bounds) ??
    brokenPlace(candidate, bounds.preferences) ??
    brokenPrivacy(candidate.configured.provider, bounds.preferences) ??
    brokenPrice(candidate, bounds) ??
    brokenNeed(candidate, bounds)
  );
}

/** All the bounds that an endpoint breaks, one a kind: a caller who relaxes one must know of the next. */
export const brokenBounds = (candidate: Candidate, bounds: Bounds): readonly Constraint[] =>
  [
    brokenPolicy(candidate, bounds),
    brokenPlace(candidate, bounds.preferences),
    brokenPrivacy(candidate.configured.provider, bounds.preferences),
    brokenPrice(candidate, bounds),
    brokenNeed(candidate, bounds),
  ].filter((constraint) => constraint !== undefined);

/** More precise words than the constraint's own, where there are any. */
export function boundReason(
  constraint: Constraint,
  candidate: Candidate,
  { needs, governance }: Bounds,
): string | undefined {
  const { endpoint, model, regions } = candidate;
  switch (constraint) {
    case "policy":
      return forbiddenBy(candidate, governance, needs);
    case "context":
      return `its context of ${endpoint.contextTokens} tokens is too small for about ${needs.inputTokens}`;
    case "modality":
      return `it does not take ${missingModality(model.input, needs)} input`;
    case "max_price":
      return endpoint.prices === undefined ? "price unknown (provider.max_price)" : undefined;
    case "max_cost":
      return endpoint.prices === undefined ? "price unknown (route.max_cost)" : undefined;
    case "region":
      return regions.length === 0 ? undefined : `it is in ${regions.join(", ")} (provider.region)`;
    default:
      return undefined;
  }
}

/** The levels above the request come first: what they forbid is no matter of its other bounds. */
export const brokenPolicy = (
  candidate: Candidate,
  { needs, governance }: Bounds,
): "policy" | undefined =>
  forbiddenBy(candidate, governance, needs) === undefined ? undefined : "policy";

function brokenPlace(
  { endpoint, regions }: Candidate,
  { only, ignore, region }: ProviderPreferences,
): Constraint | undefined {
  if (only !== undefined && !only.includes(endpoint.provider)) return "only";
  if (ignore?.includes(endpoint.provider) === true) return "ignore";
  if (region !== undefined && !liesIn(regions, region)) return "region";
  return undefined;
}

function brokenPrivacy(
  { retention, local }: Provider,
  { zdr, dataCollection }: ProviderPreferences,
): Constraint | undefined {
  // What runs on the operator's own machine gives nothing away.
  if (local === true) return undefined;
  if (zdr && retention?.days !== 0) return "zdr";
  const mayTrain = retention?.trainsOnApiData !== false;
  return dataCollection === "deny" && mayTrain ? "data_collection" : undefined;
}

function brokenPrice({ endpoint }: Candidate, bounds: Bounds): Constraint | undefined {
  const { preferences, needs, maxCostNanoUsd } = bounds;
  const { maxPrice } = preferences;
  if (
    maxPrice !== undefined &&
    isDear(endpoint.prices, pricesAt(endpoint, needs.inputTokens), maxPrice)
  ) {
    return "max_price";
  }
  if (maxCostNanoUsd === undefined) return undefined;
  return (expectedCostNanoUsd(endpoint, needs) ?? Infinity) > maxCostNanoUsd
    ? "max_cost"
    : undefined;
}

/** USD for a million tokens, as callers write prices, in pico-USD a token. */
const PICO_USD = 1e6;
const NANO_USD = 1e9;

function isDear(
  all: Prices | undefined,
  prices: Pick<Prices, "input" | "output"> | undefined,
  {
    prompt = Infinity,
    completion = Infinity,
    request = Infinity,
  }: NonNullable<ProviderPreferences["maxPrice"]>,
): boolean {
  if (prices === undefined) return true;
  return (
    prices.input > prompt * PICO_USD ||
    prices.output > completion * PICO_USD ||
    (all?.perRequestNanoUsd ?? 0) > request * NANO_USD
  );
}

function brokenNeed(
  { model, endpoint }: Candidate,
  { needs, preferences }: Bounds,
): Constraint | undefined {
  if ((endpoint.contextTokens ?? Infinity) * CONTEXT_SLACK < needs.inputTokens) return "context";
  if (missingModality(model.input, needs) !== undefined) return "modality";
  if (!preferences.requireParameters) return undefined;
  const { tools, structuredOutput, reasoning } = model.capabilities;
  const unmet =
    (needs.tools && tools === false) ||
    (needs.structuredOutput === true && structuredOutput === false) ||
    (needs.reasoning === true && reasoning === false);
  return unmet ? "require_parameters" : undefined;
}

/** Documents reach text models as text at several providers: those answer for themselves. */
const missingModality = (
  input: Candidate["model"]["input"],
  { modalities }: Needs,
): string | undefined =>
  modalities.find((modality) => modality !== "file" && !input.includes(modality));
