import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { checkInvariants } from "#ledger/check-invariants.ts";
import { isRefusal, type Post, type Reserve, type Settle } from "#ledger/commands.ts";
import { openLedger, type Ledger } from "#ledger/open-ledger.ts";
import { createLedgerStore } from "#store/ledger.ts";
import type { NonceUse, PaymentUse } from "#store/ledger-uses.ts";
import { findPayment, insertPayment, type PaymentRow } from "#store/payments.ts";
import type { Store } from "#store/store.ts";
import { describeOnEach, type TestDatabase } from "#test/databases.ts";
import { paymentRow } from "#test/payments/payment-row.ts";

const post = (id: string, uses: Post["uses"] = []): Post => ({
  type: "post",
  id,
  at: 1_000,
  kind: "deposit",
  debitAccount: "payments",
  creditAccount: "wallet:0xpayer",
  amount: 1_000_000n,
  organizationId: "org_default",
  uses,
});

const reserve = (id: string, more: Partial<Reserve> = {}): Reserve => ({
  type: "reserve",
  id,
  at: 1_000,
  organizationId: "org_default",
  owner: "gateway_1",
  deadline: 2_000,
  wallet: { id: "wallet:0xpayer", lowest: 0n },
  counters: [],
  lines: [{ basePicoUsd: 100_000n, outputPicoUsd: 1_000n, inputTokens: 100 }],
  answers: 1,
  wantedTokens: 400,
  leastTokens: 400,
  fallback: {
    walletId: "wallet:0xpayer",
    projectId: "proj_default",
    chargeNanoUsd: 100n,
    tokens: 1,
    counters: [],
  },
  ...more,
});

const nonce = (name: string): NonceUse => ({ kind: "nonce", nonce: name, expiresAt: 9_000 });

const use = (id: string, requestId: string, more: Partial<PaymentUse> = {}): PaymentUse => ({
  kind: "payment",
  id,
  requestId,
  gateway: "gateway_1",
  transaction: "0xabc",
  transferRef: `eip155:1:0xabc:${id}`,
  block: 7,
  amount: "1000",
  nanoUsd: 1_000_000,
  at: 2_000,
  ...more,
});

const CLAIMED: Partial<PaymentRow> = {
  state: "claimed",
  transaction_hash: null,
  transfer_ref: null,
};

describeOnEach("what a command uses up", (make) => {
  let database: TestDatabase;
  let store: Store;
  let ledger: Ledger;
  beforeEach(async () => {
    database = await make();
    store = await database.open();
    ledger = openLedger({ store: createLedgerStore(store) });
    await ledger.run(post("start"));
  });
  afterEach(async () => {
    expect(await checkInvariants(store.core)).toEqual([]);
    await store.close();
    await database.remove();
  });

  const row = (id: string): Promise<PaymentRow | undefined> => findPayment(store.core, id);
  const claim = (id: string, changes: Partial<PaymentRow> = {}) =>
    insertPayment(store.core, paymentRow(id, { ...CLAIMED, ...changes }));
  const depositsOf = async (id: string): Promise<number> => {
    const booked = store.core.selectFrom("ledger_transfers").select("id").where("id", "=", id);
    return (await booked.execute()).length;
  };

  test("a nonce is good for one command, in the same batch and later", async () => {
    const uses = [nonce("one")];
    const asked = ["a", "b", "c"].map((id) => ledger.run(reserve(id, { uses })));
    const replies = [...(await Promise.all(asked)), await ledger.run(reserve("d", { uses }))];
    expect(replies.map((reply) => (isRefusal(reply) ? reply.by : "held"))).toEqual([
      "held",
      "use",
      "use",
      "use",
    ]);
    expect(await ledger.run(reserve("e", { uses: [nonce("two")] }))).toMatchObject({
      outputTokens: 400,
    });
  });

  test("it is used up by a command that is refused for something else", async () => {
    const uses = [nonce("one")];
    const dear = [{ basePicoUsd: 10n ** 15n, outputPicoUsd: 1n, inputTokens: 1 }];
    expect(await ledger.run(reserve("a", { uses, lines: dear }))).toMatchObject({ by: "wallet" });
    expect(await ledger.run(reserve("b", { uses }))).toMatchObject({ by: "use" });
  });

  test("a payment becomes credit with what it is used for, once", async () => {
    await claim("pay_1");
    const ask = (id: string) =>
      ledger.run(reserve(id, { deposit: post("deposit:pay_1", [use("pay_1", id)]) }));
    const replies = await Promise.all(["a", "b"].map(ask));
    expect(replies).toMatchObject([{ outputTokens: 400 }, { by: "use" }]);
    expect(await ask("c")).toMatchObject({ by: "use" });
    expect(await row("pay_1")).toMatchObject({
      state: "credited",
      request_id: "a",
      transaction_hash: "0xabc",
      transfer_ref: "eip155:1:0xabc:pay_1",
      block: 7,
    });
    expect(await depositsOf("deposit:pay_1")).toBe(1);
  });

  describe("what is paid after its answer", () => {
    const { wallet: _none, ...unheld } = reserve("a");
    const settle = (id: string, chargeNanoUsd: bigint) =>
      ledger.run<Settle>({
        type: "settle",
        id,
        at: 3_000,
        organizationId: "org_default",
        held: true,
        charge: {
          ...unheld.fallback,
          chargeNanoUsd,
          cost: { provider: "openai", nanoUsd: 3_000_000n },
        },
        deposit: post("deposit:pay_1", [use("pay_1", id)]),
      });
    const balance = async (): Promise<bigint> => {
      const account = await store.core
        .selectFrom("ledger_accounts")
        .selectAll()
        .where("id", "=", "wallet:0xpayer")
        .executeTakeFirstOrThrow();
      return BigInt(account.credits) - BigInt(account.debits);
    };
    beforeEach(async () => {
      await claim("pay_1");
      await ledger.run(unheld);
    });

    test("is booked with its charge, once, and the charge is never more", async () => {
      const before = await balance();
      const ended = await settle("a", 1_500_000n);
      expect(ended).toMatchObject({ outcome: "done", charged: 1_000_000n, excess: 500_000n });
      expect(await balance()).toBe(before);
      expect((await settle("a", 1_500_000n)).outcome).toBe("again");
      expect(await balance()).toBe(before);
      expect(await row("pay_1")).toMatchObject({ state: "credited", request_id: "a" });
    });

    test("is credit where the hold has ended before", async () => {
      const before = await balance();
      await ledger.run({ type: "expire", id: "a", at: 2_500 });
      const charged = 100n;
      expect((await settle("a", 400_000n)).outcome).toBe("again");
      expect(await balance()).toBe(before - charged + 1_000_000n);
    });

    test("changes nothing where it was used for another request", async () => {
      await ledger.run(post("deposit:pay_1", [use("pay_1", "b")]));
      const before = await balance();
      expect((await settle("a", 400_000n)).outcome).toBe("unknown");
      expect(await balance()).toBe(before);
      expect(await row("pay_1")).toMatchObject({ request_id: "b" });
    });
  });

  test("the same request may ask again, as after a refusal", async () => {
    await claim("pay_1");
    const deposit = post("deposit:pay_1", [use("pay_1", "a")]);
    const dear = [{ basePicoUsd: 10n ** 15n, outputPicoUsd: 1n, inputTokens: 1 }];
    const first = await ledger.run(reserve("a", { deposit, lines: dear }));
    expect(first).toMatchObject({ by: "wallet" });
    expect(await ledger.run(reserve("a", { deposit }))).toMatchObject({ outputTokens: 400 });
    expect(await depositsOf("deposit:pay_1")).toBe(1);
  });

  test("a transfer that has paid for another payment pays for nothing, and the others of its batch go on", async () => {
    await claim("pay_1");
    await claim("pay_2");
    const same = { transferRef: "eip155:1:0xabc:1" };
    const replies = await Promise.all([
      ledger.run(post("deposit:pay_1", [use("pay_1", "a", same)])),
      ledger.run(post("deposit:pay_2", [use("pay_2", "b", same)])),
      ledger.run(post("other")),
    ]);
    expect(replies.map(({ outcome }) => outcome)).toEqual(["done", "unknown", "done"]);
    expect(await row("pay_2")).toMatchObject({ state: "claimed", request_id: null });
    expect(await depositsOf("deposit:pay_2")).toBe(0);
  });

  test.for(["failed", "reversed"] as const)("one that is %s is none", async (state) => {
    await claim("pay_1", { state });
    const reply = await ledger.run(post("deposit:pay_1", [use("pay_1", "a")]));
    expect(reply.outcome).toBe("unknown");
    expect(await row("pay_1")).toMatchObject({ state, request_id: null });
  });

  test("a payment is given back by the request that has it, and good for another one", async () => {
    await claim("pay_1");
    const ask = (id: string) =>
      ledger.run(reserve(id, { deposit: post("deposit:pay_1", [use("pay_1", id)]) }));
    const giveBack = (id: string) =>
      ledger.run({
        type: "void",
        id,
        at: 3_000,
        uses: [{ kind: "return", id: "pay_1", requestId: id }],
      });
    await giveBack("a");
    expect(await ask("a")).toMatchObject({ outputTokens: 400 });
    await giveBack("b");
    expect(await ask("b")).toMatchObject({ by: "use" });
    await giveBack("a");
    expect(await row("pay_1")).toMatchObject({ state: "credited", request_id: null });
    expect(await ask("b")).toMatchObject({ outputTokens: 400 });
    expect(await depositsOf("deposit:pay_1")).toBe(1);
  });

  test("what is on record of its transaction stays", async () => {
    await claim("pay_1", {
      state: "paid",
      transaction_hash: "0xnew",
      transfer_ref: "new",
      block: 9,
    });
    await ledger.run(post("deposit:pay_1", [use("pay_1", "a")]));
    expect(await row("pay_1")).toMatchObject({
      state: "credited",
      transaction_hash: "0xnew",
      transfer_ref: "new",
      block: 9,
    });
  });
});
