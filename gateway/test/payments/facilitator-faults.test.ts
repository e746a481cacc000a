import { setTimeout as pause } from "node:timers/promises";

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

import type { Store } from "#store/store.ts";
import { NO_FAULTS, startFacilitator } from "#test/chain/start-facilitator.ts";
import { startChain, type TestChain } from "#test/chain/start-chain.ts";
import type { TestFacilitator } from "#test/chain/start-facilitator.ts";
import { describeOnEach, type TestDatabase } from "#test/databases.ts";
import { json } from "#test/fake-upstream.ts";
import { agentOf, ANSWER, paidBy, SMALL, type Agent } from "#test/payments/paying-agent.ts";
import { expectBooksToMatch } from "#test/payments/payment-books.ts";
import { startPaidGateway, type PaidGateway } from "#test/payments/start-paid-gateway.ts";

const SETTLE_MS = 1_000;
const SETTINGS = `    settleTimeoutMs: ${SETTLE_MS}\n    strangers: { requestsPerMinute: 100000 }`;

describeOnEach("facilitators that fail", (make) => {
  let database: TestDatabase;
  let chain: TestChain;
  let first: TestFacilitator;
  let second: TestFacilitator;
  let gateway: PaidGateway;
  let store: Store;
  let agent: Agent;
  beforeAll(async () => {
    database = await make();
    chain = await startChain();
    first = await startFacilitator([chain]);
    second = await startFacilitator([chain]);
    gateway = await startPaidGateway({
      database,
      chain,
      facilitator: first,
      others: [second],
      x402: SETTINGS,
    });
    store = await database.open();
    agent = agentOf(gateway);
  });
  afterAll(async () => {
    await store.close();
    await gateway.close();
    await first.stop();
    await second.stop();
    await chain.stop();
    await database.remove();
  });
  beforeEach(() => {
    gateway.upstream.answer(json(ANSWER));
    gateway.upstream.requests.length = 0;
    // Most rows are about one facilitator: the other one is out of order then.
    second.faults.down = true;
  });
  afterEach(async () => {
    repair();
    await expectBooksToMatch(store, chain, { withinMs: 20_000 });
  });
  const repair = (): void => {
    Object.assign(first.faults, NO_FAULTS);
    Object.assign(second.faults, NO_FAULTS);
  };

  /** Nobody knows: the same payment is to be sent again, and no price is told. */
  const expectPending = async (answer: Response): Promise<void> => {
    const text = await answer.text();
    expect({ status: answer.status, text }).toEqual({
      status: 503,
      text: expect.stringMatching(/payment_pending.*|.*same PAYMENT-SIGNATURE/),
    });
    expect(answer.headers.get("x-should-retry")).toBe("false");
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(answer.headers.get("payment-required")).toBeNull();
    expect(gateway.upstream.requests).toHaveLength(0);
  };
  const expectPaidOnce = async (answer: Response): Promise<void> => {
    const text = await answer.text();
    expect({ status: answer.status, text }).toEqual({ status: 200, text: expect.any(String) });
    expect(answer.headers.get("payment-response")).toBeTruthy();
    expect(gateway.upstream.requests).toHaveLength(1);
  };
  /** The same payment until it is served; each try before that says so. */
  const resend = async (header: string): Promise<Response> => {
    for (let tries = 0; tries < 60; tries++) {
      const answer = await agent.post(SMALL, paidBy(header));
      if (answer.status !== 503) return answer;
      await pause(500);
    }
    throw new Error("pending for ever");
  };

  test("all are down: 503, and the same payment is served once they are up", async () => {
    const header = await agent.sign();
    first.faults.down = true;
    await expectPending(await agent.post(SMALL, paidBy(header)));
    first.faults.down = false;
    await expectPaidOnce(await agent.post(SMALL, paidBy(header)));
  });

  test("one is down: the other one checks and settles", async () => {
    first.faults.down = true;
    second.faults.down = false;
    const before = second.calls.settle;
    await expectPaidOnce(await agent.post(SMALL, paidBy(await agent.sign())));
    expect(second.calls.settle - before).toBe(1);
  });

  test("one checks and does not settle: the other one does, for the chain says that nothing was done", async () => {
    first.faults.ignoresSettle = true;
    second.faults.down = false;
    await expectPaidOnce(await agent.post(SMALL, paidBy(await agent.sign())));
  });

  test("whoever settles, its answer is lost: the chain says so, and the other one is not asked", async () => {
    first.faults.losesAnswer = true;
    Object.assign(second.faults, { down: false, losesAnswer: true });
    const before = first.calls.settle + second.calls.settle;
    await expectPaidOnce(await agent.post(SMALL, paidBy(await agent.sign())));
    expect(first.calls.settle + second.calls.settle - before).toBe(1);
  });

  test("it is slower than it may be: 503, and what it settled after that serves the same payment", async () => {
    const header = await agent.sign();
    const sent = agent.post(SMALL, paidBy(header));
    await settling(first);
    first.faults.slowMs = 0;
    await expectPending(await sent);
    await expectPaidOnce(await resend(header));
  });
  /** The first one has been asked to settle, and takes its time. */
  const settling = async (one: TestFacilitator): Promise<void> => {
    const before = one.calls.settle;
    one.faults.slowMs = SETTLE_MS * 2;
    while (one.calls.settle === before) await pause(1);
  };

  test("it invents a success: nothing is given for it, and the same payment is served once it is honest", async () => {
    const header = await agent.sign();
    first.faults.inventsSuccess = true;
    await expectPending(await agent.post(SMALL, paidBy(header)));
    first.faults.inventsSuccess = false;
    await expectPaidOnce(await resend(header));
  });

  test.for(["deniesSuccess", "staysPending"] as const)(
    "it settles, and says otherwise (%s): the chain is believed",
    async (fault) => {
      first.faults[fault] = true;
      await expectPaidOnce(await agent.post(SMALL, paidBy(await agent.sign())));
    },
  );

  test("by Permit2, too, the chain is believed", async () => {
    first.faults.deniesSuccess = true;
    const header = await agent.sign({ token: chain.tokens.usdt18 });
    await expectPaidOnce(await agent.post(SMALL, paidBy(header)));
  });

  test("it loses the answer, and 20 copies come: one is served", async () => {
    first.faults.losesAnswer = true;
    const header = await agent.sign();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => agent.post(SMALL, paidBy(header))),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409 || status === 503)).toHaveLength(19);
    expect(gateway.upstream.requests).toHaveLength(1);
  });
});
