import { afterEach, beforeEach, expect, test } from "vitest";

import { checkInvariants } from "#ledger/check-invariants.ts";
import { isRefusal, type Charge, type CounterLimit, type Reserve } from "#ledger/commands.ts";
import { openLedger, type Ledger } from "#ledger/open-ledger.ts";
import { createLedgerStore } from "#store/ledger.ts";
import type { Store } from "#store/store.ts";
import { describeOnEach, type TestDatabase } from "#test/databases.ts";

const charge = (nanoUsd: bigint, counters: Charge["counters"] = []): Charge => ({
  walletId: "wallet:org_1",
  projectId: "proj_1",
  chargeNanoUsd: nanoUsd,
  cost: { provider: "openai", nanoUsd },
  tokens: Number(nanoUsd),
  counters,
});

const counter = (limit: bigint, more: Partial<CounterLimit> = {}): CounterLimit => ({
  id: "bud_1:0:",
  budgetId: "bud_1",
  organizationId: "org_1",
  subject: "",
  periodStart: 0,
  periodEnd: null,
  unit: "usd",
  limit,
  ...more,
});

/** 100 nano-USD of input and 1 nano-USD an output token. */
const reserve = (id: string, more: Partial<Reserve> = {}): Reserve => ({
  type: "reserve",
  id,
  at: 1_000,
  organizationId: "org_1",
  owner: "me",
  deadline: 2_000,
  counters: [counter(1_000n)],
  lines: [{ basePicoUsd: 100_000n, outputPicoUsd: 1_000n, inputTokens: 100 }],
  answers: 1,
  wantedTokens: 400,
  leastTokens: 256,
  fallback: charge(100n, [counter(0n)]),
  ...more,
});

const settle = (id: string, nanoUsd: bigint, held = true) =>
  ({
    type: "settle",
    id,
    at: 1_500,
    organizationId: "org_1",
    charge: charge(nanoUsd, [counter(0n)]),
    held,
  }) as const;

describeOnEach("the ledger", (make) => {
  let database: TestDatabase;
  let store: Store;
  let ledger: Ledger;

  beforeEach(async () => {
    database = await make();
    store = await database.open();
    ledger = openLedger({ store: createLedgerStore(store) });
  });
  afterEach(async () => {
    await ledger.idle();
    expect(await checkInvariants(store.core)).toEqual([]);
    await store.close();
    await database.remove();
  });

  const counterNow = () =>
    store.core.selectFrom("budget_counters").select(["used", "pending"]).executeTakeFirst();

  test("grants what fits, clamps what nearly fits and refuses the rest, in one batch", async () => {
    const replies = await Promise.all(["a", "b", "c"].map((id) => ledger.run(reserve(id))));
    expect(replies).toMatchObject([
      { outputTokens: 400, amount: 500n },
      { outputTokens: 400, amount: 500n },
      { by: "counter", untilHoldsEnd: true, affordableTokens: -1 },
    ]);
    await ledger.run(settle("a", 140n));
    expect(await ledger.run(reserve("d"))).toMatchObject({ outputTokens: 260, amount: 360n });
    expect(await counterNow()).toEqual({ used: 140, pending: 860 });
  });

  test("a settlement charges once, never more than was held, and books the excess as a loss", async () => {
    await ledger.run(reserve("a"));
    expect(await ledger.run(settle("a", 700n))).toMatchObject({
      outcome: "done",
      charged: 500n,
      excess: 200n,
      counted: [{ before: 0n, after: 500n }],
    });
    expect(await ledger.run(settle("a", 700n))).toMatchObject({ outcome: "again", charged: 500n });
    const accounts = await store.core
      .selectFrom("ledger_accounts")
      .select(["id", "debits", "credits"])
      .orderBy("id")
      .execute();
    expect(accounts).toEqual([
      { id: "loss", debits: 200, credits: 0 },
      { id: "project:proj_1", debits: 0, credits: 500 },
      { id: "provider-cost", debits: 500, credits: 0 },
      { id: "provider:openai", debits: 0, credits: 700 },
      { id: "wallet:org_1", debits: 500, credits: 0 },
    ]);
    expect(await counterNow()).toEqual({ used: 500, pending: 0 });
  });

  test("a used-up budget is told from one that is only held", async () => {
    await ledger.run(reserve("a", { wantedTokens: 900 }));
    await ledger.run(settle("a", 1_000n));
    const refused = await ledger.run(reserve("b"));
    expect(refused).toMatchObject({ by: "counter", limit: 1_000n, used: 1_000n });
    expect(isRefusal(refused) && refused.untilHoldsEnd).toBe(false);
  });

  test("a refusal at one level leaves nothing at the others", async () => {
    const wide = counter(10_000n, { id: "bud_2:0:", budgetId: "bud_2" });
    const refused = await ledger.run(reserve("a", { counters: [wide, counter(10n)] }));
    expect(refused).toMatchObject({ by: "counter", counterId: "bud_1:0:" });
    expect(await store.core.selectFrom("holds").selectAll().execute()).toEqual([]);
    expect(await counterNow()).toBeUndefined();
  });

  test("a prepaid wallet gives what was paid in and not more", async () => {
    const wallet = { id: "wallet:org_1", lowest: 0n };
    const asked = { wallet, counters: [], fallback: charge(100n) };
    expect(await ledger.run(reserve("a", asked))).toMatchObject({ by: "wallet" });
    const grant = {
      type: "post",
      id: "grant_1",
      at: 1,
      kind: "grant",
      debitAccount: "grants",
      creditAccount: "wallet:org_1",
      amount: 600n,
      organizationId: "org_1",
    } as const;
    const [first, second] = await Promise.all([ledger.run(grant), ledger.run(grant)]);
    expect([first.outcome, second.outcome]).toEqual(["done", "again"]);
    expect(await ledger.run(reserve("b", asked))).toMatchObject({ outputTokens: 400 });
    expect(await ledger.run(reserve("c", asked))).toMatchObject({
      by: "wallet",
      untilHoldsEnd: true,
    });
  });

  test("a hold that nobody settles is charged as far as it was metered, and only once", async () => {
    await ledger.run(reserve("a"));
    const fallback = charge(150n, [counter(0n)]);
    await ledger.run({ type: "meter", id: "a", deliveredTokens: 50, fallback });
    expect(await ledger.run({ type: "expire", id: "a", at: 9_000 })).toMatchObject({
      state: "expired",
      charged: 150n,
    });
    expect(await ledger.run(settle("a", 200n))).toMatchObject({
      outcome: "again",
      state: "expired",
    });
    expect(await counterNow()).toEqual({ used: 150, pending: 0 });
  });

  test("a void releases all and charges nothing", async () => {
    await ledger.run(reserve("a"));
    expect(await ledger.run({ type: "void", id: "a", at: 9 })).toMatchObject({ state: "voided" });
    expect(await counterNow()).toEqual({ used: 0, pending: 0 });
    expect(await ledger.run({ type: "void", id: "none", at: 9 })).toMatchObject({
      outcome: "unknown",
    });
  });

  test("beyond a limit that slows down one request at a time goes on", async () => {
    const slot = counter(0n, { id: "bud_1:0:slot", subject: "slot" });
    const asked = { counters: [counter(100n, { slot })] };
    expect(await ledger.run(reserve("a", asked))).toMatchObject({ outputTokens: 400 });
    expect(await ledger.run(reserve("b", asked))).toMatchObject({ by: "slot" });
    await ledger.run(settle("a", 300n));
    expect(await ledger.run(reserve("c", asked))).toMatchObject({ outputTokens: 400 });
  });

  test("a request that nothing bounds is charged once, too", async () => {
    expect(await ledger.run(settle("a", 300n, false))).toMatchObject({ charged: 300n });
    expect(await ledger.run(settle("a", 300n, false))).toMatchObject({ outcome: "again" });
    expect(await counterNow()).toEqual({ used: 300, pending: 0 });
  });

  test("what is in the way of hostile text and numbers stays within its batch", async () => {
    const odd = counter(10n ** 18n, { id: "bud_1:0:é\u{1F600}'\"", subject: "é\u{1F600}'\"" });
    const huge = { basePicoUsd: 10n ** 20n, outputPicoUsd: 10n ** 12n, inputTokens: 1 };
    const granted = await ledger.run(reserve("a", { counters: [odd], lines: [huge] }));
    expect(granted).toMatchObject({ amount: 10n ** 17n + 400n * 10n ** 9n });
    const row = await store.core.selectFrom("holds").select("amount").executeTakeFirst();
    expect(BigInt(row?.amount ?? 0)).toBe(10n ** 17n + 400n * 10n ** 9n);
  });
});
