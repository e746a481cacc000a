import type { FastifyInstance, FastifyRequest } from "fastify";

import { GatewayError } from "#canonical/failure.ts";
import type { CatalogEndpoint, CatalogModel, Prices } from "#catalog/types.ts";
import { compact, type JsonObject } from "#lib/json.ts";
import { credentialOf } from "#pipeline/authenticate.ts";
import { boundsOf } from "#pipeline/check-permission.ts";
import type { Gateway } from "#pipeline/gateway.ts";
import { AUTO_NAMES } from "#routing/auto-choice.ts";
import type { GovernanceBounds } from "#routing/governance-bounds.ts";
import type { Market } from "#routing/market.ts";
import { usableEndpoints } from "#routing/usable-endpoints.ts";

/** A model of the list with those of its endpoints that have a key. */
interface Listed {
  readonly id: string;
  readonly model: CatalogModel;
  readonly endpoints: readonly CatalogEndpoint[];
}

type Deps = Pick<Gateway, "keys" | "marketFor" | "hasCredit">;

/** The models as one key sees them. */
interface View {
  readonly market: Market;
  /** Absent: all of them. */
  readonly bounds: GovernanceBounds | undefined;
}

interface ModelLists {
  readonly openai: string;
  readonly codex: string;
  readonly gemini: string;
}

/**
 * Lists are as large as the catalogue, and the same for all keys of one market and the same bounds:
 * written once.
 */
const lists = new WeakMap<Market, WeakMap<object, ModelLists>>();
const UNBOUNDED = {};

/** Adds the model lists: one body that OpenAI's, Anthropic's and Codex's clients all accept. */
export function addModelRoutes(
  server: FastifyInstance,
  { marketFor, keys, hasCredit }: Deps,
): void {
  const viewOf = (request: FastifyRequest): View => {
    const access = keys.authenticate(credentialOf(request), request.ip);
    return { market: marketFor(access), bounds: boundsOf(access, hasCredit) };
  };
  for (const prefix of ["/v1", "/openai/v1", "/anthropic/v1"]) {
    server.get(`${prefix}/models`, (request, reply) => {
      const { openai, codex, gemini } = listsOf(viewOf(request));
      const forCodex = (request.query as JsonObject)["client_version"] !== undefined;
      const list = isGoogleClient(request) ? gemini : openai;
      return reply.type("application/json").send(forCodex ? codex : list);
    });
    server.get(`${prefix}/models/*`, (request) => {
      const view = viewOf(request);
      const name = (request.params as { "*": string })["*"];
      const endpoints = name.endsWith("/endpoints");
      const listed = findModel(endpoints ? name.slice(0, -"/endpoints".length) : name, view);
      if (endpoints) return endpointsBody(listed, view.market);
      return isGoogleClient(request) ? geminiModel(listed) : modelObject(listed);
    });
  }
  server.get("/v1beta/models", (request, reply) =>
    reply.type("application/json").send(listsOf(viewOf(request)).gemini),
  );
  server.get("/v1beta/models/*", (request) =>
    geminiModel(findModel((request.params as { "*": string })["*"], viewOf(request))),
  );
}

/** Google's newer SDKs ask under `/v1` too; they are known by the header that they send the key in. */
const isGoogleClient = ({ headers }: FastifyRequest): boolean =>
  headers["x-goog-api-key"] !== undefined;

function listsOf(view: View): ModelLists {
  let views = lists.get(view.market);
  if (views === undefined) lists.set(view.market, (views = new WeakMap()));
  const known = views.get(view.bounds ?? UNBOUNDED);
  if (known !== undefined) return known;
  const made = makeLists(listedModels(view));
  views.set(view.bounds ?? UNBOUNDED, made);
  return made;
}

function makeLists(listed: readonly Listed[]): ModelLists {
  const data = listed.map(modelObject);
  const list = {
    object: "list",
    data,
    has_more: false,
    first_id: listed[0]?.id ?? null,
    last_id: listed.at(-1)?.id ?? null,
  };
  const chat = listed.filter(({ model }) => model.kind === "chat");
  return {
    openai: JSON.stringify(list),
    codex: JSON.stringify({ ...list, models: chat.map(codexModel) }),
    gemini: JSON.stringify({ models: chat.map(geminiModel) }),
  };
}

function listedModels({ market, bounds }: View): readonly Listed[] {
  const models = market.catalog.models.flatMap((model) => {
    const endpoints = usableEndpoints(model, market, bounds);
    return endpoints.length === 0 ? [] : [{ id: publicId(model, endpoints), model, endpoints }];
  });
  const aliases = [...market.aliases].flatMap(([alias, target]) => {
    const found = resolved(target, { market, bounds });
    return found === undefined ? [] : [{ id: alias, ...found }];
  });
  const groups = [...market.policy.groups].flatMap(([id, members]) =>
    bounds === undefined || members.some(({ model }) => resolved(model, { market, bounds }))
      ? id
      : [],
  );
  return [
    ...AUTO_NAMES.map((id) => ({ id, model: autoModel(id), endpoints: [] })),
    ...groups.map((id) => ({ id, model: groupModel(id), endpoints: [] })),
    ...aliases,
    ...models,
  ];
}

/** The demo is always named with its provider, so that nobody takes it for a model. */
const publicId = (model: CatalogModel, endpoints: readonly CatalogEndpoint[]): string =>
  endpoints.every(({ provider }) => provider === "demo")
    ? `demo/${endpoints[0]?.upstreamModel}`
    : model.id;

/** What a name stands for, with those of its endpoints that may be used; nothing where none may. */
function resolved(name: string, { market, bounds }: View): Omit<Listed, "id"> | undefined {
  const found = market.catalog.resolve(name);
  if (found === undefined || bounds === undefined) return found;
  const usable = new Set(usableEndpoints(found.model, market, bounds));
  const endpoints = found.endpoints.filter((endpoint) => usable.has(endpoint));
  return endpoints.length === 0 ? undefined : { ...found, endpoints };
}

const autoModel = (id: string): CatalogModel => ({
  id,
  name: id === "claude-auto" ? "Turnpike auto (for Claude Code)" : `Turnpike ${id}`,
  author: "turnpike",
  kind: "chat",
  aliases: [],
  input: ["text", "image", "file"],
  output: ["text"],
  capabilities: { tools: true, structuredOutput: true, reasoning: true },
});

/** A weighted group of the operator's: its name stands for any of its models. */
const groupModel = (id: string): CatalogModel => ({ ...autoModel(id), name: id });

function findModel(name: string, view: View): Listed {
  const { market } = view;
  const decoded = decodedName(name).replace(/^models\//, "");
  if (AUTO_NAMES.includes(decoded))
    return { id: decoded, model: autoModel(decoded), endpoints: [] };
  if (market.policy.groups.has(decoded.toLowerCase()))
    return { id: decoded, model: groupModel(decoded), endpoints: [] };
  const found = resolved(market.aliases.get(decoded.toLowerCase()) ?? decoded, view);
  if (found !== undefined) return { id: decoded, ...found };
  const near = market.catalog.near(decoded.slice(0, 120), 3);
  const hint = near.length > 0 ? ` Did you mean ${near.join(", ")}?` : "";
  throw new GatewayError({
    code: "unknown_model",
    field: "model",
    message: `There is no model "${decoded.slice(0, 120)}".${hint}`,
  });
}

/** Some clients encode a name twice. What is not encoded, however it looks, is the name itself. */
function decodedName(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

const limit = (
  endpoints: readonly CatalogEndpoint[],
  key: "contextTokens" | "maxOutputTokens",
): number | undefined => {
  const limits = endpoints.map((endpoint) => endpoint[key]).filter((value) => value !== undefined);
  return limits.length === 0 ? undefined : Math.max(...limits);
};

function modelObject({ id, model, endpoints }: Listed): JsonObject {
  const released = `${model.released ?? "2025-01-01"}T00:00:00Z`;
  const cheapest = endpoints.find(({ prices }) => prices !== undefined)?.prices;
  return compact({
    id,
    object: "model",
    type: "model",
    created: Math.floor(Date.parse(released) / 1000),
    created_at: released,
    owned_by: model.author,
    display_name: model.name,
    kind: model.kind,
    context_length: limit(endpoints, "contextTokens"),
    max_output_tokens: limit(endpoints, "maxOutputTokens"),
    architecture: { input_modalities: model.input, output_modalities: model.output },
    capabilities: model.capabilities,
    pricing: cheapest && pricing(cheapest),
    providers: [...new Set(endpoints.map(({ provider }) => provider))],
    deprecation_date: model.deprecated,
  });
}

/** USD a token as decimal text, as OpenRouter's clients read it. */
function pricing(prices: Prices): JsonObject {
  const usd = (pico: number | undefined): string | undefined =>
    pico === undefined ? undefined : (pico / 1e12).toFixed(12).replace(/\.?0+$/, "") || "0";
  return compact({
    prompt: usd(prices.input),
    completion: usd(prices.output),
    input_cache_read: usd(prices.cacheRead),
    input_cache_write: usd(prices.cacheWrite5m),
    internal_reasoning: usd(prices.reasoning),
  });
}

const endpointsBody = ({ id, endpoints }: Listed, market: Market): JsonObject => ({
  object: "list",
  model: id,
  data: endpoints.map((endpoint) =>
    compact({
      id: `${endpoint.provider}/${endpoint.upstreamModel}`,
      object: "endpoint",
      provider: endpoint.provider,
      upstream_model: endpoint.upstreamModel,
      context_length: endpoint.contextTokens,
      max_output_tokens: endpoint.maxOutputTokens,
      pricing: endpoint.prices && pricing(endpoint.prices),
      prices_pico_usd: endpoint.prices,
      retention: retentionOf(endpoint, market),
      source: endpoint.source,
      deprecation_date: endpoint.deprecated,
    }),
  ),
});

/** What the provider keeps; what the gateway keeps is another matter. `null`: it does not say. */
function retentionOf({ provider }: CatalogEndpoint, { providers }: Market): JsonObject {
  const facts = providers.get(provider)?.[0]?.provider.retention;
  return {
    days: facts?.days ?? null,
    trains_on_api_data: facts?.trainsOnApiData ?? null,
    zero_retention: facts?.days === 0,
    source: facts?.source ?? null,
    checked: facts?.date ?? null,
  };
}

/** What Codex decodes; a missing member makes it refuse the whole list. */
const codexModel = ({ id, model, endpoints }: Listed, at: number): JsonObject => ({
  slug: id,
  display_name: model.name,
  description: model.name,
  default_reasoning_level: "medium",
  supported_reasoning_levels: ["low", "medium", "high"].map((effort) => ({
    effort,
    description: effort,
  })),
  shell_type: "shell_command",
  visibility: "list",
  supported_in_api: true,
  priority: at,
  upgrade: null,
  base_instructions: "",
  supports_reasoning_summaries: model.capabilities.reasoning === true,
  support_verbosity: false,
  default_verbosity: null,
  apply_patch_tool_type: null,
  truncation_policy: { mode: "bytes", limit: 10_000 },
  supports_parallel_tool_calls: true,
  context_window: limit(endpoints, "contextTokens") ?? 200_000,
  experimental_supported_tools: [],
});

const geminiModel = ({ id, model, endpoints }: Listed): JsonObject =>
  compact({
    name: `models/${id}`,
    displayName: model.name,
    description: model.name,
    inputTokenLimit: limit(endpoints, "contextTokens"),
    outputTokenLimit: limit(endpoints, "maxOutputTokens"),
    supportedGenerationMethods: ["generateContent", "streamGenerateContent", "countTokens"],
  });
