import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { checkInvariants } from "#ledger/check-invariants.ts";
import { asObject, type JsonObject } from "#lib/json.ts";
import { findRecord } from "#store/request-records.ts";
import { openStore, type Store } from "#store/store.ts";
import { json, sse, type Script } from "#test/fake-upstream.ts";
import {
  archiveBudgets,
  directoryRead,
  payIn,
  setBudget,
  setPlan,
  setPrices,
} from "#test/govern.ts";
import { startGateway, type TestGateway } from "#test/start-gateway.ts";

let gateway: TestGateway;
let store: Store;
let made = 0;

beforeAll(async () => {
  gateway = await startGateway();
  store = await openStore({ home: gateway.home });
});
afterAll(async () => {
  await store.close();
  await gateway.close();
});
beforeEach(() => {
  gateway.upstream.requests.length = 0;
});
afterEach(async () => {
  await archiveBudgets(store);
  await setPlan(store, "enterprise");
  await sleep(50);
  expect(await checkInvariants(store.core)).toEqual([]);
});

/** 0.15 and 0.60 USD for a million tokens: 150 and 600 nano-USD a token. */
const MODEL = "openai/gpt-4o-mini";
const ASK = { model: MODEL, messages: [{ role: "user", content: "hello" }] };
const usageOf = (input: number, output: number): JsonObject => ({
  prompt_tokens: input,
  completion_tokens: output,
  total_tokens: input + output,
});
const answer = (input: number, output: number): Script =>
  json({
    id: "x",
    object: "chat.completion",
    created: 1,
    model: "gpt-4o-mini",
    choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }],
    usage: usageOf(input, output),
  });
const chunk = (delta: JsonObject, finish: string | null = null): JsonObject => ({
  id: "x",
  object: "chat.completion.chunk",
  created: 1,
  model: "gpt-4o-mini",
  choices: [{ index: 0, delta, finish_reason: finish }],
});

async function budget(limit: bigint, more: Partial<Parameters<typeof setBudget>[1]> = {}) {
  const id = `bud_${made++}`;
  await setBudget(store, { id, limit, ...more });
  await directoryRead(store, gateway);
  return id;
}

const usedOf = async (budgetId: string): Promise<{ used: number; pending: number }[]> => {
  const rows = await store.core
    .selectFrom("budget_counters")
    .select(["used", "pending"])
    .where("budget_id", "=", budgetId)
    .orderBy("subject")
    .execute();
  return rows.map(({ used, pending }) => ({ used: Number(used), pending: Number(pending) }));
};

const chat = (more: JsonObject = {}, headers: Record<string, string> = {}) =>
  gateway.post("/v1/chat/completions", { ...ASK, ...more }, headers);

const errorOf = async (response: Response): Promise<JsonObject> =>
  asObject(asObject(await response.json())["error"]);

describe("a hard budget", () => {
  test("cuts max_tokens to what is affordable, says so, and charges what was used", async () => {
    // Its input counts as about 40 tokens at most: 6,000 nano-USD. The rest is a thousand tokens.
    const id = await budget(606_000n);
    gateway.upstream.answer(answer(10, 20));
    const response = await chat();
    expect(response.status).toBe(200);
    const clamped = Number(response.headers.get("x-turnpike-budget-clamped"));
    expect(clamped).toBeGreaterThan(950);
    expect(clamped).toBeLessThanOrEqual(1_010);
    expect(gateway.upstream.requests[0]?.body["max_completion_tokens"]).toBe(clamped);
    expect(response.headers.get("x-turnpike-cost-usd")).toBe("0.0000135");
    expect(await usedOf(id)).toEqual([{ used: 13_500, pending: 0 }]);
  });

  test("leaves a bound that is affordable as the client wrote it", async () => {
    await budget(1_000_000_000n);
    gateway.upstream.answer(answer(10, 20));
    const response = await chat({ max_tokens: 300 });
    expect(response.headers.get("x-turnpike-budget-clamped")).toBeNull();
    expect(gateway.upstream.requests[0]?.body["max_completion_tokens"]).toBe(300);
  });

  test("leaves out the routes that are too dear, and answers by one that is not", async () => {
    const id = await budget(606_000n);
    gateway.upstream.answer(answer(10, 20));
    const response = await chat({ model: "openai/gpt-4o", models: [MODEL] });
    expect(response.status).toBe(200);
    expect(response.headers.get("x-turnpike-model")).toBe("gpt-4o-mini");
    expect(Number(response.headers.get("x-turnpike-budget-clamped"))).toBeGreaterThan(950);
    expect(await usedOf(id)).toEqual([{ used: 13_500, pending: 0 }]);
    const record = await findRecord(store.records, response.headers.get("x-request-id") ?? "");
    expect(asObject(JSON.parse(record?.decision ?? ""))["skipped"]).toEqual([
      {
        key: expect.stringMatching(/^openai\/gpt-4o@/),
        reason: expect.stringContaining(
          `The budget "${id}" (lifetime) does not allow this request`,
        ),
      },
    ]);
    const dear = await chat({ model: "openai/gpt-4o" });
    expect(dear.status).toBe(402);
  });

  test("that is paused for some models leaves the others", async () => {
    await budget(606_000n, { pausedAt: 5, document: { match: { models: ["gpt-4o"] } } });
    gateway.upstream.answer(answer(10, 20));
    const response = await chat({ model: "openai/gpt-4o", models: [MODEL] });
    expect(response.headers.get("x-turnpike-model")).toBe("gpt-4o-mini");
    expect((await chat({ model: "openai/gpt-4o" })).status).toBe(402);
  });

  test("that is used up answers 402 and asks not to be tried again", async () => {
    const id = await budget(600_000n);
    gateway.upstream.answer(answer(0, 1_000));
    expect((await chat()).status).toBe(200);
    const [used] = await usedOf(id);
    expect(used?.used).toBeGreaterThan(590_000);
    expect(used?.used).toBeLessThanOrEqual(600_000);
    const response = await chat();
    expect(response.status).toBe(402);
    expect(response.headers.get("x-should-retry")).toBe("false");
    const error = await errorOf(response);
    expect(error["code"]).toBe("insufficient_quota");
    expect(error["message"]).toContain(`The budget "${id}"`);
    expect(error["message"]).toContain(response.headers.get("x-request-id"));
    expect(gateway.upstream.requests).toHaveLength(1);
  });

  test("that is only held tells when to come back, and does not forbid it", async () => {
    const id = await budget(600_000n);
    let release: () => void = () => undefined;
    gateway.upstream.answer(
      (request, response) => {
        release = () => void answer(10, 20)(request, response);
      },
      answer(10, 20),
    );
    const first = chat();
    while (gateway.upstream.requests.length === 0) await sleep(5);
    expect((await usedOf(id))[0]?.pending).toBeGreaterThan(590_000);
    const second = await chat();
    expect(second.status).toBe(402);
    expect(second.headers.get("x-should-retry")).toBeNull();
    expect(second.headers.get("retry-after")).toBe("1");
    release();
    expect((await first).status).toBe(200);
    expect((await chat()).status).toBe(200);
  });

  test("never gives more than was held, whatever the provider says that it wrote", async () => {
    const id = await budget(606_000n);
    gateway.upstream.answer(answer(10, 50_000));
    const response = await chat();
    const [counter] = await usedOf(id);
    expect(counter?.used).toBeLessThanOrEqual(606_000);
    expect(response.headers.get("x-turnpike-cost-usd")).toBe(
      `0.000${String(counter?.used)}`.replace(/0+$/, ""),
    );
  });

  test.each([
    ["negative counts", usageOf(-5, -5)],
    ["impossible counts", usageOf(1e308, 1e308)],
    ["counts beyond all prices", usageOf(9_007_199_254_740_991, 9_007_199_254_740_991)],
    ["no counts", undefined],
  ])("is charged an estimate where the provider reports %s", async (_name, usage) => {
    const id = await budget(606_000n);
    gateway.upstream.answer(
      json({
        id: "x",
        object: "chat.completion",
        choices: [
          { index: 0, message: { role: "assistant", content: "Hi there" }, finish_reason: "stop" },
        ],
        ...(usage !== undefined && { usage }),
      }),
    );
    expect((await chat()).status).toBe(200);
    const [counter] = await usedOf(id);
    expect(counter?.used).toBeGreaterThan(0);
    expect(counter?.used).toBeLessThanOrEqual(606_000);
    expect(counter?.pending).toBe(0);
  });

  test.each([1e308, -1, 0.5, 9_007_199_254_740_991])(
    "takes max_tokens of %d for what it is",
    async (bound) => {
      await budget(606_000n);
      gateway.upstream.answer(answer(10, 20));
      const response = await chat({ max_tokens: bound });
      if (response.status !== 200) return expect(response.status).toBe(400);
      const sent = gateway.upstream.requests[0]?.body["max_completion_tokens"];
      expect(sent).toBeGreaterThan(900);
      return expect(sent).toBeLessThan(1_011);
    },
  );

  test("counts every answer of `n`", async () => {
    await budget(606_000n);
    gateway.upstream.answer(answer(10, 20));
    await chat({ n: 2 });
    expect(gateway.upstream.requests[0]?.body["max_completion_tokens"]).toBeLessThan(506);
  });

  test("in tokens counts input and output", async () => {
    const id = await budget(1_000n, { document: { unit: "tokens" } });
    gateway.upstream.answer(answer(10, 20));
    const response = await chat();
    expect(Number(response.headers.get("x-turnpike-budget-clamped"))).toBeGreaterThan(900);
    expect(await usedOf(id)).toEqual([{ used: 30, pending: 0 }]);
  });

  test("releases what a failed request held", async () => {
    const id = await budget(606_000n);
    gateway.upstream.answer((_request, response) => {
      response.writeHead(400, { "content-type": "application/json" });
      response.end('{"error":{"message":"no"}}');
    });
    expect((await chat()).status).toBe(400);
    expect(await usedOf(id)).toEqual([{ used: 0, pending: 0 }]);
  });

  test("charges a client that leaves in the middle for what it was given", async () => {
    const id = await budget(606_000n);
    gateway.upstream.answer((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (let at = 0; at < 100; at++) {
        response.write(`data: ${JSON.stringify(chunk({ content: "word " }))}\n\n`);
      }
    });
    const response = await chat({ stream: true });
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    let counter = (await usedOf(id))[0];
    for (let tries = 0; tries < 50 && counter?.pending !== 0; tries++) {
      await sleep(20);
      counter = (await usedOf(id))[0];
    }
    expect(counter?.pending).toBe(0);
    expect(counter?.used).toBeGreaterThan(30_000);
  });

  test("streams are charged before they end", async () => {
    const id = await budget(606_000n);
    gateway.upstream.answer(
      sse(
        chunk({ content: "Hi" }),
        chunk({}, "stop"),
        { ...chunk({}), choices: [], usage: usageOf(10, 20) },
        "[DONE]",
      ),
    );
    const response = await chat({ stream: true, stream_options: { include_usage: true } });
    expect(await response.text()).toContain('"cost":0.0000135');
    expect(await usedOf(id)).toEqual([{ used: 13_500, pending: 0 }]);
  });

  test("lets nothing through whose price nobody knows", async () => {
    await budget(606_000n);
    const response = await chat({ model: "groq/a-model-without-a-price" });
    expect([402, 404]).toContain(response.status);
    expect(gateway.upstream.requests).toHaveLength(0);
  });

  test("that is paused lets nothing through", async () => {
    const id = await budget(606_000n, { pausedAt: 5 });
    const response = await chat();
    expect(response.status).toBe(402);
    expect((await errorOf(response))["message"]).toContain("is paused");
    await setBudget(store, { id, limit: 606_000n });
    await directoryRead(store, gateway);
    gateway.upstream.answer(answer(10, 20));
    expect((await chat()).status).toBe(200);
  });

  test("that is reset or raised goes on", async () => {
    const id = await budget(300_000n);
    gateway.upstream.answer(answer(10, 480));
    expect((await chat()).status).toBe(200);
    expect((await chat()).status).toBe(402);
    await setBudget(store, { id, limit: 300_000n, resetAt: Date.now() });
    await directoryRead(store, gateway);
    expect((await chat()).status).toBe(200);
    expect((await chat()).status).toBe(402);
    await setBudget(store, { id, limit: 600_000n, resetAt: Date.now() });
    await directoryRead(store, gateway);
    expect((await chat()).status).toBe(200);
  });
});

describe("a budget of some requests", () => {
  test("counts only what its model answers", async () => {
    const id = await budget(606_000n, { document: { match: { models: ["claude-*"] } } });
    gateway.upstream.answer(answer(10, 20));
    expect((await chat()).status).toBe(200);
    expect(await usedOf(id)).toEqual([]);
    expect(gateway.upstream.requests[0]?.body["max_completion_tokens"]).toBeUndefined();
  });

  test("holds a model that may answer, and counts for the one that does", async () => {
    const id = await budget(60_600_000n, { document: { each: "model" } });
    gateway.upstream.answer(
      (_request, response) => {
        response.writeHead(500, { "content-type": "application/json" });
        response.end('{"error":{"message":"ill"}}');
      },
      answer(10, 20),
    );
    const response = await chat({ models: ["openai/gpt-4o"] });
    expect(response.status).toBe(200);
    const counters = await usedOf(id);
    expect(counters).toHaveLength(2);
    expect(counters.filter(({ used }) => used > 0)).toHaveLength(1);
    expect(counters.every(({ pending }) => pending === 0)).toBe(true);
  });

  test("counts each end user and tag apart", async () => {
    const [users, tags] = [
      await budget(10n ** 9n, { document: { each: "end-user" } }),
      await budget(10n ** 9n, { document: { match: { tags: ["a"] }, each: "tag" } }),
    ];
    gateway.upstream.answer(answer(10, 20));
    await chat({ user: "u1", tags: ["a", "b"] });
    await chat({ user: "u2\u0000'; DROP TABLE holds; --" });
    expect(await usedOf(users)).toHaveLength(2);
    expect(await usedOf(tags)).toEqual([
      { used: 13_500, pending: 0 },
      { used: 13_500, pending: 0 },
    ]);
  });

  test("of a task is held by what the request is taken for", async () => {
    const id = await budget(10n ** 9n, { document: { each: "task" } });
    gateway.upstream.answer(answer(10, 20));
    await chat({ messages: [{ role: "user", content: "Translate to French: good morning" }] });
    const row = await store.core
      .selectFrom("budget_counters")
      .select("subject")
      .where("budget_id", "=", id)
      .executeTakeFirst();
    expect(row?.subject).not.toBe("");
  });
});

describe("other modes", () => {
  test("a soft budget counts and stops nothing", async () => {
    const id = await budget(1n, { document: { mode: "soft" } });
    gateway.upstream.answer(answer(10, 20));
    expect((await chat()).status).toBe(200);
    expect((await chat()).status).toBe(200);
    expect(await usedOf(id)).toEqual([{ used: 27_000, pending: 0 }]);
    expect(gateway.upstream.requests[0]?.body["max_completion_tokens"]).toBeUndefined();
  });

  test("a budget that throttles lets one request at a time go on", async () => {
    await budget(1n, { document: { mode: "throttle" } });
    let release: () => void = () => undefined;
    gateway.upstream.answer(
      (request, response) => {
        release = () => void answer(10, 20)(request, response);
      },
      answer(10, 20),
    );
    const first = chat();
    while (gateway.upstream.requests.length === 0) await sleep(5);
    const second = await chat();
    expect(second.status).toBe(429);
    expect(second.headers.get("retry-after")).toBe("1");
    release();
    expect((await first).status).toBe(200);
    expect((await chat()).status).toBe(200);
  });
});

describe("prepaid credits", () => {
  test("are asked for, and pay", async () => {
    await setPlan(store, "pay-as-you-go");
    await directoryRead(store, gateway);
    const response = await chat();
    expect(response.status).toBe(402);
    expect((await errorOf(response))["message"]).toContain("Add credits");
    await payIn(store, `grant_${made++}`, 10n ** 9n);
    gateway.upstream.answer(answer(10, 20));
    expect((await chat()).status).toBe(200);
  });

  test("may be overdrawn by what was agreed", async () => {
    await setPlan(store, "pay-as-you-go", { creditLimitUsd: "5" });
    await directoryRead(store, gateway);
    gateway.upstream.answer(answer(10, 20));
    expect((await chat()).status).toBe(200);
  });
});

describe("prices of a tenant's own", () => {
  test("decide what is charged; the provider's price stays the cost", async () => {
    const id = await budget(10n ** 9n);
    await setPrices(store, `price_${made++}`, { markupPercent: 10 });
    await directoryRead(store, gateway);
    gateway.upstream.answer(answer(1_000, 100));
    const response = await chat();
    // 150 + 60 = 210 µUSD, and a tenth of it.
    expect(response.headers.get("x-turnpike-cost-usd")).toBe("0.000231");
    expect(asObject(asObject(await response.json())["usage"])["cost"]).toBe(0.000231);
    expect(await usedOf(id)).toEqual([{ used: 231_000, pending: 0 }]);
    const record = await store.records
      .selectFrom("request_records")
      .select(["cost_nano_usd", "charge_nano_usd"])
      .where("id", "=", response.headers.get("x-request-id") ?? "")
      .executeTakeFirst();
    expect(record).toEqual({ cost_nano_usd: 210_000, charge_nano_usd: 231_000 });
  });
});

describe("the bound that is sent", () => {
  test("is written in every dialect, with thinking below it", async () => {
    await budget(50_000_000n);
    gateway.upstream.answer(json({}));
    await gateway.post("/v1/messages", {
      model: "anthropic/claude-sonnet-4-5",
      max_tokens: 60_000,
      thinking: { type: "enabled", budget_tokens: 50_000 },
      messages: [{ role: "user", content: "hello" }],
    });
    const claude = gateway.upstream.requests[0]?.body ?? {};
    expect(claude["max_tokens"]).toBeLessThan(3_400);
    expect(claude["max_tokens"]).toBeGreaterThan(3_000);
    expect(asObject(claude["thinking"])["budget_tokens"]).toBe(Number(claude["max_tokens"]) - 256);
    gateway.upstream.requests.length = 0;
    await gateway.post("/v1beta/models/gemini-2.5-pro:generateContent", {
      contents: [{ role: "user", parts: [{ text: "hello" }] }],
      generationConfig: { temperature: 0.5 },
    });
    const gemini = asObject(gateway.upstream.requests[0]?.body["generationConfig"]);
    expect(gemini).toMatchObject({ temperature: 0.5, maxOutputTokens: expect.any(Number) });
    gateway.upstream.requests.length = 0;
    await gateway.post("/v1/responses", { model: "openai/gpt-4o", input: "hello" });
    expect(gateway.upstream.requests[0]?.body["max_output_tokens"]).toBeGreaterThan(4_000);
    gateway.upstream.requests.length = 0;
    await chat({ model: "anthropic/claude-sonnet-4-5" });
    expect(gateway.upstream.requests[0]?.body["max_tokens"]).toBeLessThan(3_400);
  });
});

describe("what real clients see", () => {
  test("Codex is told within its stream, in words that it shows, and stops", async () => {
    await budget(1n);
    const response = await gateway.post(
      "/v1/responses",
      { model: "openai/gpt-4o", input: "hello", stream: true },
      { originator: "codex_cli_rs" },
    );
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(text).toContain("response.failed");
    expect(text).toContain('"code":"invalid_prompt"');
    expect(text).toContain("The budget");
  });

  test("Claude Code gets 402 in its dialect", async () => {
    await budget(1n);
    const response = await gateway.post("/v1/messages", {
      model: "anthropic/claude-sonnet-4-5",
      max_tokens: 100,
      messages: [{ role: "user", content: "hello" }],
    });
    expect(response.status).toBe(402);
    expect(response.headers.get("x-should-retry")).toBe("false");
    expect(await response.json()).toMatchObject({
      type: "error",
      error: { type: "billing_error" },
    });
  });
});
