import { ownValue } from "#lib/json.ts";
import type { CatalogEndpoint } from "#catalog/types.ts";
import type { Market } from "#pipeline/market.ts";
import { blendedPrice, type Candidate, type Needs } from "#pipeline/candidate.ts";

/** Names that leave the choice to the gateway, and which of the eligible models, by price, each means. */
const AUTO: Readonly<Record<string, number>> = {
  auto: 0.5,
  "claude-auto": 0.5,
  "auto:balanced": 0.5,
  "auto:cheap": 0.1,
  "auto:fast": 0.25,
  "auto:best": 0.9,
};

/** All names that mean "choose for me". */
export const AUTO_NAMES: readonly string[] = Object.keys(AUTO);

/**
 * The candidates of `auto`: the configured endpoints that fit, those nearest to the asked price
 * level first. A plain rule by price until routing predicts quality. The demo answers only where
 * there is nothing else. `undefined` when the name is not one of `AUTO_NAMES`.
 */
export function autoCandidates(
  name: string,
  market: Market,
  needs: Needs,
): readonly Candidate[] | undefined {
  const level = ownValue(AUTO, name.toLowerCase());
  if (level === undefined) return undefined;
  const fit = market.catalog.models
    .filter((model) => model.kind === "chat" && model.deprecated === undefined)
    .filter(({ id }) => !UNSTABLE.test(id))
    .flatMap((model) =>
      market.catalog
        .endpointsOf(model.id)
        .filter((endpoint) => isEligible(endpoint, market, needs))
        .map((endpoint) => ({ model, endpoint, reason: name.toLowerCase() })),
    )
    .filter(({ model }) => !needs.tools || model.capabilities.tools === true)
    .filter(({ model }) => needs.modalities.every((modality) => model.input.includes(modality)))
    .toSorted((a, b) => blendedPrice(a.endpoint) - blendedPrice(b.endpoint));
  const real = fit.filter(({ endpoint }) => endpoint.provider !== "demo");
  if (real.length === 0)
    return fit.map((candidate) => ({ ...candidate, reason: `${candidate.reason}:demo` }));
  const middle = Math.round((real.length - 1) * level);
  const distance = (at: number): number => Math.abs(at - middle);
  return real
    .map((candidate, at) => ({ candidate, at }))
    .toSorted((a, b) => distance(a.at) - distance(b.at))
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** Builds that change from day to day are for those who name them. */
const UNSTABLE = /nightly|experimental|-exp(-|$)/;

/** Models above this answer one hard question for the price of a thousand easy ones: never by default. */
const MAX_BLENDED_PRICE = 4 * 30e6;

const isEligible = (endpoint: CatalogEndpoint, { providers }: Market, needs: Needs): boolean =>
  providers.has(endpoint.provider) &&
  endpoint.prices !== undefined &&
  blendedPrice(endpoint) <= MAX_BLENDED_PRICE &&
  endpoint.deprecated === undefined &&
  (endpoint.contextTokens ?? 0) >= needs.inputTokens;
