import { afterEach, beforeEach, expect, test } from "vitest";

import { budgetUsage, forecastOf } from "#ledger/budget-usage.ts";
import { checkInvariants } from "#ledger/check-invariants.ts";
import { createCredits, type Credits } from "#ledger/credits.ts";
import { openLedger, type Ledger } from "#ledger/open-ledger.ts";
import { createLedgerStore } from "#store/ledger.ts";
import type { Store } from "#store/store.ts";
import { describeOnEach, type TestDatabase } from "#test/databases.ts";

describeOnEach("credits", (make) => {
  let database: TestDatabase;
  let store: Store;
  let ledger: Ledger;
  let credits: Credits;
  let now: number;

  beforeEach(async () => {
    database = await make();
    store = await database.open();
    ledger = openLedger({ store: createLedgerStore(store) });
    now = 1_000;
    credits = createCredits({ ledger, store, now: () => now });
  });
  afterEach(async () => {
    expect(await checkInvariants(store.core)).toEqual([]);
    await store.close();
    await database.remove();
  });

  const grant = (key: string, amount: bigint, more = {}) =>
    credits.grant({ organizationId: "org_1", amount, idempotencyKey: key, ...more });
  const spend = (id: string, amount: bigint) =>
    ledger.run({
      type: "settle",
      id,
      at: now,
      organizationId: "org_1",
      held: false,
      charge: {
        walletId: "wallet:org_1",
        projectId: "proj_1",
        chargeNanoUsd: amount,
        tokens: 1,
        counters: [],
      },
    });

  test("a grant is booked once a key, and a key stands for one grant", async () => {
    await Promise.all([grant("a", 500n), grant("a", 500n)]);
    expect(await grant("a", 500n)).toMatchObject({ outcome: "again", charged: 500n });
    await expect(grant("a", 501n)).rejects.toMatchObject({
      failure: { code: "idempotency_mismatch" },
    });
    expect(await credits.balance("org_1")).toEqual({ balance: 500n, held: 0n });
  });

  test("amounts that are none are refused", async () => {
    await expect(grant("a", 0n)).rejects.toThrow("above 0");
    await expect(grant("a", -5n)).rejects.toThrow("above 0");
    await expect(grant("a", 10n ** 19n)).rejects.toThrow("at most");
    await expect(grant("", 5n)).rejects.toThrow("idempotency key");
  });

  test("adjustments go up and down", async () => {
    const base = { organizationId: "org_1", amount: 70n };
    await credits.adjust({ ...base, idempotencyKey: "up", direction: "up" });
    await credits.adjust({ ...base, amount: 100n, idempotencyKey: "down", direction: "down" });
    expect(await credits.balance("org_1")).toEqual({ balance: -30n, held: 0n });
  });

  test("a request is refunded once, in parts, and never more than it was charged", async () => {
    await grant("a", 1_000n);
    await spend("req_1", 300n);
    const base = { organizationId: "org_1", requestId: "req_1" };
    await credits.refund({ ...base, amount: 100n, idempotencyKey: "r1" });
    expect(await credits.refund({ ...base, amount: 100n, idempotencyKey: "r1" })).toMatchObject({
      outcome: "again",
    });
    await expect(credits.refund({ ...base, amount: 201n, idempotencyKey: "r2" })).rejects.toThrow(
      "More cannot be given back",
    );
    await Promise.allSettled(
      ["r3", "r4", "r5"].map((idempotencyKey) => credits.refund({ ...base, idempotencyKey })),
    );
    expect((await credits.balance("org_1")).balance).toBe(1_000n);
    await expect(
      credits.refund({ organizationId: "org_2", requestId: "req_1", idempotencyKey: "x" }),
    ).rejects.toMatchObject({ failure: { code: "not_found" } });
  });

  test("what is left of credits with an end is taken back then, and only once", async () => {
    await grant("a", 500n, { expiresAt: 5_000 });
    await spend("req_1", 200n);
    await credits.expireDue();
    expect((await credits.balance("org_1")).balance).toBe(300n);
    now = 6_000;
    await credits.expireDue();
    await credits.expireDue();
    expect((await credits.balance("org_1")).balance).toBe(0n);
  });

  test("transfers are listed page by page, the newest first", async () => {
    for (const key of ["a", "b", "c"]) await grant(key, 1n);
    const first = await credits.transfers({ organizationId: "org_1", limit: 2 });
    expect(first.map(({ id }) => id)).toEqual(["grant:org_1:c", "grant:org_1:b"]);
    const beforeSeq = Number(first[1]?.seq);
    const rest = await credits.transfers({ organizationId: "org_1", limit: 2, beforeSeq });
    expect(rest.map(({ id }) => id)).toEqual(["grant:org_1:a"]);
  });

  test("the use of a budget is told with its forecast", async () => {
    const budget = {
      id: "bud_1",
      name: "b",
      document: { unit: "usd", period: "day", mode: "hard", alertAtPercent: [] } as const,
      limit: 100n,
      pausedAt: null,
      resetAt: null,
    };
    const noon = Date.UTC(2026, 10, 29, 12);
    const start = Date.UTC(2026, 10, 29);
    await store.core
      .insertInto("budget_counters")
      .values({
        id: `bud_1:${start}:`,
        budget_id: "bud_1",
        organization_id: "org_1",
        subject: "",
        period_start: start,
        period_end: start + 86_400_000,
        used: 40,
        pending: 0,
        updated_at: noon,
      })
      .execute();
    const options = { organizationId: "org_1", timeZone: "UTC", now: noon };
    expect(
      await budgetUsage(
        store,
        { ...budget, document: { ...budget.document, alertAtPercent: [] } },
        options,
      ),
    ).toMatchObject({ used: 40n, held: 0n, forecast: 80n });
    expect(forecastOf(5n, { start: 0, end: null }, noon)).toBeUndefined();
  });
});
