import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { GatewayError } from "#canonical/failure.ts";
import { buildCatalog } from "#catalog/catalog.ts";
import type { CatalogEndpoint, CatalogModel } from "#catalog/types.ts";
import type { EndpointHealth, HealthState } from "#health/endpoint-health.ts";
import type { ConfiguredProvider } from "#providers/configured-providers.ts";
import { chat, EMBEDDINGS } from "#providers/speeches.ts";
import { ALL_HEALTHY } from "#routing/all-healthy.ts";
import { pricesAt, type Needs } from "#routing/candidate.ts";
import { findCandidates } from "#routing/find-candidates.ts";
import type { Market } from "#routing/market.ts";
import { planRoutes } from "#routing/plan-routes.ts";
import type { PlanContext, RoutingRequest } from "#routing/planning.ts";
import { DEFAULT_POLICY, type RoutingPolicy } from "#routing/policy.ts";
import { NO_PREFERENCES, type ProviderPreferences } from "#routing/preferences.ts";
import type { Plan } from "#routing/route.ts";

const MILLION = 1_000_000;

interface EndpointFacts {
  readonly model?: string;
  readonly provider: string;
  /** USD for a million tokens. */
  readonly input?: number;
  readonly output?: number;
  readonly cacheRead?: number;
  readonly request?: number;
  readonly context?: number;
}

const endpoint = (facts: EndpointFacts): CatalogEndpoint => ({
  model: facts.model ?? "m",
  provider: facts.provider,
  upstreamModel: facts.model ?? "m",
  contextTokens: facts.context ?? 100_000,
  source: { name: "test", date: "2026-11-21" },
  ...(facts.input !== undefined && {
    prices: {
      input: facts.input * MILLION,
      output: (facts.output ?? facts.input * 4) * MILLION,
      ...(facts.cacheRead !== undefined && { cacheRead: facts.cacheRead * MILLION }),
      ...(facts.request !== undefined && { perRequestNanoUsd: facts.request * 1e9 }),
    },
  }),
});

const model = (id: string, more: Partial<CatalogModel> = {}): CatalogModel => ({
  id,
  name: id,
  author: "test",
  kind: "chat",
  aliases: [],
  input: ["text", "image"],
  output: ["text"],
  capabilities: { tools: true, structuredOutput: true },
  ...more,
});

interface ProviderFacts {
  readonly id: string;
  readonly region?: string;
  readonly credential?: string;
  readonly zdr?: boolean;
}

const provider = ({ id, region, credential, zdr }: ProviderFacts): ConfiguredProvider => ({
  id,
  provider: {
    label: id,
    baseUrl: `https://${id}.example`,
    auth: { env: [], discover: () => undefined },
    speaks: [chat()],
    embeddings: EMBEDDINGS,
    cancelStopsBilling: null,
    retention: {
      days: zdr === true ? 0 : 30,
      trainsOnApiData: zdr !== true,
      zeroRetentionOffered: null,
      source: "test",
      date: "2026-11-21",
    },
  },
  variables: region === undefined ? {} : { region },
  authorize: () => ({}),
  credentialId: `config:${credential ?? id}`,
  origins: new Set(),
  privateAddressAllowed: false,
});

interface MarketFacts {
  readonly providers: readonly ProviderFacts[];
  readonly endpoints: readonly EndpointFacts[];
  readonly models?: readonly CatalogModel[];
  readonly policy?: Partial<RoutingPolicy>;
  readonly aliases?: Readonly<Record<string, string>>;
}

const market = (facts: MarketFacts): Market => {
  const names = new Set(facts.endpoints.map((one) => one.model ?? "m"));
  return {
    catalog: buildCatalog({
      schema: 1,
      asOf: "2026-11-21",
      sources: [],
      models: facts.models ?? [...names].map((id) => model(id)),
      endpoints: facts.endpoints.map(endpoint),
    }),
    providers: Map.groupBy(facts.providers.map(provider), ({ id }) => id),
    aliases: new Map(Object.entries(facts.aliases ?? {})),
    policy: { ...DEFAULT_POLICY, ...facts.policy },
  };
};

const NEEDS: Needs = {
  operation: "chat",
  protocol: "openai-chat",
  inputTokens: 1_000,
  modalities: [],
  tools: false,
};

interface Asking extends Partial<Omit<RoutingRequest, "preferences" | "needs">> {
  readonly preferences?: Partial<ProviderPreferences>;
  readonly needs?: Partial<Needs>;
}

const request = (asking: Asking = {}): RoutingRequest => ({
  asked: "m",
  models: [],
  wishes: {},
  ...asking,
  preferences: { ...NO_PREFERENCES, ...asking.preferences },
  needs: { ...NEEDS, ...asking.needs },
});

const context = (of: Market, more: Partial<PlanContext> = {}): PlanContext => ({
  market: of,
  health: ALL_HEALTHY,
  seed: 1,
  nowMs: Date.UTC(2026, 10, 21, 12),
  tickMs: 1_000,
  ...more,
});

/** Health by provider; the others were never seen. */
const healthOf = (of: Readonly<Record<string, Partial<EndpointHealth>>>) => ({
  of: (key: string): EndpointHealth => ({
    ...ALL_HEALTHY.of(key),
    ...of[key.split("/")[0] ?? ""],
  }),
});

const providersOf = ({ routes }: Plan): readonly string[] =>
  routes.map((route) => route.endpoint.provider);

/** Three providers of one model, b the cheapest and c far dearer. */
const THREE = market({
  providers: [{ id: "a" }, { id: "b" }, { id: "c" }],
  endpoints: [
    { provider: "a", input: 1.2 },
    { provider: "b", input: 1 },
    { provider: "c", input: 9 },
  ],
});

const plan = (asking: Asking = {}, more: Partial<PlanContext> = {}, of = THREE): Plan =>
  planRoutes(request(asking), context(of, more));

const failureOf = (run: () => unknown): GatewayError["failure"] => {
  try {
    run();
  } catch (error) {
    if (error instanceof GatewayError) return error.failure;
    throw error;
  }
  throw new Error("nothing was thrown");
};

describe("planRoutes: a named model", () => {
  test("shares between the endpoints of about the lowest price; dearer ones follow by price", () => {
    const first = new Set<string | undefined>();
    for (let seed = 1; seed <= 50; seed++) {
      const order = providersOf(plan({}, { seed }));
      first.add(order[0]);
      expect(order[2]).toBe("c");
    }
    // Nothing is known of either: the lower price decides the full scan.
    expect([...first]).toEqual(["b"]);
    const loaded = healthOf({ b: { inFlight: 3 } });
    expect(plan({}, { health: loaded }).routes[0]?.reason).toBe("balanced");
    expect(providersOf(plan({}, { health: loaded }))).toEqual(["a", "b", "c"]);
  });

  test("equal endpoints take turns by the seed", () => {
    const equal = market({
      providers: [
        { id: "a", credential: "1" },
        { id: "a", credential: "2" },
      ],
      endpoints: [{ provider: "a", input: 1 }],
    });
    const first = Array.from(
      { length: 400 },
      (_, at) => plan({}, { seed: at * 7919 }, equal).routes[0]?.configured.credentialId,
    );
    const ones = first.filter((id) => id === "config:1").length;
    expect(ones).toBeGreaterThan(140);
    expect(ones).toBeLessThan(260);
  });

  test("of many equal endpoints the busier of two drawn ones is passed over", () => {
    const ids = Array.from({ length: 10 }, (_, at) => `p${at}`);
    const many = market({
      providers: ids.map((id) => ({ id })),
      endpoints: ids.map((id) => ({ provider: id, input: 1 })),
    });
    const health = healthOf({ p0: { inFlight: 19 } });
    const first = Array.from(
      { length: 500 },
      (_, at) => providersOf(plan({}, { seed: at * 7919, health }, many))[0],
    );
    const counts = ids.map((id) => first.filter((one) => one === id).length);
    expect(counts[0]).toBe(0);
    for (const count of counts.slice(1)) expect(count).toBeGreaterThan(20);
  });

  test("what is faulty or full comes after what is sound, a closed one not at all", () => {
    const health = healthOf({
      b: { state: "open", openReason: "breaker", retryAtMs: 6_000 },
      a: { state: "degraded" },
    });
    const made = plan({}, { health });
    expect(providersOf(made)).toEqual(["c", "a"]);
    expect(made.rejected).toMatchObject([
      { endpoint: { provider: "b" }, constraint: "unhealthy", retryAfterMs: 5_000 },
    ]);
    const full = healthOf({ b: { inFlight: 20, concurrencyLimit: 20 } });
    expect(providersOf(plan({}, { health: full }))).toEqual(["a", "c", "b"]);
  });

  test("a probing endpoint is tried first, whatever its weight; when it is being tried, last", () => {
    const ids = Array.from({ length: 10 }, (_, at) => `p${at}`);
    const many = market({
      providers: ids.map((id) => ({ id })),
      endpoints: ids.map((id) => ({ provider: id, input: 1 })),
    });
    const probing = { state: "probing", weight: 0.01, firstContentMs: 9_000 } as const;
    for (let seed = 0; seed < 50; seed++) {
      const free = plan({}, { seed, health: healthOf({ p3: probing }) }, many);
      expect(free.routes[0]).toMatchObject({ reason: "probe", endpoint: { provider: "p3" } });
      const taken = healthOf({ p3: { ...probing, inFlight: 1, concurrencyLimit: 1 } });
      expect(providersOf(plan({}, { seed, health: taken }, many)).at(-1)).toBe("p3");
    }
  });

  test("several probing endpoints are all tried", () => {
    const health = healthOf({ a: { state: "probing" }, b: { state: "probing" } });
    const equal = market({
      providers: [{ id: "a" }, { id: "b" }],
      endpoints: [
        { provider: "a", input: 1 },
        { provider: "b", input: 1 },
      ],
    });
    const first = Array.from(
      { length: 50 },
      (_, at) => providersOf(plan({}, { seed: at * 7919, health }, equal))[0],
    );
    expect(new Set(first)).toEqual(new Set(["a", "b"]));
  });

  test("a probing endpoint that is much dearer is left alone", () => {
    const health = healthOf({ c: { state: "probing" } });
    expect(providersOf(plan({}, { health }))[0]).not.toBe("c");
  });

  test.each([2, 10])("one of %i idle endpoints that recovers gets its weight's share", (count) => {
    const ids = Array.from({ length: count }, (_, at) => `p${at}`);
    const many = market({
      providers: ids.map((id) => ({ id })),
      endpoints: ids.map((id) => ({ provider: id, input: 1 })),
    });
    const health = healthOf({ p0: { state: "recovering", weight: 0.5 } });
    const first = Array.from(
      { length: 4_000 },
      (_, at) => providersOf(plan({}, { seed: at * 7919, health }, many))[0],
    );
    const share = first.filter((id) => id === "p0").length / first.length;
    expect(share).toBeGreaterThan((0.5 / count) * 0.8);
    expect(share).toBeLessThan((0.5 / count) * 1.25);
  });

  test("a recovering endpoint has its turn as often as its weight says", () => {
    const health = healthOf({ b: { state: "recovering", weight: 0.2 }, a: { weight: 1 } });
    const first = Array.from(
      { length: 1_000 },
      (_, at) =>
        providersOf(
          plan(
            { preferences: { sort: { by: "price", partition: "model" } } },
            { seed: at * 7919, health },
          ),
        )[0],
    );
    const turns = first.filter((id) => id === "b").length;
    expect(turns).toBeGreaterThan(150);
    expect(turns).toBeLessThan(250);
  });

  test("one that recovers has fewer in flight than the others, by its weight", () => {
    const equal = market({
      providers: [{ id: "a" }, { id: "b" }],
      endpoints: [
        { provider: "a", input: 1 },
        { provider: "b", input: 1 },
      ],
    });
    const turns = (inFlight: number): number => {
      const health = healthOf({
        a: { inFlight: 10 },
        b: { state: "recovering", weight: 0.5, inFlight },
      });
      return Array.from({ length: 100 }, (_, at) =>
        providersOf(plan({}, { seed: at * 7919, health }, equal)),
      ).filter(([first]) => first === "b").length;
    };
    expect(turns(4)).toBeGreaterThan(30);
    expect(turns(6)).toBe(0);
  });

  test("all closed: 503 with the soonest time; tryAnyway keeps them", () => {
    const health = healthOf({
      a: { state: "open", retryAtMs: 9_000 },
      b: { state: "open", retryAtMs: 4_000 },
      c: { state: "open", retryAtMs: 7_000 },
    });
    const failure = failureOf(() => plan({}, { health }));
    expect(failure).toMatchObject({ code: "unavailable", retryAfterMs: 3_000 });
    const of = { ...THREE, policy: { ...DEFAULT_POLICY, tryAnyway: true } };
    expect(plan({}, { health }, of).routes).toHaveLength(3);
  });

  test("each credential of a provider is an endpoint of its own", () => {
    const two = market({
      providers: [
        { id: "a", credential: "1" },
        { id: "a", credential: "2" },
      ],
      endpoints: [{ provider: "a", input: 1 }],
    });
    expect(
      plan({}, {}, two)
        .routes.map(({ key }) => key)
        .toSorted(),
    ).toEqual(["a/m@config:1", "a/m@config:2"]);
  });
});

describe("planRoutes: preferences", () => {
  test("order comes first, whatever the price; the others follow", () => {
    const made = plan({ preferences: { order: ["c", "a"] } });
    expect(providersOf(made)).toEqual(["c", "a", "b"]);
    expect(made.routes[0]?.reason).toBe("order");
  });

  test("allow_fallbacks: false leaves the providers of order, else the first", () => {
    const of = (preferences: Partial<ProviderPreferences>) =>
      plan({ models: ["m"], preferences: { ...preferences, allowFallbacks: false } });
    expect(providersOf(of({ order: ["c", "a"] }))).toEqual(["c", "a"]);
    expect(providersOf(of({}))).toEqual(["b"]);
    expect(of({}).rejected.map(({ constraint }) => constraint)).toEqual([
      "allow_fallbacks",
      "allow_fallbacks",
    ]);
  });

  test("sort and suffixes turn balancing off", () => {
    const health = healthOf({
      a: { firstContentMs: 900, tokensPerSecond: 20, inFlight: 9 },
      b: { firstContentMs: 500, tokensPerSecond: 10, inFlight: 9 },
      c: { firstContentMs: 300, tokensPerSecond: 90, inFlight: 9 },
    });
    const by = (sort: "price" | "throughput" | "latency") =>
      providersOf(plan({ preferences: { sort: { by: sort, partition: "model" } } }, { health }));
    expect(by("price")).toEqual(["b", "a", "c"]);
    expect(by("throughput")).toEqual(["c", "a", "b"]);
    expect(by("latency")).toEqual(["c", "b", "a"]);
    const nitro = plan({ asked: "m:nitro" }, { health });
    expect([nitro.routes[0]?.reason, ...providersOf(nitro)]).toEqual([
      "asked:nitro",
      "c",
      "a",
      "b",
    ]);
    expect(plan({ asked: "m:floor" }, { health }).routes[0]?.reason).toBe("asked:floor");
  });

  test("partition none sorts the endpoints of all models together", () => {
    const of = market({
      providers: [{ id: "a" }, { id: "b" }],
      endpoints: [
        { provider: "a", input: 5 },
        { provider: "b", input: 1, model: "n" },
        { provider: "a", input: 9, model: "n" },
      ],
    });
    const sort = { by: "price", partition: "none" } as const;
    const made = plan({ models: ["n"], preferences: { sort } }, {}, of);
    expect(made.routes.map(({ key }) => key)).toEqual([
      "b/n@config:b",
      "a/m@config:a",
      "a/n@config:a",
    ]);
  });

  test("preferred speeds put slower endpoints behind, and leave none out", () => {
    const health = healthOf({ b: { firstContentMs: 5_000, tokensPerSecond: 5 } });
    for (const preferences of [{ preferredMaxLatencyMs: 1_000 }, { preferredMinThroughput: 20 }]) {
      expect(providersOf(plan({ preferences }, { health }))).toEqual(["a", "c", "b"]);
    }
  });

  test("max_price is hard for input, output and the request", () => {
    const of = market({
      providers: [{ id: "a" }, { id: "b" }, { id: "c" }, { id: "d" }],
      endpoints: [
        { provider: "a", input: 1, output: 5 },
        { provider: "b", input: 2, output: 4 },
        { provider: "c", input: 1, output: 4, request: 0.01 },
        { provider: "d" },
      ],
    });
    const under = (maxPrice: NonNullable<ProviderPreferences["maxPrice"]>) =>
      providersOf(plan({ preferences: { maxPrice } }, {}, of)).toSorted();
    expect(under({ prompt: 1 })).toEqual(["a", "c"]);
    expect(under({ completion: 4 })).toEqual(["b", "c"]);
    expect(under({ prompt: 2, request: 0.001 })).toEqual(["a", "b"]);
    expect(
      failureOf(() => plan({ preferences: { maxPrice: { prompt: 0.5 } } }, {}, of)),
    ).toMatchObject({
      code: "no_route",
      message: expect.stringMatching(/provider\.max_price.*Raise provider\.max_price/) as string,
    });
  });

  test("max_cost bounds what the request will cost", () => {
    const wishes = { maxCostUsd: 0.004 };
    expect(providersOf(plan({ wishes }))).toEqual(["b", "a"]);
  });

  test("a region is hard, takes in what lies in it, and refuses what is not known", () => {
    const of = market({
      providers: [
        { id: "a", region: "eu-west-1" },
        { id: "b", region: "us-east-1" },
        { id: "c", region: "europe-west4" },
        { id: "d" },
      ],
      endpoints: ["a", "b", "c", "d"].map((id) => ({ provider: id, input: 1 })),
    });
    const inside = (...region: string[]) =>
      providersOf(plan({ preferences: { region } }, {}, of)).toSorted();
    expect(inside("eu")).toEqual(["a"]);
    expect(inside("eu", "europe")).toEqual(["a", "c"]);
    expect(inside("us-east-1")).toEqual(["b"]);
  });

  test("zdr and data_collection keep to what is documented", () => {
    const of = market({
      providers: [{ id: "a" }, { id: "b", zdr: true }],
      endpoints: [
        { provider: "a", input: 1 },
        { provider: "b", input: 5 },
      ],
    });
    expect(providersOf(plan({ preferences: { zdr: true } }, {}, of))).toEqual(["b"]);
    expect(providersOf(plan({ preferences: { dataCollection: "deny" } }, {}, of))).toEqual(["b"]);
  });

  test("require_parameters leaves out models that are known not to take tools", () => {
    const of = market({
      providers: [{ id: "a" }],
      endpoints: [
        { provider: "a", input: 1 },
        { provider: "a", input: 2, model: "n" },
      ],
      models: [model("m", { capabilities: { tools: false } }), model("n")],
    });
    const asking = { models: ["n"], needs: { tools: true } };
    expect(plan(asking, {}, of).routes).toHaveLength(2);
    const made = plan({ ...asking, preferences: { requireParameters: true } }, {}, of);
    expect(made.routes.map(({ model: { id } }) => id)).toEqual(["n"]);
    expect(made.rejected[0]?.constraint).toBe("require_parameters");
  });

  test.each([
    [{ only: ["a"], ignore: ["a"] }, /provider\.only and provider\.ignore.*"a"/],
    [{ order: ["a"], ignore: ["a"] }, /provider\.order and provider\.ignore/],
    [{ order: ["a"], only: ["b"] }, /provider\.order and provider\.only/],
    [{ only: [] }, /provider\.only is empty/],
    [{ order: ["openay"] }, /provider\.order: there is no provider "openay". Did you mean openai/],
  ] as const)("%j is refused, naming both fields", (preferences, message) => {
    const failure = failureOf(() => plan({ preferences }));
    expect(failure.code).toBe("invalid_request");
    expect(failure.message).toMatch(message);
  });

  test("a suffix and a sort that differ are refused; a known provider without a key is not", () => {
    const sort = { by: "price", partition: "model" } as const;
    expect(failureOf(() => plan({ asked: "m:nitro", preferences: { sort } })).message).toMatch(
      /model and provider\.sort/,
    );
    expect(plan({ preferences: { order: ["mistral", "c"] } }).routes[0]?.endpoint.provider).toBe(
      "c",
    );
    expect(failureOf(() => plan({ preferences: { only: ["mistral"] } })).message).toMatch(
      /MISTRAL_API_KEY/,
    );
  });

  test("nothing left: every bound is named, and what to relax", () => {
    const preferences = { ignore: ["a"], maxPrice: { prompt: 2 } };
    const failure = failureOf(() => plan({ preferences, needs: { modalities: ["audio"] } }));
    expect(failure).toMatchObject({ code: "no_route" });
    expect(failure.message).toMatch(/a\/m: in provider\.ignore/);
    expect(failure.message).toMatch(/b\/m: it does not take audio/);
    expect(failure.message).toMatch(/c\/m: dearer than provider\.max_price/);
    expect(failure.message).toMatch(/provider\.ignore, or .*name another model\.$/);
  });
});

describe("planRoutes: conversations", () => {
  const cached = market({
    providers: [{ id: "a" }, { id: "b" }],
    endpoints: [
      { provider: "a", input: 1.4, cacheRead: 0.1 },
      { provider: "b", input: 1 },
    ],
  });
  const previous = { key: "a/m@config:a", model: "m", cachedTokens: 9_000, ageMs: 1_000, turns: 2 };

  test("stay where their prompt cache is", () => {
    const made = plan({ previous }, {}, cached);
    expect(made.routes[0]).toMatchObject({ key: previous.key, reason: "sticky" });
    expect(made.sticky).toEqual({ key: previous.key, cachedTokens: 9_000 });
  });

  test("move when it is closed, too old, worth nothing, or the caller gives an order", () => {
    const moved = (asking: Asking, more: Partial<PlanContext> = {}) => {
      const made = plan({ previous, ...asking }, more, cached);
      expect(made.sticky).toBeUndefined();
      return made.routes[0]?.endpoint.provider;
    };
    expect(moved({}, { health: healthOf({ a: { state: "open" } }) })).toBe("b");
    expect(moved({ previous: { ...previous, ageMs: 600_001 } })).toBe("b");
    expect(moved({ preferences: { order: ["b"] } })).toBe("b");
    expect(moved({ previous: { ...previous, cachedTokens: 900 } })).toBe("b");
    expect(moved({ asked: "m:floor" })).toBe("b");
    const other = { ...previous, key: "b/m@config:b" };
    expect(plan({ previous: other }, {}, cached).sticky).toBeUndefined();
  });
});

describe("planRoutes: the operator's policy", () => {
  const facts = {
    providers: [{ id: "a" }, { id: "b", region: "eu-west-1" }],
    endpoints: [
      { provider: "a", input: 1, context: 8_000 },
      { provider: "b", input: 2, context: 8_000 },
      { provider: "a", input: 3, model: "n", context: 200_000 },
      { provider: "b", input: 4, model: "o", context: 8_000 },
    ],
  };
  const under = (policy: Partial<RoutingPolicy>, asking: Asking = {}, nowMs?: number): Plan =>
    plan(asking, nowMs === undefined ? {} : { nowMs }, market({ ...facts, policy }));
  const names = ({ routes }: Plan) => routes.map(({ model: { id }, reason }) => `${id} ${reason}`);

  test("a chain follows the asked model, its own before that of all", () => {
    const fallbacks = new Map([
      ["m", ["n", "gone"]],
      ["*", ["o"]],
    ]);
    expect(names(under({ fallbacks }))).toEqual(["m cheapest", "m fallback", "n chain:m"]);
    expect(names(under({ fallbacks }, { asked: "n" }))).toEqual(["n asked", "o chain:*"]);
    expect(names(under({ fallbacks }, { models: ["o"] }))).toEqual([
      "m cheapest",
      "m fallback",
      "o fallback",
      "n chain:m",
    ]);
  });

  test("an endpoint is never in a plan twice", () => {
    const fallbacks = new Map([["*", ["m", "n", "n"]]]);
    const keys = under({ fallbacks }, { models: ["m", "n"] }).routes.map(({ key }) => key);
    expect(keys).toEqual([...new Set(keys)]);
  });

  test("a group shares by weight, and a conversation keeps its choice", () => {
    const groups = new Map([
      [
        "mine",
        [
          { model: "n", weight: 3 },
          { model: "o", weight: 1 },
        ],
      ],
    ]);
    const first = (stableId: string) => under({ groups }, { asked: "mine", stableId }).routes[0];
    const ids = Array.from({ length: 400 }, (_, at) => first(`session ${at}`)?.model.id);
    const share = ids.filter((id) => id === "n").length / ids.length;
    expect(share).toBeGreaterThan(0.68);
    expect(share).toBeLessThan(0.82);
    expect(first("session 7")?.key).toBe(first("session 7")?.key);
    expect(names(under({ groups }, { asked: "mine", stableId: "x" })).toSorted()).toEqual([
      "n group:mine",
      "o group:mine",
    ]);
  });

  test("a canary gets its share of the conversations, and the asked model follows", () => {
    const canaries = new Map([["m", { to: "n", percent: 20 }]]);
    const reasons = Array.from(
      { length: 500 },
      (_, at) => under({ canaries }, { stableId: `user ${at}` }).routes[0]?.reason,
    );
    const share = reasons.filter((reason) => reason === "canary").length / reasons.length;
    expect(share).toBeGreaterThan(0.14);
    expect(share).toBeLessThan(0.26);
    const all = under({ canaries: new Map([["m", { to: "n", percent: 100 }]]) });
    expect(names(all)).toEqual(["n canary", "m fallback", "m fallback"]);
  });

  test("too long for the asked model: larger siblings and the operator's models", () => {
    const made = under({ onContextLength: ["n"] });
    expect(names({ ...made, routes: made.onFailure.context_length_exceeded ?? [] })).toEqual([
      "n chain:context",
    ]);
    const long = under({ onContextLength: ["n"] }, { needs: { inputTokens: 50_000 } });
    expect(names(long)).toEqual(["n chain:context"]);
    expect(() => under({}, { needs: { inputTokens: 50_000 } })).toThrow(/too small/);
  });

  test("content policy and regions have chains of their own", () => {
    const made = under({ onContentPolicy: ["o"], onRegionFailure: ["n"] }, { asked: "o" });
    expect(made.onFailure.content_policy?.map(({ model: { id } }) => id)).toEqual(["o"]);
    expect(made.onFailure.region?.map(({ model: { id } }) => id)).toEqual(["n"]);
  });

  test("a window's rules hold in its time zone, past midnight on the day it began", () => {
    const fallbacks = new Map([["*", ["n"]]]);
    const windows = [
      {
        fromMinute: 22 * 60,
        toMinute: 6 * 60,
        days: new Set([5]),
        timeZone: "Europe/Berlin",
        rules: { fallbacks },
      },
    ];
    const count = (nowMs: number) => under({ windows }, {}, nowMs).routes.length;
    // 20 November 2026 is a Friday; Berlin is an hour ahead of UTC.
    expect(count(Date.UTC(2026, 10, 20, 20, 59))).toBe(2);
    expect(count(Date.UTC(2026, 10, 20, 21, 0))).toBe(3);
    expect(count(Date.UTC(2026, 10, 21, 4, 59))).toBe(3);
    expect(count(Date.UTC(2026, 10, 21, 5, 0))).toBe(2);
    expect(count(Date.UTC(2026, 10, 21, 22, 0))).toBe(2);
  });

  test("an unknown model is an error with near names, one of the operator's own is passed over", () => {
    expect(failureOf(() => under({}, { asked: "mm" })).code).toBe("unknown_model");
    expect(failureOf(() => under({}, { models: ["zzz"] })).code).toBe("unknown_model");
    expect(names(under({ fallbacks: new Map([["*", ["zzz"]]]) }))).toHaveLength(2);
  });
});

const STATES: readonly HealthState[] = ["healthy", "degraded", "open", "probing", "recovering"];
const IDS = ["a", "b", "c", "d", "e", "f", "g"];

const anyHealth: fc.Arbitrary<Partial<EndpointHealth>> = fc.record({
  state: fc.constantFrom(...STATES),
  weight: fc.double({ min: 0.01, max: 1, noNaN: true }),
  firstContentMs: fc.integer({ min: 50, max: 5_000 }),
  tokensPerSecond: fc.integer({ min: 1, max: 200 }),
  inFlight: fc.integer({ min: 0, max: 25 }),
  concurrencyLimit: fc.constant(20),
});

const anyMarket: fc.Arbitrary<MarketFacts> = fc.record({
  providers: fc.uniqueArray(
    fc.record({
      id: fc.constantFrom(...IDS),
      region: fc.constantFrom("eu-west-1", "us-east-1"),
      credential: fc.constantFrom("1", "2"),
      zdr: fc.boolean(),
    }),
    { minLength: 1, maxLength: 10, selector: ({ id, credential }) => `${id} ${credential}` },
  ),
  endpoints: fc.uniqueArray(
    fc.record({
      provider: fc.constantFrom(...IDS),
      model: fc.constantFrom("m", "n"),
      input: fc.double({ min: 0, max: 20, noNaN: true }),
      context: fc.constantFrom(500, 8_000, 200_000),
    }),
    { minLength: 1, maxLength: 14, selector: ({ provider: id, model: name }) => `${id} ${name}` },
  ),
});

const anyPreferences: fc.Arbitrary<Partial<ProviderPreferences>> = fc
  .record(
    {
      order: fc.uniqueArray(fc.constantFrom(...IDS), { minLength: 1, maxLength: 3 }),
      only: fc.uniqueArray(fc.constantFrom(...IDS), { minLength: 3, maxLength: 7 }),
      ignore: fc.uniqueArray(fc.constantFrom(...IDS), { minLength: 1, maxLength: 2 }),
      zdr: fc.boolean(),
      dataCollection: fc.constantFrom("allow" as const, "deny" as const),
      region: fc.constantFrom(["eu"], ["us"]),
      maxPrice: fc.record({ prompt: fc.integer({ min: 1, max: 20 }) }),
      allowFallbacks: fc.boolean(),
      sort: fc.record({
        by: fc.constantFrom("price" as const, "latency" as const, "throughput" as const),
        partition: fc.constantFrom("model" as const, "none" as const),
      }),
    },
    { requiredKeys: [] },
  )
  .map((preferences) => preferences);

const anyCase = fc.record({
  facts: anyMarket,
  preferences: anyPreferences,
  health: fc.dictionary(fc.constantFrom(...IDS), anyHealth),
  seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  models: fc.constantFrom([], ["n"], ["n", "m"]),
});

type Case = typeof anyCase extends fc.Arbitrary<infer T> ? T : never;

/** Providers of the test are not in the table: they are known because all have a credential. */
const complete = ({ facts }: Case): Market =>
  market({
    ...facts,
    providers: [
      ...facts.providers,
      ...IDS.filter((id) => !facts.providers.some((one) => one.id === id)).map((id) => ({ id })),
    ],
    models: [model("m"), model("n")],
  });

/** `undefined`: the request was refused, or nothing was left. */
function planOf(one: Case, of = complete(one), health = one.health): Plan | undefined {
  const asking = { models: one.models, preferences: one.preferences };
  try {
    return plan(asking, { seed: one.seed, health: healthOf(health) }, of);
  } catch (error) {
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}

describe("planRoutes: for any market, health and preferences", () => {
  test("the same inputs and seed give the same plan", () => {
    fc.assert(
      fc.property(anyCase, (one) => {
        const keys = (made: Plan | undefined) =>
          made?.routes.map(({ key, reason, numbers }) => ({ key, reason, numbers }));
        expect(keys(planOf(one, complete(one)))).toEqual(keys(planOf(one, complete(one))));
      }),
    );
  });

  test("no hard bound is broken, and no endpoint comes twice", () => {
    fc.assert(
      fc.property(anyCase, (one) => {
        const made = planOf(one);
        const { only, ignore, zdr, dataCollection, region, maxPrice } = one.preferences;
        for (const { endpoint: at, configured, regions, numbers } of made?.routes ?? []) {
          expect(only === undefined || only.includes(at.provider)).toBe(true);
          expect(ignore?.includes(at.provider)).not.toBe(true);
          if (zdr === true) expect(configured.provider.retention?.days).toBe(0);
          if (dataCollection === "deny")
            expect(configured.provider.retention?.trainsOnApiData).toBe(false);
          if (region !== undefined) expect(regions[0]?.startsWith(region[0] ?? "?")).toBe(true);
          const price = pricesAt(at, NEEDS.inputTokens)?.input ?? Infinity;
          if (maxPrice?.prompt !== undefined)
            expect(price).toBeLessThanOrEqual(maxPrice.prompt * MILLION);
          expect((at.contextTokens ?? 0) * 1.2).toBeGreaterThanOrEqual(NEEDS.inputTokens);
          expect(numbers.state).not.toBe("open");
        }
        const keys = (made?.routes ?? []).map(({ key }) => key);
        expect(new Set(keys).size).toBe(keys.length);
      }),
    );
  });

  test("every configured endpoint is a route or a rejection with its reason", () => {
    fc.assert(
      fc.property(anyCase, (one) => {
        const of = complete(one);
        const made = planOf(one, of);
        if (made === undefined) return;
        const names = one.preferences.allowFallbacks === false ? ["m"] : ["m", ...one.models];
        const all = names.flatMap((name) => findCandidates(name, of, NEEDS)?.candidates ?? []);
        const told = new Set([...made.routes, ...made.rejected].map(({ key }) => key));
        expect(all.filter(({ key }) => !told.has(key))).toEqual([]);
        for (const { reason, relax } of made.rejected) {
          expect(reason).not.toBe("");
          expect(relax).not.toBe("");
        }
      }),
    );
  });

  const placeOf = (made: Plan | undefined, key: string): number => {
    const at = made?.routes.findIndex((route) => route.key === key) ?? -1;
    return at === -1 ? Infinity : at;
  };
  const sorted = (one: Case, by: "price" | "latency"): Case => {
    const { order: _order, allowFallbacks: _allowed, ...rest } = one.preferences;
    return { ...one, preferences: { ...rest, sort: { by, partition: "model" } }, models: [] };
  };

  test("sorted by price, a lower price never puts an endpoint back", () => {
    fc.assert(
      fc.property(anyCase, fc.double({ min: 0, max: 1, noNaN: true }), (any, factor) => {
        const one = sorted(any, "price");
        const first = one.facts.endpoints.find(({ model: name }) => name === "m");
        if (first === undefined) return;
        const cheaper = one.facts.endpoints.map((at) =>
          at === first ? { ...at, input: (at.input ?? 0) * factor } : at,
        );
        const before = planOf(one);
        const after = planOf({ ...one, facts: { ...one.facts, endpoints: cheaper } });
        for (const credential of ["1", "2", first.provider]) {
          const key = `${first.provider}/m@config:${credential}`;
          expect(placeOf(after, key)).toBeLessThanOrEqual(placeOf(before, key));
        }
      }),
    );
  });

  test("better health never puts an endpoint back", () => {
    fc.assert(
      fc.property(anyCase, fc.constantFrom("price" as const, "latency" as const), (any, by) => {
        const one = sorted(any, by);
        const [[id, health] = ["a", {}]] = Object.entries(one.health);
        const better: Partial<EndpointHealth> = {
          ...health,
          state: "healthy",
          weight: 1,
          inFlight: 0,
          firstContentMs: (health.firstContentMs ?? 1_000) / 2,
        };
        const before = planOf(one);
        const after = planOf(one, complete(one), { ...one.health, [id]: better });
        // Its credentials, all of them better now, take turns among the places that they have.
        const places = (of: typeof before): readonly number[] =>
          ["1", "2", id]
            .map((credential) => placeOf(of, `${id}/m@config:${credential}`))
            .toSorted((a, b) => a - b);
        const earlier = places(before);
        for (const [at, place] of places(after).entries()) {
          expect(place).toBeLessThanOrEqual(earlier[at] ?? Infinity);
        }
      }),
    );
  });
});

describe("planRoutes: effort", () => {
  test("each endpoint is looked at once, also where there are a thousand", () => {
    const ids = Array.from({ length: 1_000 }, (_, at) => `p${at}`);
    const of = market({
      providers: ids.map((id) => ({ id })),
      endpoints: ids.map((id, at) => ({ provider: id, input: 1 + at / 1_000 })),
    });
    let looks = 0;
    const health = {
      of: (key: string) => {
        looks++;
        return ALL_HEALTHY.of(key);
      },
    };
    expect(plan({}, { health }, of).routes).toHaveLength(1_000);
    expect(looks).toBe(1_000);
  });
});
