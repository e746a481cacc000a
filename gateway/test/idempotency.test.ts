import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { asObject, type JsonObject } from "#lib/json.ts";
import { openStore, type Store } from "#store/store.ts";
import { json, sse, status, type Script } from "#test/fake-upstream.ts";
import { startGateway, type TestGateway } from "#test/start-gateway.ts";

let gateway: TestGateway;
let store: Store;

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

const ASK = { model: "openai/gpt-4o-mini", messages: [{ role: "user", content: "hello" }] };
const usage = { prompt_tokens: 10, completion_tokens: 20, total_tokens: 30 };
const answer: Script = json({
  id: "x",
  object: "chat.completion",
  choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }],
  usage,
});

const ask = (key: string, more: JsonObject = {}) =>
  gateway.post("/v1/chat/completions", { ...ASK, ...more }, { "idempotency-key": key });
const errorOf = async (response: Response): Promise<JsonObject> =>
  asObject(asObject(await response.json())["error"]);
const charges = () =>
  store.core.selectFrom("ledger_transfers").selectAll().where("kind", "=", "charge").execute();

test("a request with a key is done and charged once, however often it is sent at once", async () => {
  const before = (await charges()).length;
  gateway.upstream.answer(async (request, response) => {
    await sleep(100);
    await answer(request, response);
  });
  const responses = await Promise.all(Array.from({ length: 20 }, () => ask("once")));
  const statuses = responses.map((response) => response.status).toSorted((a, b) => a - b);
  expect(statuses).toEqual([200, ...Array.from({ length: 19 }, () => 409)]);
  const refused = responses.find((response) => response.status === 409);
  expect(refused?.headers.get("retry-after")).toBe("1");
  expect(gateway.upstream.requests).toHaveLength(1);
  expect(await charges()).toHaveLength(before + 1);
});

test("a repetition is told what the first one cost, and nothing of its answer", async () => {
  gateway.upstream.answer(answer);
  const first = await ask("told");
  const id = first.headers.get("x-request-id") ?? "";
  await first.text();
  let again = await ask("told");
  for (
    let tries = 0;
    tries < 50 && (await errorOf(again.clone()))["code"] !== "already_completed";
    tries++
  ) {
    await sleep(10);
    again = await ask("told");
  }
  expect(again.status).toBe(409);
  expect(again.headers.get("x-should-retry")).toBe("false");
  const { message } = await errorOf(again);
  expect(message).toContain(id);
  expect(message).toContain("10 input and 20 output tokens");
  expect(message).toContain("charged 0.0000135 USD");
  expect(gateway.upstream.requests).toHaveLength(1);
});

test("a stream, too, is done once", async () => {
  const chunk = (delta: JsonObject, finish: string | null = null): JsonObject => ({
    id: "x",
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta, finish_reason: finish }],
  });
  gateway.upstream.answer(
    sse(
      chunk({ content: "Hi" }),
      chunk({}, "stop"),
      { ...chunk({}), choices: [], usage },
      "[DONE]",
    ),
  );
  await (await ask("stream", { stream: true })).text();
  await sleep(50);
  expect((await ask("stream", { stream: true })).status).toBe(409);
  expect(gateway.upstream.requests).toHaveLength(1);
});

test("another body under the same key is refused", async () => {
  gateway.upstream.answer(answer);
  await (await ask("other")).text();
  const response = await ask("other", { temperature: 1 });
  expect(response.status).toBe(422);
  expect((await errorOf(response))["code"]).toBe("idempotency_mismatch");
});

test("what was not answered may be sent again under its key", async () => {
  gateway.upstream.answer(status(400, { error: { message: "no" } }));
  expect((await ask("failed")).status).toBe(400);
  expect((await ask("invalid", { model: "" })).status).toBe(400);
  gateway.upstream.answer(answer);
  await sleep(50);
  expect((await ask("failed")).status).toBe(200);
  expect((await ask("invalid")).status).toBe(200);
});

test("a key that is too long is refused", async () => {
  expect((await ask("x".repeat(256))).status).toBe(400);
  gateway.upstream.answer(answer);
  expect((await ask("x".repeat(255))).status).toBe(200);
});

test("GET /v1/credits tells balance and budgets", async () => {
  const response = await gateway.get("/v1/credits");
  expect(response.status).toBe(200);
  const data = asObject(asObject(await response.json())["data"]);
  expect(data).toMatchObject({ plan: "enterprise", budgets: [], credit_limit_usd: null });
  expect(String(data["balance_usd"])).toMatch(/^-0\.0/);
});
