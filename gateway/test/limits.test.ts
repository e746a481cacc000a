import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import type { PolicyDocument } from "@turnpike/contract/governance.ts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { asObject, type JsonObject } from "#lib/json.ts";
import { revokeKeys } from "#store/keys.ts";
import { openStore, type Store } from "#store/store.ts";
import { makeDatabase } from "#test/databases.ts";
import { json, sse, startFakeUpstream, status, type Script } from "#test/fake-upstream.ts";
import { directoryRead, setBudget } from "#test/govern.ts";
import {
  PROCESS_MASTER_KEY,
  startProcess,
  type GatewayProcess,
} from "#test/money/gateway-process.ts";
import { startGateway, type TestGateway } from "#test/start-gateway.ts";
import { tenancyOf, type Tenancy } from "#test/tenancy.ts";
import { hasValkey, startValkey, type ValkeyServer } from "#test/valkey-server.ts";

const COMPLETION: JsonObject = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "gpt-4o-mini-2024-07-18",
  choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 30, completion_tokens: 20, total_tokens: 50 },
};

const MESSAGES = [{ role: "user", content: "hello" }];
const CHAT = { model: "openai/gpt-4o-mini", messages: MESSAGES };

type Limits = NonNullable<PolicyDocument["limits"]>;
type Ask = (body?: JsonObject, init?: RequestInit) => Promise<Response>;

const asking =
  (gateway: Pick<TestGateway, "url">, key: string): Ask =>
  (body = CHAT, init = {}) =>
    fetch(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      ...init,
    });

const until200 = (url: string, key: string): Promise<void> =>
  expect
    .poll(async () => (await fetch(`${url}/v1/key`, { headers: { "x-api-key": key } })).status, {
      timeout: 3_000,
    })
    .toBe(200);

const messageOf = async (response: Response): Promise<string> =>
  String(asObject(asObject(await response.json())["error"])["message"]);

describe("limits of one gateway", () => {
  let gateway: TestGateway;
  let store: Store;
  let tenancy: Tenancy;
  beforeAll(async () => {
    gateway = await startGateway();
    store = await openStore({ home: gateway.home });
    tenancy = tenancyOf(store, gateway.home);
  });
  afterAll(async () => {
    await gateway.close();
    await store.close();
  });
  beforeEach(() => {
    gateway.upstream.requests.length = 0;
    gateway.upstream.answer(json(COMPLETION));
  });

  /** A key with limits of its own. */
  async function limited(limits: Limits): Promise<{ ask: Ask; key: string; id: string }> {
    const { key, id } = await tenancy.key();
    await tenancy.policy("key", id, { limits });
    await until200(gateway.url, key);
    return { key, id, ask: asking(gateway, key) };
  }

  test("exactly the limit is let through; the 429 names limit, level and when it frees", async () => {
    const { ask } = await limited({ requestsPerMinute: 5 });
    const answers = await Promise.all(Array.from({ length: 12 }, () => ask()));
    const codes = answers.map(({ status: code }) => code).toSorted((one, other) => one - other);
    expect(codes).toEqual([200, 200, 200, 200, 200, 429, 429, 429, 429, 429, 429, 429]);
    const refused = await ask();
    const seconds = Number(refused.headers.get("retry-after"));
    expect(seconds).toBeGreaterThan(50);
    expect(seconds).toBeLessThanOrEqual(61);
    expect(Number(refused.headers.get("retry-after-ms"))).toBeGreaterThan(50_000);
    expect(refused.headers.get("x-ratelimit-remaining-requests")).toBe("0");
    expect(await messageOf(refused)).toMatch(
      /^The limit of the key is 5 requests a minute \(requestsPerMinute of policy pol_\w+\), and 5 are used\. Enough of it is free in \d+ s\.$/,
    );
    expect(gateway.upstream.requests).toHaveLength(5);
  });

  test("answers of limited keys tell where they stand, in the names of the dialect", async () => {
    const { ask, key } = await limited({ requestsPerMinute: 5, tokensPerMinute: 10_000 });
    const { headers } = await ask({ ...CHAT, max_tokens: 100 });
    const told = (name: string): string | null => headers.get(`x-ratelimit-${name}`);
    expect([told("limit-requests"), told("remaining-requests"), told("reset-requests")]).toEqual([
      "5",
      "4",
      "1m0s",
    ]);
    expect(told("limit-tokens")).toBe("10000");
    expect(Number(told("remaining-tokens"))).toBeGreaterThan(9_800);
    expect(Number(told("remaining-tokens"))).toBeLessThan(9_900);
    const claude = await fetch(`${gateway.url}/v1/messages`, {
      method: "POST",
      headers: { "x-api-key": key },
      body: JSON.stringify({ ...CHAT, max_tokens: 100 }),
    });
    expect(claude.headers.get("anthropic-ratelimit-requests-limit")).toBe("5");
    expect(claude.headers.get("anthropic-ratelimit-requests-remaining")).toBe("3");
    expect(claude.headers.get("anthropic-ratelimit-requests-reset")).toMatch(/^\d{4}-.*\dZ$/);
    expect(claude.headers.get("anthropic-ratelimit-tokens-limit")).toBe("10000");
    expect(claude.headers.has("x-ratelimit-limit-requests")).toBe(false);
    const free = await gateway.post("/v1/chat/completions", CHAT);
    expect([...free.headers.keys()].filter((name) => /ratelimit/.test(name))).toEqual([]);
  });

  test("every dialect gets its own 429", async () => {
    const { key } = await limited({ requestsPerMinute: 0 });
    const post = async (path: string, body: JsonObject) => {
      const response = await fetch(gateway.url + path, {
        method: "POST",
        headers: { authorization: `Bearer ${key}` },
        body: JSON.stringify(body),
      });
      expect([response.status, response.headers.get("x-should-retry")]).toEqual([429, "false"]);
      return asObject(await response.json());
    };
    const contents = [{ role: "user", parts: [{ text: "hello" }] }];
    expect(await post("/v1/messages", { ...CHAT, max_tokens: 9 })).toMatchObject({
      type: "error",
      error: { type: "rate_limit_error" },
    });
    expect(
      await post("/v1beta/models/gemini-2.5-flash:generateContent", { contents }),
    ).toMatchObject({ error: { code: 429, status: "RESOURCE_EXHAUSTED" } });
    expect(await post("/v1/responses", { model: CHAT.model, input: "x" })).toMatchObject({
      error: { code: "rate_limit_exceeded" },
    });
    const embed = { model: "openai/text-embedding-3-small", input: "x" };
    expect(await post("/v1/embeddings", embed)).toMatchObject({
      error: { type: "rate_limit_error" },
    });
    const counted = await fetch(`${gateway.url}/v1/messages/count_tokens`, {
      method: "POST",
      headers: { "x-api-key": key },
      body: JSON.stringify({ ...CHAT, model: "groq/openai/gpt-oss-120b" }),
    });
    expect(counted.status).toBe(200);
  });

  test("tokens are reserved by their bound, and corrected to what was used", async () => {
    const { ask } = await limited({ tokensPerMinute: 1_000 });
    const bound = { ...CHAT, max_tokens: 800 };
    expect((await ask(bound)).status).toBe(200);
    // 50 were used: the rest of the reserve is back.
    const second = await ask(bound);
    expect(second.status).toBe(200);
    expect(Number(second.headers.get("x-ratelimit-remaining-tokens"))).toBeLessThan(150);
    const third = await ask({ ...CHAT, max_tokens: 950 });
    expect(third.status).toBe(429);
    expect(await messageOf(third)).toMatch(/1000 tokens a minute.*and 100 are used/);
  });

  test("a bound alone makes no request too large, an input does", async () => {
    const { ask } = await limited({ tokensPerMinute: 1_000 });
    expect((await ask({ ...CHAT, max_tokens: 32_000 })).status).toBe(200);
    const long = { ...CHAT, messages: [{ role: "user", content: "word ".repeat(2_000) }] };
    const refused = await ask(long);
    expect([refused.status, refused.headers.get("x-should-retry")]).toEqual([429, "false"]);
    expect(await messageOf(refused)).toMatch(/this request needs about \d{4}\. Waiting does not/);
  });

  test("end users and models are counted apart where a policy says so", async () => {
    const { ask } = await limited({
      perEndUser: { requestsPerMinute: 1 },
      perModel: { "gpt-4o*": { requestsPerMinute: 3 } },
    });
    const code = async (body: JsonObject): Promise<number> => (await ask(body)).status;
    expect(await code({ ...CHAT, user: "ada" })).toBe(200);
    const again = await ask({ ...CHAT, user: "ada" });
    expect(await messageOf(again)).toMatch(/1 requests a minute for each end user/);
    expect(await code({ ...CHAT, user: "bob" })).toBe(200);
    expect(await code(CHAT)).toBe(200);
    expect(await code(CHAT)).toBe(429);
    expect(await messageOf(await ask({ ...CHAT, user: "cy" }))).toMatch(/for each model/);
    expect(await code({ ...CHAT, user: "cy", model: "openai/gpt-4.1-mini" })).toBe(200);
  });

  test("a model whose limit is used up is passed over, and the record says why", async () => {
    const { ask, key } = await limited({
      requestsPerMinute: 9,
      perModel: { "gpt-4o*": { requestsPerMinute: 1 }, "gpt-4.1-nano": { concurrent: 0 } },
    });
    const chain = { ...CHAT, models: ["openai/gpt-4.1-nano", "openai/gpt-4.1-mini"] };
    const only = { provider: { only: ["openai"] } };
    const model = (response: Response): string | null => response.headers.get("x-turnpike-model");
    expect(model(await ask({ ...chain, ...only }))).toBe("gpt-4o-mini");
    const second = await ask({ ...chain, ...only });
    expect([second.status, model(second)]).toEqual([200, "gpt-4.1-mini"]);
    expect(second.headers.get("x-turnpike-attempts")).toBe("1");
    const id = second.headers.get("x-request-id") ?? "";
    const record = async (): Promise<string> =>
      (
        await fetch(`${gateway.url}/v1/generations/${id}`, { headers: { "x-api-key": key } })
      ).text();
    await expect
      .poll(record)
      .toMatch(
        /"skipped":\[\{"key":"openai\/gpt-4o-mini.*1 requests a minute for each model.*"key":"openai\/gpt-4.1-nano.*0 requests at once/,
      );
    // None is left: the limit of the model that was asked for is named, and the request counts for none.
    const refused = await ask({ ...CHAT, models: ["openai/gpt-4.1-nano"], ...only });
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).not.toBeNull();
    expect(await messageOf(refused)).toMatch(/1 requests a minute for each model/);
    const last = await ask({ ...CHAT, model: "openai/gpt-4.1-mini" });
    expect(last.headers.get("x-ratelimit-remaining-requests")).toBe("6");
  });

  test("a model is charged its own tokens only: what failed over counts for the one that answered", async () => {
    const { ask } = await limited({
      perModel: { "gpt-*": { tokensPerMinute: 100, concurrent: 1 } },
    });
    gateway.upstream.answer((request, response) => {
      const failing = String(request.body["model"]).startsWith("gpt-4o");
      return (failing ? status(500, {}) : json(COMPLETION))(request, response);
    });
    const body = {
      ...CHAT,
      max_tokens: 60,
      models: ["openai/gpt-4.1-mini"],
      provider: { only: ["openai"] },
    };
    expect((await ask(body)).headers.get("x-turnpike-model")).toBe("gpt-4.1-mini");
    gateway.upstream.answer(json(COMPLETION));
    // 50 of 100 are used by the other model, none by this one.
    expect((await ask({ ...body, models: [], max_tokens: 90 })).status).toBe(200);
    const other = { ...CHAT, model: "openai/gpt-4.1-mini", max_tokens: 60 };
    expect((await ask(other)).status).toBe(429);
  });

  test("GET /v1/key shows limits with what remains, the policy and the end, and takes nothing", async () => {
    const perModel = { "gpt-4o*": { concurrent: 3 } };
    const organizationId = await tenancy.organization("free");
    const projectId = await tenancy.project(organizationId);
    const { key, id } = await tenancy.key({ organizationId, projectId });
    const limits = { tokensPerMinute: 1_000, perModel };
    await tenancy.policy("key", id, {
      limits,
      maxRequestUsd: "0.25",
      models: { allow: ["demo*"] },
      noTraining: true,
    });
    await until200(gateway.url, key);
    expect((await asking(gateway, key)({ ...CHAT, model: "demo/echo" })).status).toBeLessThan(500);
    const described = async () =>
      asObject(
        asObject(
          await (await fetch(`${gateway.url}/v1/key`, { headers: { "x-api-key": key } })).json(),
        )["data"],
      );
    const plan = { level: "organization", target_id: organizationId, source: "plan" };
    const own = { level: "key", target_id: id, source: expect.stringMatching(/^pol_/) };
    const wanted = {
      expires_at: null,
      operations: null,
      ip_ranges: null,
      policy: { allowed_models: [["demo*"]], max_request_usd: "0.25", no_training: true },
      limits: [
        { ...plan, kind: "requests_per_minute", limit: 20, used: 1, remaining: 19 },
        { ...plan, kind: "concurrent", limit: 2, used: 0, remaining: 2 },
        { ...own, kind: "tokens_per_minute", limit: 1_000 },
      ],
      limits_apart: [{ ...own, perModel }],
    };
    expect(await described()).toMatchObject(wanted);
    expect(await described()).toMatchObject(wanted);
  });

  test("whoever is over its limit is refused before its body is looked at", async () => {
    const { ask } = await limited({ requestsPerMinute: 1 });
    expect((await ask(CHAT, { body: "{" })).status).toBe(400);
    expect((await ask(CHAT, { body: "{" })).status).toBe(429);
  });

  test("levels count by themselves: two keys of a project share its limit", async () => {
    const organizationId = await tenancy.organization();
    const projectId = await tenancy.project(organizationId);
    await tenancy.policy("project", projectId, { limits: { requestsPerMinute: 3 } });
    const keys = [
      await tenancy.key({ organizationId, projectId }),
      await tenancy.key({ organizationId, projectId }),
    ];
    for (const { key } of keys) await until200(gateway.url, key);
    const codes = [];
    for (let at = 0; at < 5; at++) {
      codes.push((await asking(gateway, keys[at % 2]?.key ?? "")()).status);
    }
    expect(codes).toEqual([200, 200, 200, 429, 429]);
  });

  test("the free plan has limits without any policy", async () => {
    const organizationId = await tenancy.organization("free");
    const projectId = await tenancy.project(organizationId);
    const { key } = await tenancy.key({ organizationId, projectId });
    await until200(gateway.url, key);
    const { headers } = await asking(gateway, key)({ ...CHAT, model: "demo/echo" });
    expect(headers.get("x-ratelimit-limit-requests")).toBe("20");
  });

  /** Begins an answer and leaves it open. */
  const hang: Script = (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const delta = { index: 0, delta: { content: "Hi" }, finish_reason: null };
    response.write(`data: ${JSON.stringify({ ...COMPLETION, choices: [delta] })}\n\n`);
  };

  test("a place is free again however a request ends", async () => {
    const { ask } = await limited({ concurrent: 1 });
    const isFree = (): Promise<void> =>
      expect.poll(async () => (await ask()).status, { timeout: 3_000 }).toBe(200);
    const abort = new AbortController();
    gateway.upstream.answer(hang);
    const open = await ask({ ...CHAT, stream: true }, { signal: abort.signal });
    expect(open.status).toBe(200);
    const busy = await ask();
    expect(busy.status).toBe(429);
    expect(busy.headers.get("retry-after")).toBe("1");
    expect(await messageOf(busy)).toMatch(/1 requests at once.*when a running request ends/);
    abort.abort();
    gateway.upstream.answer(json(COMPLETION));
    await isFree();
    const ends: readonly Script[] = [
      status(400, { error: { message: "no" } }),
      status(500, {}),
      sse("{not json"),
      (_request, response) => void response.destroy(),
    ];
    for (const end of ends) {
      gateway.upstream.answer(end);
      await ask({ ...CHAT, stream: true }).then((response) => response.text());
      await ask({ ...CHAT, provider: { allow_fallbacks: false } });
      gateway.upstream.answer(json(COMPLETION));
      await isFree();
    }
    // Refused before and behind the limits.
    await ask({ model: "no-such-model", messages: MESSAGES });
    await ask({ messages: [] });
    await isFree();
  });
});

describe.skipIf(!hasValkey)("two processes on one Postgres and one Valkey", () => {
  const open: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of open.splice(0).toReversed()) await close();
  });

  async function twoGateways(valkey: ValkeyServer) {
    const database = await makeDatabase("postgres");
    open.push(() => database.remove());
    const upstream = await startFakeUpstream();
    open.push(() => upstream.close());
    upstream.answer(json(COMPLETION));
    const gateways: GatewayProcess[] = [];
    for (let at = 0; at < 2; at++) {
      const home = mkdtempSync(join(tmpdir(), "turnpike-pair-"));
      writeFileSync(join(home, "turnpike.yaml"), `valkey: { url: "${valkey.url}" }\n`);
      const { origin } = upstream;
      const gateway = await startProcess({ home, databaseUrl: database.url, origin });
      gateways.push(gateway);
      open.push(async () => {
        await gateway.kill();
        rmSync(home, { recursive: true, force: true });
      });
    }
    const store = await database.open();
    open.push(() => store.close());
    const tenancy = tenancyOf(store, database.home, PROCESS_MASTER_KEY);
    return { gateways, tenancy, store };
  }

  test("they admit exactly the limit together, and a revoked key stops on both within a second", async () => {
    const valkey = await startValkey();
    open.push(() => valkey.stop());
    const { gateways, tenancy, store } = await twoGateways(valkey);
    const { key, id } = await tenancy.key();
    await tenancy.policy("key", id, { limits: { requestsPerMinute: 20 } });
    for (const { url } of gateways) await until200(url, key);
    const asks = gateways.map((gateway) => asking(gateway, key));
    const answers: Response[] = [];
    // Not all at once: on a machine that is busy Valkey itself would be late.
    for (let wave = 0; wave < 6; wave++) {
      const turns = Array.from({ length: 5 }, () => asks.map((ask) => ask()));
      answers.push(...(await Promise.all(turns.flat())));
    }
    expect(answers.filter(({ status: code }) => code === 200)).toHaveLength(20);
    expect(answers.filter(({ status: code }) => code === 429)).toHaveLength(40);
    await revokeKeys(store.core, id, Date.now());
    const from = performance.now();
    const codes = async (): Promise<readonly number[]> =>
      Promise.all(
        gateways.map(
          async ({ url }) =>
            (await fetch(`${url}/v1/key`, { headers: { "x-api-key": key } })).status,
        ),
      );
    while ((await codes()).some((code) => code !== 401)) {
      expect(performance.now() - from).toBeLessThan(1_000);
      await pause(20);
    }
  });

  test("a budget is one for both: together they spend no more than it has", async () => {
    const valkey = await startValkey();
    open.push(() => valkey.stop());
    const { gateways, tenancy, store } = await twoGateways(valkey);
    const { key } = await tenancy.key();
    // 20 answers of 30 × 150 + 20 × 600 nano-USD, and a little.
    await setBudget(store, {
      id: "bud_pair",
      limit: 20n * 16_500n + 1n,
    });
    for (const { url } of gateways) await until200(url, key);
    await directoryRead(store, ...gateways);
    const asks = gateways.map((gateway) => asking(gateway, key));
    const body = { ...CHAT, max_tokens: 20 };
    const codes: number[] = [];
    for (let wave = 0; wave < 30; wave++) {
      codes.push(...(await Promise.all(asks.map(async (ask) => (await ask(body)).status))));
    }
    const counter = await store.core
      .selectFrom("budget_counters")
      .select(["used", "pending"])
      .where("budget_id", "=", "bud_pair")
      .executeTakeFirstOrThrow();
    const answered = codes.filter((code) => code === 200).length;
    expect(Number(counter.used)).toBe(answered * 16_500);
    expect(Number(counter.used)).toBeLessThanOrEqual(20 * 16_500 + 1);
    expect(answered).toBeGreaterThan(15);
    expect(codes.every((code) => code === 200 || code === 402)).toBe(true);
  });

  test("without Valkey each limits by itself, and no caller sees an error", async () => {
    const valkey = await startValkey();
    const { gateways, tenancy } = await twoGateways(valkey);
    const { key, id } = await tenancy.key();
    await tenancy.policy("key", id, { limits: { requestsPerMinute: 5 } });
    for (const { url } of gateways) await until200(url, key);
    await valkey.stop();
    for (const gateway of gateways) {
      const answers = await Promise.all(Array.from({ length: 8 }, () => asking(gateway, key)()));
      const codes = answers.map(({ status: code }) => code).toSorted((one, other) => one - other);
      expect(codes).toEqual([200, 200, 200, 200, 200, 429, 429, 429]);
    }
  });
});
