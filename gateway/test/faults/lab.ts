import { vi } from "vitest";

import { buildCatalog } from "#catalog/catalog.ts";
import { isObject, type JsonObject } from "#lib/json.ts";
import { HealthTracker } from "#health/health-tracker.ts";
import { DEFAULT_HEALTH_PARAMETERS, type HealthParameters } from "#health/parameters.ts";
import { DEFAULT_TIMEOUTS, type Gateway, type Timeouts } from "#pipeline/gateway.ts";
import { handleRequest } from "#pipeline/handle-request.ts";
import { RetryBudget } from "#pipeline/retry-budget.ts";
import { configureProvider } from "#providers/configured-providers.ts";
import type { Market } from "#routing/market.ts";
import { DEFAULT_POLICY, type RoutingPolicy } from "#routing/policy.ts";
import { createSessionMemory } from "#routing/session-memory.ts";
import type { RequestRecord } from "#telemetry/request-record.ts";
import type { UpstreamRequest } from "#upstream/answer.ts";
import type { Behaviour } from "#test/faults/behaviour.ts";
import { RecordingSink, viewOf, type ClientView } from "#test/faults/client-view.ts";
import { memorySend, type OpenConnections } from "#test/faults/play-in-memory.ts";
import type { Protocol } from "#test/faults/wire.ts";
import { unboundMoney } from "#test/unbound-money.ts";
import { testAccess } from "#test/test-access.ts";

export type Mode = "stream" | "whole";

/** One key at one provider, and what that provider speaks. */
export interface RouteSpec {
  readonly provider: string;
  readonly key: string;
  readonly protocol: Protocol;
  readonly contextTokens?: number;
  /** USD for a million tokens. */
  readonly prices?: { readonly input: number; readonly output: number };
}

/** `alpha/one`: how tests name a route. */
export const nameOf = ({ provider, key }: Pick<RouteSpec, "provider" | "key">): string =>
  `${provider}/${key}`;

/** As the gateway names it. */
export const healthKeyOf = ({ provider, key }: RouteSpec): string =>
  `${provider}/m-1@config:${provider}/${key}`;

/** Words that may stand in no log and no record; the key may not go back to a client either. */
export const PROMPT_CANARY = "canary-prompt-7f3a";
export const CLIENT_KEY_CANARY = "canary-client-key-91c2";
export const secretOf = ({ provider, key }: Pick<RouteSpec, "provider" | "key">): string =>
  `sk-canary0000${provider}0000${key}0000`;

export interface UpstreamCall {
  readonly route: string;
  /** Milliseconds since the request began. */
  readonly atMs: number;
  readonly body: string;
}

interface LabOptions {
  readonly routes: readonly RouteSpec[];
  /** What a route does with its nth call (from 0), in the protocol that it was called in. */
  readonly upstream: (route: string, nth: number, protocol: Protocol) => Behaviour;
  readonly policy?: Partial<RoutingPolicy>;
  readonly timeouts?: Partial<Timeouts>;
  readonly health?: Partial<HealthParameters>;
  readonly random?: () => number;
}

export interface Ask {
  readonly protocol: Protocol;
  readonly mode: Mode;
  readonly tools?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** The providers are tried in the order of the lab's routes. */
  readonly ordered?: boolean;
  /** Members of the body besides the usual ones. */
  readonly body?: JsonObject;
  /** The client leaves after so many milliseconds. */
  readonly leavesAfterMs?: number;
}

/** One request through the whole pipeline. */
export interface Run {
  readonly view: ClientView;
  readonly sink: RecordingSink;
  readonly calls: readonly UpstreamCall[];
  readonly records: readonly RequestRecord[];
  readonly tookMs: number;
}

/** The first dice of a run: low enough that tool calls of streams are looked at. */
const DICE = 0.05;
const MICRO = 1_000_000;

/**
 * The real pipeline, plan and health over scripted upstreams and a fake clock; the clock must have
 * been faked by `vi.useFakeTimers`.
 */
export class Lab {
  readonly health: HealthTracker;
  readonly logs: unknown[] = [];
  readonly records: RequestRecord[] = [];
  readonly calls: UpstreamCall[] = [];
  readonly open: OpenConnections = { count: 0 };
  readonly retries = new RetryBudget();
  readonly #gateway: Gateway;
  readonly #order: readonly string[];
  #began = 0;
  #asked = 0;

  constructor(options: LabOptions) {
    const random = options.random ?? ((): number => DICE);
    const tick = (): number => performance.now();
    const parameters = { ...DEFAULT_HEALTH_PARAMETERS, ...options.health };
    this.health = new HealthTracker({ tick, random, parameters });
    const market = marketOf(options);
    this.#order = [...market.providers.keys()];
    const times = new Map<string, number>();
    const decide = (request: UpstreamRequest): Behaviour => {
      const route = routeOf(request);
      const nth = times.get(route) ?? 0;
      times.set(route, nth + 1);
      const body = request.body?.toString() ?? "";
      this.calls.push({ route, atMs: tick() - this.#began, body });
      return options.upstream(route, nth, protocolOf(request));
    };
    const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
    const log =
      (level: string) =>
      (facts: unknown, message: string): void =>
        void this.logs.push({ level, facts, message });
    this.#gateway = {
      instanceId: "lab",
      keys: { authenticate: () => testAccess() },
      market: () => market,
      marketFor: () => market,
      send: memorySend(decide, this.open),
      writeRecord: async (record) => void this.records.push(record),
      ...unboundMoney(),
      responses: { put: async () => {}, get: async () => undefined, delete: async () => false },
      log: { error: log("error"), warn: log("warn"), info: log("info"), debug: log("debug") },
      timeouts: () => timeouts,
      health: this.health,
      retries: this.retries,
      sessions: createSessionMemory({ tick }),
      // Learning is `auto`'s alone, and here models are named.
      learner: {
        isEnabled: () => false,
        evidence: () => ({}),
        noteEnd: () => undefined,
        score: async () => undefined,
      },
      tick,
      random,
    };
  }

  #withOrder(ask: Ask): Ask {
    const body = { ...ask.body, provider: { order: this.#order } };
    return ask.ordered === true ? { ...ask, body } : ask;
  }

  /** Runs one request to its end, moving the clock from timer to timer. */
  async ask(ask: Ask): Promise<Run> {
    const [calls, records] = [this.calls.length, this.records.length];
    this.#began = performance.now();
    const sink = new RecordingSink();
    const gone = new AbortController();
    const leaving =
      ask.leavesAfterMs === undefined
        ? undefined
        : setTimeout(() => gone.abort(), ask.leavesAfterMs);
    let done = false;
    const served = handleRequest(
      {
        requestId: `req-${++this.#asked}`,
        operation: "chat",
        protocol: ask.protocol,
        headers: { authorization: `Bearer ${CLIENT_KEY_CANARY}`, ...ask.headers },
        body: Buffer.from(JSON.stringify(bodyOf(this.#withOrder(ask)))),
        startedAt: 1_790_000_000_000,
        startedTick: this.#began,
        clientGone: gone.signal,
        sink,
      },
      this.#gateway,
    ).finally(() => (done = true));
    await untilDone(() => done);
    await served;
    clearTimeout(leaving);
    const streamed = sink.counts.startStream > 0;
    const { status = 0, headers, body } = sink;
    return {
      view: viewOf(ask.protocol, { status, headers, body, streamed }),
      sink,
      calls: this.calls.slice(calls),
      records: this.records.slice(records),
      tookMs: performance.now() - this.#began,
    };
  }
}

const MAX_TIMERS = 50_000;
const MAX_IDLE_TURNS = 100;

/** A run without timers and without an end hangs. */
async function untilDone(isDone: () => boolean): Promise<void> {
  let idle = 0;
  for (let timers = 0; !isDone(); timers++) {
    idle = vi.getTimerCount() === 0 ? idle + 1 : 0;
    if (timers > MAX_TIMERS || idle > MAX_IDLE_TURNS) throw new Error("the request never ends");
    await vi.advanceTimersToNextTimerAsync();
  }
}

/** The route that a request goes to, by its host and its credential. */
function routeOf({ url, headers }: UpstreamRequest): string {
  const credential = headers["authorization"] ?? headers["x-api-key"] ?? "";
  const key = /0000([a-z]+)0000([a-z]+)0000/.exec(credential);
  const host = url.hostname.split(".")[0] ?? "";
  if (key?.[1] !== host) throw new Error(`the key of ${key?.[1]} went to ${host}`);
  return `${host}/${key[2]}`;
}

/** A provider of Responses is asked in Chat Completions where the client speaks them. */
function protocolOf({ url }: UpstreamRequest): Protocol {
  if (url.pathname.endsWith("/messages")) return "anthropic-messages";
  return url.pathname.endsWith("/responses") ? "openai-responses" : "openai-chat";
}

/** One model, at the providers of the routes. */
function marketOf({ routes, policy }: LabOptions): Market {
  const providers = Map.groupBy(routes, ({ provider }) => provider);
  return {
    catalog: buildCatalog({
      schema: 1,
      asOf: "2026-11-01",
      sources: [],
      models: [
        {
          id: "m",
          name: "M",
          author: "nobody",
          kind: "chat",
          aliases: [],
          input: ["text"],
          output: ["text"],
          capabilities: { tools: true, reasoning: false },
        },
      ],
      endpoints: [...providers.values()].flatMap(([first]) =>
        first === undefined ? [] : [endpointOf(first)],
      ),
    }),
    providers: new Map(
      [...providers].map(([id, keys]) => [id, keys.map((key) => configuredOf(key))]),
    ),
    aliases: new Map(),
    policy: { ...DEFAULT_POLICY, ...policy },
  };
}

const endpointOf = ({ provider, contextTokens, prices }: RouteSpec) => ({
  model: "m",
  provider,
  upstreamModel: "m-1",
  contextTokens: contextTokens ?? 100_000,
  prices: { input: (prices?.input ?? 1) * MICRO, output: (prices?.output ?? 2) * MICRO },
  source: { name: "test", date: "2026-11-01" },
});

const configuredOf = (route: RouteSpec) =>
  configureProvider(route.provider, {
    name: route.key,
    secret: secretOf(route),
    baseUrl: `https://${route.provider}.test/v1`,
    compatible: route.protocol,
  });

const PARAMETERS = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
};

const TOOLS: Readonly<Record<Protocol, JsonObject>> = {
  "openai-chat": {
    tools: [{ type: "function", function: { name: "look_up", parameters: PARAMETERS } }],
  },
  "openai-responses": { tools: [{ type: "function", name: "look_up", parameters: PARAMETERS }] },
  "anthropic-messages": { tools: [{ name: "look_up", input_schema: PARAMETERS }] },
};

/** The same question in each dialect. */
export function bodyOf({ protocol, mode, tools, body }: Ask): JsonObject {
  const messages = [{ role: "user", content: PROMPT_CANARY }];
  return {
    model: "m",
    stream: mode === "stream",
    ...(protocol === "openai-responses" ? { input: PROMPT_CANARY } : { messages }),
    ...(protocol === "anthropic-messages" && { max_tokens: 1000 }),
    ...(tools === true && TOOLS[protocol]),
    ...(isObject(body) && body),
  };
}
