import { GatewayError } from "#canonical/failure.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { CatalogEndpoint, CatalogModel, ModelKind } from "#catalog/types.ts";
import type { OperationName } from "#pipeline/exchange.ts";
import type { GatewayOptions, ProviderPreferences } from "#pipeline/gateway-options.ts";
import { autoCandidates } from "#pipeline/auto.ts";
import { blendedPrice, type Candidate, type Needs } from "#pipeline/candidate.ts";
import type { Market } from "#pipeline/market.ts";
import type { Plan, Rejection, Route } from "#pipeline/route.ts";
import type { ConfiguredProvider } from "#providers/configured-providers.ts";
import type { OperationSpeech, Speech } from "#providers/provider.ts";

const KIND_OF: Readonly<Record<OperationName, ModelKind>> = {
  chat: "chat",
  "count-tokens": "chat",
  embeddings: "embedding",
  rerank: "rerank",
  moderations: "moderation",
};

/**
 * Orders the endpoints that may answer: the asked model's first (by the caller's preferences, else
 * by price), then those of each of `models`. Throws `unknown_model` with near names, or `no_route`
 * with the reason why each endpoint was left out.
 */
export function planRoutes(
  asked: string,
  options: GatewayOptions,
  context: { readonly market: Market; readonly needs: Needs },
): Plan {
  const { market, needs } = context;
  const rejected: Rejection[] = [];
  const routes: Route[] = [];
  for (const name of [asked, ...options.models]) {
    const found = candidatesOf(name, market, needs);
    const kept = found.flatMap((candidate) => {
      const route = toRoute(candidate, { market, needs, preferences: options.provider });
      if (!("rejected" in route)) return [route];
      rejected.push({ endpoint: endpointName(candidate.endpoint), reason: route.rejected });
      return [];
    });
    routes.push(...ordered(kept, options.provider));
  }
  if (routes.length === 0) throw noRoute(asked, rejected);
  const unique = [
    ...new Map(routes.map((route) => [endpointName(route.endpoint), route])).values(),
  ];
  return { routes: options.provider.allowFallbacks ? unique : unique.slice(0, 1), rejected };
}

const endpointName = (endpoint: CatalogEndpoint): string =>
  `${endpoint.provider}/${endpoint.upstreamModel}`;

function candidatesOf(name: string, market: Market, needs: Needs): readonly Candidate[] {
  const target = market.aliases.get(name.toLowerCase()) ?? name;
  const auto = autoCandidates(target, market, needs);
  if (auto !== undefined) return auto;
  const { base, suffix } = splitSuffix(target);
  const resolved = market.catalog.resolve(base) ?? unlisted(base, market, KIND_OF[needs.operation]);
  if (resolved === undefined) throw unknownModel(name, market.catalog);
  const reason = suffix === "" ? "asked" : `asked:${suffix}`;
  return resolved.endpoints.map((endpoint) => ({ model: resolved.model, endpoint, reason }));
}

/** `:floor` sorts by price, which is the order anyway; `:nitro` (speed) waits for live health. */
function splitSuffix(name: string): { base: string; suffix: string } {
  const match = /^(.*):(floor|nitro)$/.exec(name);
  return match === null
    ? { base: name, suffix: "" }
    : { base: match[1] ?? name, suffix: match[2] ?? "" };
}

/** `provider/anything` reaches models that the catalogue does not list yet, at an unknown price. */
function unlisted(
  name: string,
  market: Market,
  kind: ModelKind,
): { model: CatalogModel; endpoints: readonly CatalogEndpoint[] } | undefined {
  const slash = name.indexOf("/");
  const provider = name.slice(0, slash);
  const upstreamModel = name.slice(slash + 1);
  if (slash < 1 || upstreamModel === "" || !market.providers.has(provider)) return undefined;
  const model: CatalogModel = {
    id: upstreamModel,
    name: upstreamModel,
    author: provider,
    kind,
    aliases: [],
    input: ["text", "image", "audio", "video", "file"],
    output: ["text"],
    capabilities: {},
  };
  const source = { name: "named by the caller", date: "" };
  return { model, endpoints: [{ model: upstreamModel, provider, upstreamModel, source }] };
}

function toRoute(
  candidate: Candidate,
  context: { market: Market; needs: Needs; preferences: ProviderPreferences },
): Route | { readonly rejected: string } {
  const { model, endpoint, reason } = candidate;
  const { needs, preferences } = context;
  const configured = context.market.providers.get(endpoint.provider);
  if (configured === undefined) return { rejected: `no key for provider ${endpoint.provider}` };
  const kind = KIND_OF[needs.operation];
  if (model.kind !== kind) return { rejected: `a ${model.kind} model, not ${kind}` };
  const unfit = refusedBy(candidate, preferences, configured) ?? lacks(candidate, needs);
  if (unfit !== undefined) return { rejected: unfit };
  const speech = speechFor(configured, endpoint.upstreamModel, needs);
  if (speech === undefined)
    return { rejected: `${endpoint.provider} does not offer ${needs.operation}` };
  return { configured, model, endpoint, speech, reason };
}

function lacks({ model, endpoint }: Candidate, needs: Needs): string | undefined {
  if (endpoint.contextTokens !== undefined && needs.inputTokens > endpoint.contextTokens * 1.2) {
    return `its context of ${endpoint.contextTokens} tokens is too small for about ${needs.inputTokens}`;
  }
  const missing = needs.modalities.find((modality) => !model.input.includes(modality));
  // Documents reach text models as text at several providers: those answer for themselves.
  if (missing !== undefined && missing !== "file") return `it does not take ${missing} input`;
  return undefined;
}

function refusedBy(
  { endpoint }: Candidate,
  preferences: ProviderPreferences,
  { provider }: ConfiguredProvider,
): string | undefined {
  const { only, ignore, zdr, dataCollection } = preferences;
  const { retention } = provider;
  if (only !== undefined && !only.includes(endpoint.provider)) return "not in provider.only";
  if (ignore?.includes(endpoint.provider) === true) return "in provider.ignore";
  if (zdr && retention?.days !== 0) return "no documented zero retention (provider.zdr)";
  if (dataCollection === "deny" && retention?.trainsOnApiData !== false) {
    return "not documented that it does not train on API data (provider.data_collection)";
  }
  return tooDear(endpoint, preferences);
}

/** USD for a million tokens, as callers write prices, in pico-USD a token. */
const PICO_USD = 1e6;

function tooDear(
  { prices }: CatalogEndpoint,
  { maxPrice }: ProviderPreferences,
): string | undefined {
  if (maxPrice === undefined) return undefined;
  if (prices === undefined) return "price unknown (provider.max_price)";
  const { prompt = Infinity, completion = Infinity } = maxPrice;
  const dear = prices.input > prompt * PICO_USD || prices.output > completion * PICO_USD;
  return dear ? "dearer than provider.max_price" : undefined;
}

function speechFor(
  configured: ConfiguredProvider,
  upstreamModel: string,
  needs: Needs,
): Speech | OperationSpeech | undefined {
  const { provider } = configured;
  switch (needs.operation) {
    case "embeddings":
      return provider.embeddings;
    case "rerank":
      return provider.rerank;
    case "moderations":
      return provider.moderations;
    case "chat":
    case "count-tokens": {
      const fit = provider.speaks.filter(
        ({ models }) => models === undefined || models.test(upstreamModel),
      );
      return fit.find(({ protocol }) => protocol === needs.protocol) ?? fit[0];
    }
  }
}

/** The caller's order first; then by price, dearest and unknown last. Stable, so equal prices keep the catalogue's order. */
function ordered(routes: readonly Route[], { order = [] }: ProviderPreferences): readonly Route[] {
  const rank = ({ endpoint }: Route): number => {
    const at = order.indexOf(endpoint.provider);
    return at === -1 ? order.length : at;
  };
  return routes.toSorted(
    (a, b) => rank(a) - rank(b) || blendedPrice(a.endpoint) - blendedPrice(b.endpoint),
  );
}

function unknownModel(name: string, catalog: Catalog): GatewayError {
  const shown = name.slice(0, 120);
  const near = catalog.near(shown, 3);
  const hint = near.length > 0 ? ` Did you mean ${near.join(", ")}?` : "";
  return new GatewayError({
    code: "unknown_model",
    field: "model",
    message: `There is no model "${shown}".${hint} GET /v1/models lists all of them.`,
  });
}

function noRoute(asked: string, rejected: readonly Rejection[]): GatewayError {
  const reasons = rejected.slice(0, 5).map(({ endpoint, reason }) => `${endpoint}: ${reason}`);
  const unconfigured = rejected.every(({ reason }) => reason.startsWith("no key"));
  const remedy = unconfigured
    ? "Set the key of one of these providers in the environment and restart, or name another model."
    : "Relax one of these, or name another model.";
  return new GatewayError({
    code: "no_route",
    field: "model",
    message: `No provider can serve "${asked.slice(0, 120)}" for this request (${reasons.join("; ")}). ${remedy}`,
  });
}
