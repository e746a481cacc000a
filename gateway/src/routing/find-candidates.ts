import type { CatalogEndpoint, CatalogModel, ModelKind } from "#catalog/types.ts";
import type { OperationName } from "#canonical/operation-name.ts";
import type { ConfiguredProvider } from "#providers/configured-providers.ts";
import type { OperationSpeech, Speech } from "#providers/provider.ts";
import { blendedPrice, type Candidate, type Needs } from "#routing/candidate.ts";
import { hashText } from "#routing/dice.ts";
import type { Market } from "#routing/market.ts";
import { regionsOf } from "#routing/regions.ts";
import { rejectedAs } from "#routing/rejected-as.ts";
import { endpointKey, type Rejection } from "#routing/route.ts";

export const KIND_OF: Readonly<Record<OperationName, ModelKind>> = {
  chat: "chat",
  "count-tokens": "chat",
  embeddings: "embedding",
  rerank: "rerank",
  moderations: "moderation",
};

/** What a model's name stands for here. */
export interface Found {
  readonly model: CatalogModel;
  /** By price, unknown last; equal prices keep the catalogue's order. */
  readonly candidates: readonly Candidate[];
  /** Endpoints that no request of this kind can use. */
  readonly rejected: readonly Rejection[];
}

type Asked = Pick<Needs, "operation" | "protocol">;

/** Worked out once a market and name; callers can name models without end, so not all are kept. */
const known = new WeakMap<Market, Map<string, Found | undefined>>();
const MAX_NAMES = 5_000;

/** The endpoints of a model (an id, an alias of the catalogue, `provider/model`), with each credential. */
export function findCandidates(name: string, market: Market, asked: Asked): Found | undefined {
  let names = known.get(market);
  if (names === undefined || names.size > MAX_NAMES) known.set(market, (names = new Map()));
  const key = `${asked.operation}\n${asked.protocol}\n${name}`;
  if (names.has(key)) return names.get(key);
  const found = makeFound(name, market, asked);
  if (key.length < 300) names.set(key, found);
  return found;
}

function makeFound(name: string, market: Market, asked: Asked): Found | undefined {
  const resolved = market.catalog.resolve(name) ?? unlisted(name, market, asked);
  if (resolved === undefined) return undefined;
  const { model } = resolved;
  const made = resolved.endpoints.map((endpoint) =>
    makeCandidates(model, endpoint, { market, asked }),
  );
  return {
    model,
    candidates: made
      .flatMap(({ candidates }) => candidates)
      .toSorted((a, b) => a.blendedPrice - b.blendedPrice),
    rejected: made.flatMap(({ rejected }) => rejected ?? []),
  };
}

interface Made {
  readonly candidates: readonly Candidate[];
  readonly rejected?: Rejection;
}

/** An endpoint with each credential of its provider. */
export function makeCandidates(
  model: CatalogModel,
  endpoint: CatalogEndpoint,
  { market, asked }: { readonly market: Market; readonly asked: Asked },
): Made {
  const credentials = market.providers.get(endpoint.provider) ?? [];
  const [first] = credentials;
  if (first === undefined) return { candidates: [], rejected: withoutKey(endpoint, market) };
  const speech = speechFor(first, endpoint.upstreamModel, asked);
  if (speech === undefined) {
    const reason = `${endpoint.provider} does not offer ${asked.operation}`;
    return { candidates: [], rejected: rejectedAs("operation", { endpoint, reason }) };
  }
  return {
    candidates: credentials.map((configured) => {
      const key = endpointKey(configured, endpoint);
      return {
        key,
        configured,
        model,
        endpoint,
        speech: speechFor(configured, endpoint.upstreamModel, asked) ?? speech,
        regions: regionsOf(configured, endpoint),
        blendedPrice: blendedPrice(endpoint.prices),
        salt: hashText(key),
      };
    }),
  };
}

const withoutKey = (endpoint: CatalogEndpoint, { ownOrder }: Market): Rejection =>
  rejectedAs(ownOrder === "own-only" ? "own_only" : "no_key", { endpoint });

/** `provider/anything` reaches models that the catalogue does not list yet, at an unknown price. */
function unlisted(
  name: string,
  market: Market,
  { operation }: Asked,
): { model: CatalogModel; endpoints: readonly CatalogEndpoint[] } | undefined {
  const slash = name.indexOf("/");
  const provider = name.slice(0, slash);
  const upstreamModel = name.slice(slash + 1);
  const configured = market.providers.get(provider)?.[0];
  if (configured === undefined || upstreamModel === "") return undefined;
  if (configured.provider.listsAllModels === true) return undefined;
  const model: CatalogModel = {
    id: upstreamModel,
    name: upstreamModel,
    author: provider,
    kind: KIND_OF[operation],
    aliases: [],
    input: ["text", "image", "audio", "video", "file"],
    output: ["text"],
    capabilities: {},
  };
  const source = { name: "named by the caller", date: "" };
  return { model, endpoints: [{ model: upstreamModel, provider, upstreamModel, source }] };
}

function speechFor(
  { provider }: ConfiguredProvider,
  upstreamModel: string,
  { operation, protocol: wanted }: Asked,
): Speech | OperationSpeech | undefined {
  switch (operation) {
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
      return fit.find(({ protocol }) => protocol === wanted) ?? fit[0];
    }
  }
}
