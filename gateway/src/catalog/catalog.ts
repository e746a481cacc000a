import { modelSlug, splitSnapshot } from "./model-slug.ts";
import { buildNearNames, type NearNames } from "./near-names.ts";
import type { CatalogData, CatalogEndpoint, CatalogModel } from "./types.ts";

/** What a name stands for. */
export interface Resolved {
  readonly model: CatalogModel;
  /** Never two spellings of the same endpoint: see `resolve`. */
  readonly endpoints: readonly CatalogEndpoint[];
}

/** The models and their endpoints, by every name that they have. Immutable. */
export interface Catalog {
  readonly asOf: string;
  readonly models: readonly CatalogModel[];
  /**
   * Finds the model that a name means: a slug, an alias, `provider/<upstream id or slug>` (then only
   * that provider's endpoints, and of a full upstream id only that one) or `author/name`. Case does not matter. Of a dated and an undated id
   * of one endpoint the asked spelling is given, else the undated one.
   */
  resolve(name: string): Resolved | undefined;
  /** Names that look like this one, best first. */
  readonly near: NearNames;
  /** Every endpoint of a model, in all spellings. */
  endpointsOf(modelId: string): readonly CatalogEndpoint[];
  endpoint(provider: string, upstreamModel: string): CatalogEndpoint | undefined;
}

/** Models and endpoints that the operator adds; the same id or (provider, upstream id) replaces. */
export interface CatalogExtra {
  readonly models?: readonly CatalogModel[];
  readonly endpoints?: readonly CatalogEndpoint[];
}

/** Longer names are no model's; looking at them is left out. */
const LONGEST_NAME = 256;

/** Builds the look-up tables once; every later look-up is a few Map reads. */
export function buildCatalog(data: CatalogData, extra: CatalogExtra = {}): Catalog {
  const models = uniqueBy([...data.models, ...(extra.models ?? [])], (model) => model.id);
  const endpoints = uniqueBy([...data.endpoints, ...(extra.endpoints ?? [])], endpointKey);
  const names = modelNames([...models.values()]);
  const byModel = Map.groupBy(endpoints.values(), (endpoint) => endpoint.model);
  const byProvider = Map.groupBy(endpoints.values(), (endpoint) => endpoint.provider);
  const providerNames = new Map(
    [...byProvider].map(([provider, own]) => [provider, endpointNames(own)] as const),
  );
  const endpointsOf = (modelId: string): readonly CatalogEndpoint[] => byModel.get(modelId) ?? [];

  const findModel = (name: string): CatalogModel | undefined => {
    const id = names.get(name) ?? names.get(modelSlug(name));
    return id === undefined ? undefined : models.get(id);
  };

  const ofProvider = (name: string): Resolved | undefined => {
    const slash = name.indexOf("/");
    const own = slash > 0 ? providerNames.get(name.slice(0, slash)) : undefined;
    if (own === undefined) return undefined;
    const rest = name.slice(slash + 1);
    const provider = name.slice(0, slash);
    const model = models.get(own.get(rest) ?? findModel(rest)?.id ?? "");
    if (model === undefined) return undefined;
    const found = endpointsOf(model.id).filter((endpoint) => endpoint.provider === provider);
    // A caller who writes out `eu.anthropic.…` has chosen where its prompts are processed.
    const pinned = found.find((endpoint) => endpoint.upstreamModel.toLowerCase() === rest);
    if (pinned !== undefined) return { model, endpoints: [pinned] };
    return found.length === 0 ? undefined : { model, endpoints: oneSpelling(found, rest) };
  };

  const resolve = (name: string): Resolved | undefined => {
    if (name.length > LONGEST_NAME) return undefined;
    const lower = name.trim().toLowerCase();
    const exact = ofProvider(lower);
    if (exact !== undefined) return exact;
    const model = findModel(lower);
    return model && { model, endpoints: oneSpelling(endpointsOf(model.id), lower) };
  };

  return {
    asOf: data.asOf,
    models: [...models.values()],
    resolve,
    near: buildNearNames([...models.keys()]),
    endpointsOf,
    endpoint: (provider, upstreamModel) => endpoints.get(endpointKey({ provider, upstreamModel })),
  };
}

const endpointKey = (endpoint: {
  readonly provider: string;
  readonly upstreamModel: string;
}): string => `${endpoint.provider}\n${endpoint.upstreamModel}`;

function uniqueBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, T> {
  return new Map(items.map((item) => [keyOf(item), item]));
}

/** Ids win over aliases, and earlier models over later ones. */
function modelNames(models: readonly CatalogModel[]): ReadonlyMap<string, string> {
  const names = new Map(models.map((model) => [model.id, model.id]));
  for (const model of models) {
    for (const alias of model.aliases) {
      const name = alias.toLowerCase();
      if (!names.has(name)) names.set(name, model.id);
    }
  }
  return names;
}

/** A provider's upstream ids, in lower case, to model ids. */
const endpointNames = (own: readonly CatalogEndpoint[]): ReadonlyMap<string, string> =>
  new Map(own.map((endpoint) => [endpoint.upstreamModel.toLowerCase(), endpoint.model]));

/**
 * Keeps one of the endpoints that differ in the date only (`gpt-5.1`, `gpt-5.1-2025-11-13`): routing
 * must not see them as two chances. Bedrock's regions are different endpoints and all stay.
 */
function oneSpelling(
  endpoints: readonly CatalogEndpoint[],
  asked: string,
): readonly CatalogEndpoint[] {
  const kept = new Map<string, CatalogEndpoint>();
  for (const endpoint of endpoints) {
    const key = undatedKey(endpoint);
    const rival = kept.get(key);
    if (rival === undefined || isBetter(endpoint, rival, asked)) kept.set(key, endpoint);
  }
  return [...kept.values()];
}

const REGION = /^[a-z-]+\.(?=[a-z]+\.)/;

/** Worked out when first asked for: all at once would be felt at the start. */
const undatedKeys = new WeakMap<CatalogEndpoint, string>();

function undatedKey(endpoint: CatalogEndpoint): string {
  const known = undatedKeys.get(endpoint);
  if (known !== undefined) return known;
  const key = makeUndatedKey(endpoint);
  undatedKeys.set(endpoint, key);
  return key;
}

function makeUndatedKey(endpoint: CatalogEndpoint): string {
  const region = REGION.exec(endpoint.upstreamModel)?.[0] ?? "";
  return `${endpoint.provider}\n${region}${splitSnapshot(modelSlug(endpoint.upstreamModel)).base}`;
}

function isBetter(endpoint: CatalogEndpoint, rival: CatalogEndpoint, asked: string): boolean {
  const name = endpoint.upstreamModel.toLowerCase();
  if (rival.upstreamModel.toLowerCase() === asked) return false;
  return name === asked || endpoint.upstreamModel.length < rival.upstreamModel.length;
}
