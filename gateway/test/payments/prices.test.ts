import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { parseUsd } from "#lib/money.ts";
import { openStore, type Store } from "#store/store.ts";
import { signInHeader } from "#test/chain/payer.ts";
import { json } from "#test/fake-upstream.ts";
import { archiveBudgets, directoryRead, setBudget } from "#test/govern.ts";
import { agentOf, ANSWER, paidBy, SMALL, type Agent } from "#test/payments/paying-agent.ts";
import { expectBooksToMatch, readBooks } from "#test/payments/payment-books.ts";
import { PAY_TO, startPaidGateway, type PaidGateway } from "#test/payments/start-paid-gateway.ts";
import { tenancyOf } from "#test/tenancy.ts";

const MINI_OUTPUT = 600n;
const { messages } = SMALL;
const LONG = { ...SMALL, max_tokens: 10_000 };

describe("what is asked of whoever has no key", () => {
  let gateway: PaidGateway;
  let store: Store;
  let agent: Agent;
  beforeAll(async () => {
    gateway = await startPaidGateway({
      x402: '    maxUsd: "0.05"\n    strangers: { requestsPerMinute: 100000 }',
    });
    store = await openStore({ home: gateway.home });
    agent = agentOf(gateway);
  });
  afterAll(async () => {
    await store.close();
    await gateway.close();
  });
  beforeEach(() => {
    gateway.upstream.answer(json(ANSWER));
    gateway.upstream.requests.length = 0;
  });
  afterEach(async () => {
    await expectBooksToMatch(store, gateway.chain);
  });
  const priceOf = async (body: object): Promise<bigint> => {
    const answer = await agent.post(body);
    expect(answer.status).toBe(402);
    return parseUsd(((await answer.json()) as { price_usd: string }).price_usd);
  };
  const pay = async (body: object): Promise<Response> =>
    agent.post(body, paidBy(await agent.sign({ body })));

  test("all of the output that it may have, and its input", async () => {
    const price = await priceOf(LONG);
    expect(price).toBeGreaterThan(10_000n * MINI_OUTPUT);
    expect(price).toBeLessThan(10_100n * MINI_OUTPUT);
  });

  test("nothing where a budget above it is used up: nothing is offered, and nothing taken", async () => {
    const header = paidBy(await agent.sign({ body: SMALL }));
    await setBudget(store, { id: "bud_agents", level: "project", limit: 1n });
    await directoryRead(store, gateway);
    const { usdc } = gateway.chain.tokens;
    const before = await gateway.chain.balance(usdc, PAY_TO);
    for (const headers of [header, {}]) {
      const answer = await agent.post(SMALL, headers);
      expect(answer.status).toBe(402);
      expect(answer.headers.get("payment-required")).toBeNull();
      expect(JSON.stringify(await answer.json())).toContain("bud_agents");
    }
    expect(await gateway.chain.balance(usdc, PAY_TO)).toBe(before);
    expect(gateway.upstream.requests).toHaveLength(0);
    await archiveBudgets(store);
    await directoryRead(store, gateway);
    expect((await agent.post(SMALL, header)).status).toBe(200);
  });

  test("as many answers as it asks for", async () => {
    const [one, three] = [await priceOf(LONG), await priceOf({ ...LONG, n: 3 })];
    expect(three - one).toBe(20_000n * MINI_OUTPUT);
    const answer = await pay({ ...LONG, n: 3 });
    expect(answer.status).toBe(200);
  });

  test("without max_tokens the default, which is written into what the provider gets", async () => {
    const body = { model: SMALL.model, messages };
    expect(await priceOf(body)).toBeGreaterThan(4_096n * MINI_OUTPUT);
    expect((await pay(body)).status).toBe(200);
    const sent = gateway.upstream.requests[0]?.body ?? {};
    expect(sent["max_tokens"] ?? sent["max_completion_tokens"]).toBe(4_096);
  });

  test.for([-1, 0, 1.5, 1e300])("max_tokens %d is no way around the price", async (max) => {
    const answer = await agent.post({ ...SMALL, max_tokens: max });
    expect([400, 402]).toContain(answer.status);
    if (answer.status === 400) return;
    const { price_usd: price } = (await answer.json()) as { price_usd: string };
    expect(parseUsd(price)).toBeGreaterThanOrEqual(1_000_000n);
  });

  test("of several models the dearest, whichever answers", async () => {
    const dear = { model: "openai/gpt-4o", max_tokens: 1_000, messages };
    const both = { ...dear, model: "openai/gpt-4o-mini", models: ["openai/gpt-4o"] };
    expect(await priceOf(both)).toBe(await priceOf(dear));
    expect((await pay(both)).status).toBe(200);
  });

  test("for auto the dearest that may answer: what is charged is never more", async () => {
    const body = { model: "auto", max_tokens: 500, messages };
    const price = await priceOf(body);
    const answer = await pay(body);
    expect(answer.status).toBe(200);
    const chosen = answer.headers.get("x-turnpike-model") ?? "";
    const provider = answer.headers.get("x-turnpike-provider") ?? "";
    expect(price).toBeGreaterThanOrEqual(
      await priceOf({ ...body, model: `${provider}/${chosen}` }),
    );
  });

  test("more than is taken for one request: 400 that names the way out, paid or not", async () => {
    const body = { ...SMALL, max_tokens: 100_000 };
    const header = await agent.sign({ body: LONG });
    for (const headers of [{}, paidBy(header)]) {
      const answer = await agent.post(body, headers);
      expect(answer.status).toBe(400);
      expect(await answer.text()).toContain("0.05 USD is the most");
    }
    expect((await agent.post(LONG, paidBy(header))).status).toBe(200);
  });

  test("never less than the least price, and the rest is credit", async () => {
    const { balances } = await readBooks(store);
    const answer = await pay({ ...SMALL, max_tokens: 1 });
    expect(answer.status).toBe(200);
    const after = await expectBooksToMatch(store, gateway.chain);
    expect(after.balances - balances).toBe(1_000_000n - 4_500n);
  });

  test("every dialect is told in its own form", async () => {
    const bodies: Record<string, object> = {
      "/v1/chat/completions": SMALL,
      "/v1/messages": SMALL,
      "/v1/responses": { model: SMALL.model, max_output_tokens: 100, input: "Hi" },
      "/v1beta/models/openai%2Fgpt-4o-mini:generateContent": {
        contents: [{ role: "user", parts: [{ text: "Hi" }] }],
        generationConfig: { maxOutputTokens: 100 },
      },
    };
    for (const [path, body] of Object.entries(bodies)) {
      const client = agentOf(gateway, path);
      const unpaid = await client.post(body);
      expect([path, unpaid.status]).toEqual([path, 402]);
      expect(unpaid.headers.get("payment-required")).toBeTruthy();
      expect((await unpaid.json()) as object).toHaveProperty("error");
    }
  });
});

describe("the policy of the project", () => {
  test("holds for wallets: refused before anything is paid", async () => {
    const gateway = await startPaidGateway();
    const store = await openStore({ home: gateway.home });
    try {
      gateway.upstream.answer(json(ANSWER));
      const agent = agentOf(gateway);
      const header = await agent.sign();
      const required = await agent.quote();
      const tenancy = tenancyOf(store, gateway.home);
      await tenancy.policy("project", "proj_default", { models: { deny: ["gpt-4o-mini"] } });
      await expect.poll(async () => (await agent.post(SMALL)).status).toBe(403);
      gateway.facilitator.calls.verify = 0;
      const denied = await agent.post(SMALL, paidBy(header));
      expect(denied.status).toBe(403);
      expect(await denied.text()).toContain("policy_denied");
      const proof = { "sign-in-with-x": await signInHeader(gateway.payer, required) };
      expect((await agent.post(SMALL, proof)).status).toBe(403);
      expect(gateway.facilitator.calls.verify).toBe(0);
      await tenancy.policy("project", "proj_default", { zeroRetention: true });
      await expect
        .poll(async () => (await agent.post(SMALL)).text())
        .toContain("no documented zero retention");
      await tenancy.policy("project", "proj_default", {});
      await expect.poll(async () => (await agent.post(SMALL)).status).toBe(402);
      expect((await agent.post(SMALL, paidBy(header))).status).toBe(200);
      await expectBooksToMatch(store, gateway.chain);
    } finally {
      await store.close();
      await gateway.close();
    }
  });
});
