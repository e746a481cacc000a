import { setTimeout as pause } from "node:timers/promises";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

import { findPayment, insertPayment, type PaymentRow } from "#store/payments.ts";
import type { Store } from "#store/store.ts";
import { cancel, drain, resumeMining, stopMining } from "#test/chain/mishaps.ts";
import { allowPermit2, makePayer, signInHeader } from "#test/chain/payer.ts";
import { NO_FAULTS } from "#test/chain/start-facilitator.ts";
import { describeOnEach, type TestDatabase } from "#test/databases.ts";
import { json, type Script } from "#test/fake-upstream.ts";
import { agentOf, ANSWER, paidBy, SMALL, type Agent } from "#test/payments/paying-agent.ts";
import { expectBooksToMatch, readBooks } from "#test/payments/payment-books.ts";
import { openReconciler, type TestReconciler } from "#test/payments/reconciler.ts";
import {
  PAY_TO,
  startPaidGateway,
  UPTO,
  type PaidGateway,
} from "#test/payments/start-paid-gateway.ts";
import { failAt, type WritingStep } from "#test/payments/store-fault.ts";
import {
  LONG,
  LONG_ANSWER,
  LONG_COST,
  LONG_UNITS,
  lost,
  rowOf,
} from "#test/payments/upto-answers.ts";

const SETTLE_MS = 1_000;
const TEN_MINUTES = 600_000;

describeOnEach("payments by upto where something fails", (make, dialect) => {
  let database: TestDatabase;
  let gateway: PaidGateway;
  let store: Store;
  let agent: Agent;
  let reconciler: TestReconciler;
  beforeAll(async () => {
    database = await make();
    gateway = await startPaidGateway({
      database,
      x402: `    settleTimeoutMs: ${SETTLE_MS}\n${UPTO}`,
    });
    store = await database.open();
    reconciler = openReconciler(store, gateway.chain, { settleTimeoutMs: SETTLE_MS });
  });
  afterAll(async () => {
    await reconciler.close();
    await store.close();
    await gateway.close();
    await database.remove();
  });
  beforeEach(async () => {
    const { chain } = gateway;
    const account = await makePayer([chain]);
    await allowPermit2({ chain, token: chain.tokens.usdc, account });
    agent = agentOf({ url: gateway.url, payer: account });
    payer = account;
    gateway.upstream.answer(json(LONG_ANSWER));
    gateway.upstream.requests.length = 0;
    Object.assign(gateway.facilitator.calls, { verify: 0, settle: 0 });
  });
  let payer: PaidGateway["payer"];
  afterEach(async () => {
    Object.assign(gateway.facilitator.faults, NO_FAULTS);
    await expectBooksToMatch(store, gateway.chain, { withinMs: 20_000 });
  });

  const usdc = () => ({ chain: gateway.chain, token: gateway.chain.tokens.usdc, account: payer });
  const received = (): Promise<bigint> => gateway.chain.balance(gateway.chain.tokens.usdc, PAY_TO);
  const sign = (body: object = LONG) => agent.sign({ body, scheme: "upto" });
  /** A provider that answers once something was done meanwhile. */
  const after =
    (done: () => Promise<unknown>): Script =>
    async (request, response) => {
      await done();
      await json(LONG_ANSWER)(request, response);
    };
  /** No answer, no receipt, no charge; the provider is paid by the operator. */
  const expectWithheld = async (answer: Response, status: number, text: RegExp): Promise<void> => {
    const body = await answer.text();
    expect({ status: answer.status, body }).toEqual({ status, body: expect.stringMatching(text) });
    expect(body).not.toContain("Hello there");
    expect(answer.headers.get("payment-response")).toBeNull();
    expect(answer.headers.get("x-should-retry")).toBe("false");
    expect(answer.headers.get("payment-required") !== null).toBe(status === 402);
    expect(gateway.upstream.requests).toHaveLength(1);
  };
  const balanceOf = async (): Promise<bigint> => {
    const account = await store.core
      .selectFrom("ledger_accounts")
      .selectAll()
      .where("id", "=", `wallet:${payer.address.toLowerCase()}`)
      .executeTakeFirst();
    return account === undefined ? 0n : BigInt(account.credits) - BigInt(account.debits);
  };

  describe("the wallet does not pay any more once its answer is there: 402, and our loss", () => {
    const ways: Record<string, (header: string) => Promise<void>> = {
      "it was emptied": () => drain(usdc()),
      "its allowance was taken back": () => allowPermit2(usdc(), 0n),
      "the payment was cancelled": (header) => cancel(gateway.chain, payer, header),
    };
    test.for(Object.keys(ways))("%s", async (name) => {
      const before = await lost(store);
      const header = await sign();
      gateway.upstream.answer(after(() => ways[name]?.(header) ?? Promise.resolve()));
      await expectWithheld(await agent.post(LONG, paidBy(header)), 402, /not settled/);
      expect((await lost(store)) - before).toBe(LONG_COST);
      expect(await balanceOf()).toBe(0n);
      // The same again is no way to another answer.
      expect((await agent.post(LONG, paidBy(header))).status).toBe(402);
      expect(gateway.upstream.requests).toHaveLength(1);
      expect((await rowOf(store, header))?.state).toMatch(/refused|failed/);
    });
  });

  test.for(["losesAnswer", "deniesSuccess", "staysPending"] as const)(
    "it was settled, and the facilitator says otherwise (%s): the chain is believed",
    async (fault) => {
      gateway.facilitator.faults[fault] = true;
      const units = await received();
      const answer = await agent.post(LONG, paidBy(await sign()));
      expect(answer.status).toBe(200);
      expect(answer.headers.get("payment-response")).toBeTruthy();
      expect((await received()) - units).toBe(LONG_UNITS);
      expect(await balanceOf()).toBe(LONG_UNITS * 1_000n - LONG_COST);
    },
  );

  test("less is settled than was asked for: no answer, and what came is credit", async () => {
    gateway.facilitator.faults.settlesLess = true;
    const header = await sign();
    await expectWithheld(await agent.post(LONG, paidBy(header)), 402, /less was settled/);
    await reconciler.reconcile(TEN_MINUTES);
    expect(await rowOf(store, header)).toMatchObject({ state: "credited", amount: "1" });
    expect(await balanceOf()).toBe(1_000n);
  });

  test("the facilitator is down before: 503, and the same payment is served once it is up", async () => {
    const header = await sign();
    gateway.facilitator.faults.down = true;
    const answer = await agent.post(LONG, paidBy(header));
    expect(answer.status).toBe(503);
    expect(gateway.upstream.requests).toHaveLength(0);
    gateway.facilitator.faults.down = false;
    expect((await agent.post(LONG, paidBy(header))).status).toBe(200);
  });

  test.for(["ignoresSettle", "inventsSuccess"] as const)(
    "nobody can say whether it was settled (%s): 503 for the same payment, and no second call",
    async (fault) => {
      gateway.facilitator.faults[fault] = true;
      const before = await lost(store);
      const header = await sign();
      await expectWithheld(await agent.post(LONG, paidBy(header)), 503, /same PAYMENT-SIGNATURE/);
      Object.assign(gateway.facilitator.faults, NO_FAULTS);
      const again = await agent.post(LONG, paidBy(header));
      expect(again.status).toBe(503);
      expect(gateway.upstream.requests).toHaveLength(1);
      expect((await lost(store)) - before).toBe(LONG_COST);
    },
  );
  describe("it is settled after its answer was given up", () => {
    const givenUp = async (body: object, answered: object): Promise<string> => {
      gateway.upstream.answer(json(answered));
      const header = await sign(body);
      await stopMining(gateway.chain);
      try {
        const answer = await agent.post(body, paidBy(header));
        await expectWithheld(answer, 503, /same PAYMENT-SIGNATURE/);
        expect((await agent.post(body, paidBy(header))).status).toBe(503);
      } finally {
        await resumeMining(gateway.chain);
      }
      return header;
    };

    test("the same payment is credit, and gets its answer where that covers it", async () => {
      const header = await givenUp(SMALL, ANSWER);
      const again = await agent.post(SMALL, paidBy(header));
      expect(again.status).toBe(200);
      expect(again.headers.get("payment-response")).toBeTruthy();
      expect((await agent.post(SMALL, paidBy(header))).status).toBe(409);
    });

    test("or is told what credit there is: its wallet can spend it", async () => {
      const header = await givenUp(LONG, LONG_ANSWER);
      const again = await agent.post(LONG, paidBy(header));
      expect(again.status).toBe(402);
      expect(await again.text()).toContain("0.003002 USD free");
      expect(await balanceOf()).toBe(LONG_UNITS * 1_000n);
      const proof = await signInHeader(payer, await agent.quote());
      expect((await agent.post(SMALL, { "sign-in-with-x": proof })).status).toBe(200);
    });

    test("the reconciler credits it", async () => {
      const header = await givenUp(LONG, LONG_ANSWER);
      await reconciler.reconcile(60_000);
      expect(await rowOf(store, header)).toMatchObject({
        state: "credited",
        amount: String(LONG_UNITS),
      });
      expect(await balanceOf()).toBe(LONG_UNITS * 1_000n);
    });
  });

  describe("the store fails", () => {
    const failing = async (step: WritingStep, header: string): Promise<Response> => {
      const repair = await failAt({ core: store.core, dialect }, step);
      try {
        return await agent.post(LONG, paidBy(header));
      } finally {
        await repair();
      }
    };

    test.for(["claim", "hold"] as const)(
      "at the %s: nothing is asked, nothing settled",
      async (step) => {
        const header = await sign();
        const units = await received();
        expect((await failing(step, header)).status).toBe(503);
        expect(gateway.upstream.requests).toHaveLength(0);
        expect(await received()).toBe(units);
      },
    );

    test.for(["use", "deposit", "settle"] as const)(
      "at the %s: no answer, and what was settled is credit",
      async (step) => {
        const header = await sign();
        const answer = await failing(step, header);
        expect(answer.status).toBe(503);
        expect(await answer.text()).not.toContain("Hello there");
        await vi.waitUntil(async () => (await balanceOf()) === LONG_UNITS * 1_000n, {
          timeout: 20_000,
        });
        const again = await agent.post(LONG, paidBy(header));
        expect(again.status).toBe(409);
        expect(gateway.upstream.requests).toHaveLength(1);
      },
    );
  });

  test("an answer that takes longer than the payment is good for is given up, and nothing is settled", async () => {
    gateway.upstream.answer(async (request, response) => {
      await pause(20_000, undefined, { ref: false });
      await json(LONG_ANSWER)(request, response);
    });
    const header = await agent.sign({
      body: LONG,
      scheme: "upto",
      signed: { maxTimeoutSeconds: 22 },
    });
    const answer = await agent.post(LONG, paidBy(header));
    expect(answer.status).toBe(504);
    expect(await answer.text()).toContain("maxTimeoutSeconds");
    expect(gateway.facilitator.calls.settle).toBe(0);
    expect((await readBooks(store)).held).toBe(0n);
  });

  /** The chain's clock passes it, for good: last of all. */
  test("what was not settled until its end is closed then, and not before", async () => {
    const paid = await sign();
    expect((await agent.post(LONG, paidBy(paid))).status).toBe(200);
    // As a process leaves it that dies while the answer is on its way.
    const { id: _other, ...row } = (await rowOf(store, paid)) ?? ({} as PaymentRow);
    const left: PaymentRow = {
      ...row,
      id: "pay_left",
      pay_key: `${row.pay_key}1`,
      facts: row.facts.replace('"nonce":"', '"nonce":"1'),
      state: "claimed",
      transaction_hash: null,
      transfer_ref: null,
      request_id: null,
      gateway: null,
    };
    await insertPayment(store.core, left);
    gateway.facilitator.faults.ignoresSettle = true;
    const unknown = await sign();
    expect((await agent.post(LONG, paidBy(unknown))).status).toBe(503);
    await reconciler.reconcile(60_000);
    const stateOf = async (one: string) => (await findPayment(store.core, one))?.state;
    expect(await stateOf(left.id)).toBe("claimed");
    const { id = "" } = (await rowOf(store, unknown)) ?? {};
    expect(await stateOf(id)).toBe("unknown");
    await gateway.chain.client.increaseTime({ seconds: 300 });
    await gateway.chain.client.mine({ blocks: 1 });
    await reconciler.reconcile(TEN_MINUTES);
    expect(await stateOf(left.id)).toBe("failed");
    expect(await stateOf(id)).toBe("failed");
    const again = await agent.post(LONG, paidBy(unknown));
    expect(again.status).toBe(402);
    expect(await again.text()).toContain("never settled");
  });
});
