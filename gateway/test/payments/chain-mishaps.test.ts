import { setTimeout as pause } from "node:timers/promises";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import type { PaymentRow } from "#store/payments.ts";
import { openStore, type Store } from "#store/store.ts";
import {
  cancel,
  drain,
  frontRun,
  reorganize,
  resumeMining,
  stopMining,
} from "#test/chain/mishaps.ts";
import { makePayer } from "#test/chain/payer.ts";
import { TOKEN_ABI } from "#test/chain/token-abi.ts";
import { startChain, type TestChain } from "#test/chain/start-chain.ts";
import {
  NO_FAULTS,
  startFacilitator,
  type TestFacilitator,
} from "#test/chain/start-facilitator.ts";
import { json } from "#test/fake-upstream.ts";
import { startNodeProxy, type NodeProxy } from "#test/payments/node-proxy.ts";
import { agentOf, ANSWER, paidBy, SMALL, type Agent } from "#test/payments/paying-agent.ts";
import { expectBooksToMatch } from "#test/payments/payment-books.ts";
import { openReconciler, type TestReconciler } from "#test/payments/reconciler.ts";
import { PAY_TO, startPaidGateway, type PaidGateway } from "#test/payments/start-paid-gateway.ts";

const UNLIMITED = "    settleTimeoutMs: 1000\n    strangers: { requestsPerMinute: 100000 }";
const LOG_BLOCKS = 10;
const SLOW_MS = 400;

describe("what goes wrong on a chain", () => {
  let chain: TestChain;
  let node: NodeProxy;
  let facilitator: TestFacilitator;
  let gateway: PaidGateway;
  let store: Store;
  let reconciler: TestReconciler;
  let agent: Agent;
  beforeAll(async () => {
    chain = await startChain();
    node = await startNodeProxy(chain);
    facilitator = await startFacilitator([chain], { confirmationTimeoutMs: 200 });
    gateway = await startPaidGateway({
      chain: node.chain,
      facilitator,
      x402: UNLIMITED,
      network: `logBlocks: ${LOG_BLOCKS}`,
    });
    store = await openStore({ home: gateway.home });
    reconciler = openReconciler(store, chain, { logBlocks: LOG_BLOCKS });
    agent = agentOf(gateway);
  });
  afterAll(async () => {
    await reconciler.close();
    await store.close();
    await gateway.close();
    await facilitator.stop();
    await node.stop();
    await chain.stop();
  });
  beforeEach(() => {
    gateway.upstream.answer(json(ANSWER));
    gateway.upstream.requests.length = 0;
  });
  afterEach(async () => {
    Object.assign(facilitator.faults, NO_FAULTS);
    Object.assign(node.faults, { down: false, behindIn: [] });
    await expectBooksToMatch(store, chain, { withinMs: 20_000 });
  });

  /** Pays, and lets something happen after the payment was checked and before it is settled. */
  const payWhile = async (header: string, happens: () => Promise<unknown>): Promise<Response> => {
    const { calls, faults } = facilitator;
    const settled = calls.settle;
    faults.slowMs = SLOW_MS;
    const sent = agent.post(SMALL, paidBy(header));
    while (calls.settle === settled) await pause(1);
    await happens();
    return sent;
  };
  const lastPayment = (): Promise<PaymentRow> =>
    store.core
      .selectFrom("payments")
      .selectAll()
      .orderBy("created_at", "desc")
      .limit(1)
      .executeTakeFirstOrThrow();
  const poorer = async () => makePayer([chain]);

  test("the payer empties its wallet before the payment is settled: 402, and no provider is asked", async () => {
    const token = chain.tokens.usdc;
    const account = await poorer();
    const header = await agent.sign({ payer: account, token });
    const answer = await payWhile(header, () => drain({ chain, token, account }));
    expect(answer.status).toBe(402);
    expect(answer.headers.get("payment-required")).toBeTruthy();
    expect(gateway.upstream.requests).toHaveLength(0);
    expect(await lastPayment()).toMatchObject({ state: "refused" });
    // Whoever has seen the signature may still use it; it is credit then, and no answer.
    await chain.mint(token, account.address, 1_000n);
    await frontRun(chain, header);
    await reconciler.reconcile(70_000);
    expect(await lastPayment()).toMatchObject({ state: "credited", request_id: null });
  });

  test("the node does not try transfers: the facilitator is asked whether it is good", async () => {
    const { verify } = facilitator.calls;
    expect((await agent.post(SMALL, paidBy(await agent.sign()))).status).toBe(200);
    expect(facilitator.calls.verify).toBe(verify);
    node.faults.behindIn = ["eth_call"];
    expect((await agent.post(SMALL, paidBy(await agent.sign()))).status).toBe(200);
    expect(facilitator.calls.verify).toBe(verify + 1);
  });

  test.each(["usdc", "usdt", "usdt18"] as const)(
    "a stranger brings a payment in %s to the chain first: it is paid, and served once",
    async (symbol) => {
      const header = await agent.sign({ token: chain.tokens[symbol] });
      const answer = await payWhile(header, () => frontRun(chain, header));
      expect(answer.status).toBe(200);
      expect(gateway.upstream.requests).toHaveLength(1);
      expect((await agent.post(SMALL, paidBy(header))).status).toBe(409);
    },
  );

  test("a stranger brought it to the chain before the gateway saw it: it pays nothing here", async () => {
    const before = await chain.balance(chain.tokens.usdc, gateway.payer.address);
    const header = await agent.sign({ token: chain.tokens.usdc });
    await frontRun(chain, header);
    expect((await agent.post(SMALL, paidBy(header))).status).toBe(402);
    expect(gateway.upstream.requests).toHaveLength(0);
    expect(before - (await chain.balance(chain.tokens.usdc, gateway.payer.address))).toBe(1_000n);
    await moveAway(1_000n);
  });
  /** What came to the operator past the gateway is none of its business: out of the comparison. */
  const moveAway = async (amount: bigint): Promise<void> => {
    const { usdc } = chain.tokens;
    const from = PAY_TO;
    await chain.client.impersonateAccount({ address: from });
    await chain.client.setBalance({ address: from, value: 10n ** 18n });
    const hash = await chain.client.writeContract({
      account: from,
      address: usdc.address,
      abi: TOKEN_ABI,
      functionName: "transfer",
      args: [chain.client.account.address, amount],
    });
    await chain.client.waitForTransactionReceipt({ hash });
  };

  test.for(["usdc", "usdt18"] as const)(
    "the payer takes back what it has signed in %s: 402, and that for ever",
    async (name) => {
      const account = await poorer();
      const header = await agent.sign({ payer: account, token: chain.tokens[name] });
      const answer = await payWhile(header, () => cancel(chain, account, header));
      expect(answer.status).toBe(402);
      expect(await lastPayment()).toMatchObject({ state: "failed" });
      expect((await agent.post(SMALL, paidBy(header))).status).toBe(402);
      expect(gateway.upstream.requests).toHaveLength(0);
    },
  );

  test("no block comes: 503 as often as it is sent, and the same payment is served after the block", async () => {
    const header = await agent.sign();
    await stopMining(chain);
    for (let tries = 0; tries < 2; tries++) {
      const answer = await agent.post(SMALL, paidBy(header));
      expect(answer.status).toBe(503);
      expect(answer.headers.get("payment-required")).toBeNull();
      expect(answer.headers.get("x-payment-id")).toMatch(/^pay_/);
    }
    expect(gateway.upstream.requests).toHaveLength(0);
    await resumeMining(chain);
    expect(await served(header)).toBe(200);
    expect(gateway.upstream.requests).toHaveLength(1);
  });
  const served = async (header: string): Promise<number> => {
    for (let tries = 0; tries < 40; tries++) {
      const { status } = await agent.post(SMALL, paidBy(header));
      if (status !== 503) return status;
      await pause(250);
    }
    return 503;
  };

  test("the node is down: 503 although the facilitator says that it is paid; then served", async () => {
    const header = await agent.sign();
    node.faults.down = true;
    expect((await agent.post(SMALL, paidBy(header))).status).toBe(503);
    node.faults.down = false;
    expect(await served(header)).toBe(200);
    expect(gateway.upstream.requests).toHaveLength(1);
  });

  test.for([
    ["usdc", ["eth_getLogs"]],
    ["usdc", ["eth_getTransactionReceipt"]],
    ["usdt18", ["eth_getLogs"]],
    ["usdt18", ["eth_getTransactionReceipt"]],
  ] as const)(
    "one node behind another, in %s without %s: 503 and never a second price",
    async ([name, behindIn]) => {
      const header = await agent.sign({ token: chain.tokens[name] });
      facilitator.faults.losesAnswer = true;
      node.faults.behindIn = behindIn;
      expect((await agent.post(SMALL, paidBy(header))).status).toBe(503);
      expect(await lastPayment()).toMatchObject({ state: "unknown" });
      node.faults.behindIn = [];
      expect(await served(header)).toBe(200);
    },
  );

  test("the gateway was away for longer than its node lets it look back at once: credited", async () => {
    const header = await agent.sign();
    facilitator.faults.losesAnswer = true;
    node.faults.down = true;
    expect((await agent.post(SMALL, paidBy(header))).status).toBe(503);
    await chain.client.mine({ blocks: LOG_BLOCKS * 5 });
    node.faults.down = false;
    await reconciler.reconcile(10_000);
    expect(["paid", "credited"]).toContain((await lastPayment()).state);
    expect(await served(header)).toBe(200);
  });

  test("it never came to the chain: closed once its end is over there, too, and not before", async () => {
    const header = await agent.sign();
    facilitator.faults.ignoresSettle = true;
    expect((await agent.post(SMALL, paidBy(header))).status).toBe(503);
    // A clock that runs ahead of the chain's: a node that is behind does not know yet.
    await reconciler.reconcile(20 * 60_000);
    expect(await lastPayment()).toMatchObject({ state: "unknown" });
    facilitator.faults.ignoresSettle = false;
    expect(await served(header)).toBe(200);
  });
});

describe("blocks that are taken back", () => {
  const CONFIRMATIONS = 4;
  let gateway: PaidGateway;
  let store: Store;
  let reconciler: TestReconciler;
  let agent: Agent;
  beforeEach(async () => {
    gateway = await startPaidGateway({ network: `confirmations: ${CONFIRMATIONS}` });
    store = await openStore({ home: gateway.home });
    reconciler = openReconciler(store, gateway.chain, { confirmations: CONFIRMATIONS });
    agent = agentOf(gateway);
    gateway.upstream.answer(json(ANSWER));
  });
  afterEach(async () => {
    await expectBooksToMatch(store, gateway.chain);
    await reconciler.close();
    await store.close();
    await gateway.close();
  });
  const payment = (): Promise<PaymentRow> =>
    store.core.selectFrom("payments").selectAll().executeTakeFirstOrThrow();
  const pay = async (): Promise<string> => {
    const header = await agent.sign({ token: gateway.chain.tokens.usdc });
    expect((await agent.post(SMALL, paidBy(header))).status).toBe(200);
    await expectBooksToMatch(store, gateway.chain);
    return header;
  };

  test("a payment in a block that is deep enough is final", async () => {
    await pay();
    await reconciler.reconcile();
    expect((await payment()).block).not.toBeNull();
    await gateway.chain.client.mine({ blocks: CONFIRMATIONS });
    await reconciler.reconcile();
    expect(await payment()).toMatchObject({ state: "credited", block: null });
  });

  test("its transfer is in no block any more: while it may come again nothing is done, then the wallet owes it", async () => {
    await pay();
    await reorganize(gateway.chain, 1);
    await reconciler.reconcile();
    expect(await payment()).toMatchObject({ state: "credited" });
    await gateway.chain.client.increaseTime({ seconds: 600 });
    await gateway.chain.client.mine({ blocks: 1 });
    expect((await reconciler.reconcile(600_000)).reversed).toBe(1);
    expect(await payment()).toMatchObject({ state: "reversed" });
    expect(reconciler.reversed).toHaveLength(1);
    expect((await reconciler.reconcile(600_000)).reversed).toBe(0);
    const { balances, charges } = await expectBooksToMatch(store, gateway.chain);
    expect(balances).toBe(-charges);
  });

  test("the same authorization in another block: it stays credit, once", async () => {
    const header = await pay();
    const { transaction_hash: before } = await payment();
    await reorganize(gateway.chain, 1);
    const hash = await frontRun(gateway.chain, header);
    await reconciler.reconcile();
    expect(hash).not.toBe(before);
    expect(await payment()).toMatchObject({ state: "credited", transaction_hash: hash });
  });
});
