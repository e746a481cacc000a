import { setTimeout as pause } from "node:timers/promises";

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

import type { Store } from "#store/store.ts";
import { NO_FAULTS } from "#test/chain/start-facilitator.ts";
import { describeOnEach, type TestDatabase } from "#test/databases.ts";
import { json, status, type Script } from "#test/fake-upstream.ts";
import {
  agentOf,
  ANSWER,
  ANSWER_COST,
  paidBy,
  SMALL,
  type Agent,
} from "#test/payments/paying-agent.ts";
import { expectBooksToMatch, readBooks } from "#test/payments/payment-books.ts";
import { openReconciler, type TestReconciler } from "#test/payments/reconciler.ts";
import { startPaidGateway, type PaidGateway } from "#test/payments/start-paid-gateway.ts";
import { failAt, WRITING_STEPS, type WritingStep } from "#test/payments/store-fault.ts";

const STEPS = Object.keys(WRITING_STEPS) as WritingStep[];
/** How long a payment may be on record and not in the ledger before it is looked after. */
const LEFT_ALONE_MS = 31_000;
const SLOW_MS = 300;
const STREAMED = { ...SMALL, stream: true };
const chunk = (content: string): string =>
  `data: ${JSON.stringify({ id: "x", object: "chat.completion.chunk", created: 1, model: "gpt-4o-mini", choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`;

describeOnEach("what fails around a payment", (make, dialect) => {
  let database: TestDatabase;
  let gateway: PaidGateway;
  let store: Store;
  let agent: Agent;
  let reconciler: TestReconciler;
  beforeAll(async () => {
    database = await make();
    gateway = await startPaidGateway({ database });
    store = await database.open();
    agent = agentOf(gateway);
    reconciler = openReconciler(store, gateway.chain);
  });
  afterAll(async () => {
    await reconciler.close();
    await store.close();
    await gateway.close();
    await database.remove();
  });
  beforeEach(() => {
    gateway.upstream.answer(json(ANSWER));
    gateway.upstream.requests.length = 0;
  });
  afterEach(async () => {
    Object.assign(gateway.facilitator.faults, NO_FAULTS);
    await expectBooksToMatch(store, gateway.chain, { withinMs: 20_000 });
  });
  const charges = async (): Promise<bigint> => (await readBooks(store)).charges;
  const received = async (): Promise<bigint> => (await readBooks(store)).deposits;

  test.for(STEPS)(
    "the store fails at the step %s: paid once, and served or credited",
    async (step) => {
      const header = await agent.sign({ token: gateway.chain.tokens.usdc });
      const { settle } = gateway.facilitator.calls;
      const repair = await failAt({ core: store.core, dialect }, step);
      let first: Response;
      try {
        first = await agent.post(SMALL, paidBy(header));
        const text = await first.text();
        const asked = step === "settle" ? "" : "same PAYMENT-SIGNATURE";
        expect({ status: first.status, text }).toEqual({
          status: 503,
          text: expect.stringContaining(asked),
        });
        expect(first.headers.get("x-should-retry")).toBe("false");
        expect(first.headers.get("payment-required")).toBeNull();
      } finally {
        await repair();
      }
      const statuses: number[] = [];
      for (let tries = 0; tries < 40; tries++) {
        await reconciler.reconcile(LEFT_ALONE_MS);
        statuses.push((await agent.post(SMALL, paidBy(header))).status);
        if (statuses.at(-1) !== 503) break;
        await pause(100);
      }
      // Once it was used for a request that had begun its rest is credit.
      expect(statuses.at(-1)).toBe(step === "settle" ? 409 : 200);
      expect(gateway.upstream.requests.length).toBe(1);
      expect(gateway.facilitator.calls.settle - settle).toBe(1);
    },
  );

  test("the provider fails before its answer: nothing is charged, the receipt is there, and no SDK pays again", async () => {
    const [before, had] = [await charges(), await received()];
    gateway.upstream.answer(status(500, { error: { message: "down" } }));
    for (const body of [SMALL, STREAMED]) {
      const answer = await agent.post(body, paidBy(await agent.sign({ body })));
      expect(answer.status).toBe(502);
      expect(answer.headers.get("x-should-retry")).toBe("false");
      expect(answer.headers.get("payment-response")).toBeTruthy();
      expect(answer.headers.get("cache-control")).toBe("private, no-store");
    }
    await expectBooksToMatch(store, gateway.chain);
    expect(await charges()).toBe(before);
    expect((await received()) - had).toBe(2_000_000n);
  });

  /** A few words, and then what the test says. */
  const words =
    (after: (close: () => void) => Promise<void> | void): Script =>
    async (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (let at = 0; at < 20; at++) response.write(chunk("word "));
      await pause(50);
      await after(() => response.destroy());
    };

  test("the provider's stream breaks off: charged is about what came", async () => {
    const before = await charges();
    gateway.upstream.answer(words((close) => close()));
    const header = await agent.sign({ body: STREAMED });
    const answer = await agent.post(STREAMED, paidBy(header));
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain("word");
    await expectBooksToMatch(store, gateway.chain);
    const charged = (await charges()) - before;
    expect(charged).toBeGreaterThan(0n);
    expect(charged).toBeLessThan(61_500n);
  });

  test("the client goes in the middle of a stream: charged is about what came, the rest is credit", async () => {
    const before = await charges();
    const gone = new AbortController();
    gateway.upstream.answer(words(() => undefined));
    const header = await agent.sign({ body: STREAMED });
    const answer = await agent.post(STREAMED, paidBy(header), gone.signal);
    const reader = answer.body?.getReader();
    await reader?.read();
    gone.abort();
    const until = Date.now() + 5_000;
    while ((await charges()) === before && Date.now() < until) await pause(20);
    const charged = (await charges()) - before;
    expect(charged).toBeGreaterThan(0n);
    expect(charged).toBeLessThan(61_500n);
    expect((await agent.post(STREAMED, paidBy(header))).status).toBe(409);
  });

  test("the client goes before its payment is settled: nothing is taken, and it is good later", async () => {
    // The gateway asks the facilitator about permits only.
    const token = gateway.chain.tokens.usdt18;
    const header = await agent.sign({ token });
    const had = await gateway.chain.balance(token, gateway.payer.address);
    const { calls, faults } = gateway.facilitator;
    const { verify, settle } = calls;
    faults.slowMs = SLOW_MS;
    const gone = new AbortController();
    const sent = agent.post(SMALL, paidBy(header), gone.signal).catch(() => undefined);
    while (calls.verify === verify) await pause(1);
    gone.abort();
    await sent;
    await pause(SLOW_MS * 2);
    expect(calls.settle).toBe(settle);
    expect(await gateway.chain.balance(token, gateway.payer.address)).toBe(had);
    faults.slowMs = 0;
    expect((await agent.post(SMALL, paidBy(header))).status).toBe(200);
  });

  test("the client goes while it is settled: the same payment gets its answer, and is not settled again", async () => {
    const header = await agent.sign();
    const { calls, faults } = gateway.facilitator;
    const { settle } = calls;
    faults.slowMs = SLOW_MS;
    const gone = new AbortController();
    const sent = agent.post(SMALL, paidBy(header), gone.signal).catch(() => undefined);
    while (calls.settle === settle) await pause(1);
    gone.abort();
    await sent;
    faults.slowMs = 0;
    let answer = await agent.post(SMALL, paidBy(header));
    while (answer.status === 503) {
      await pause(100);
      answer = await agent.post(SMALL, paidBy(header));
    }
    expect(answer.status).toBe(200);
    expect(calls.settle - settle).toBe(1);
    expect(gateway.upstream.requests).toHaveLength(1);
  });

  test("the client goes before the provider has answered: all of it is credit", async () => {
    const before = await charges();
    const header = await agent.sign();
    const gone = new AbortController();
    gateway.upstream.answer(() => undefined);
    const sent = agent.post(SMALL, paidBy(header), gone.signal).catch(() => undefined);
    while (gateway.upstream.requests.length === 0) await pause(5);
    gone.abort();
    await sent;
    await expectBooksToMatch(store, gateway.chain);
    expect((await charges()) - before).toBeLessThan(ANSWER_COST);
    expect((await agent.post(SMALL, paidBy(header))).status).toBe(409);
  });
});
