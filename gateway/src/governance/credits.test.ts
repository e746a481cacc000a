import { afterEach, beforeEach, expect, test } from "vitest";

import { OPERATOR } from "#governance/actor.ts";
import { grantCredits, refundCredits } from "#governance/credits.ts";
import type { Deed } from "#governance/deed.ts";
import { changeOrganization, createOrganization } from "#governance/organizations.ts";
import { verifyAudit } from "#governance/verify-audit.ts";
import { checkInvariants } from "#ledger/check-invariants.ts";
import { creditBalance } from "#ledger/credits.ts";
import { openLedger, type Ledger } from "#ledger/open-ledger.ts";
import { listAuditEntries } from "#store/audit.ts";
import { createLedgerStore } from "#store/ledger.ts";
import type { Store } from "#store/store.ts";
import { describeOnEach, type TestDatabase } from "#test/databases.ts";

describeOnEach("credits by operators", (make) => {
  let database: TestDatabase;
  let store: Store;
  let deed: Deed;
  let ledger: Ledger;
  beforeEach(async () => {
    database = await make();
    store = await database.open();
    ledger = openLedger({ store: createLedgerStore(store) });
    deed = { core: store.core, actor: OPERATOR, now: 1_000, ip: null, requestId: null };
  });
  afterEach(async () => {
    expect(await checkInvariants(store.core)).toEqual([]);
    expect(await verifyAudit(store.core)).toMatchObject({ intact: true });
    await store.close();
    await database.remove();
  });

  const booking = (idempotencyKey: string, amountUsd: string) => ({
    organizationId: "org_default",
    idempotencyKey,
    amountUsd,
  });
  const told = async (): Promise<readonly string[]> =>
    (await listAuditEntries(store.core, { action: "credits.", limit: 1_000 })).map(
      ({ action, after_state: after }) => `${action} ${JSON.parse(after ?? "{}").amount_usd}`,
    );
  const charge = (id: string, amount: bigint) =>
    ledger.run({
      type: "settle",
      id,
      at: 1_000,
      organizationId: "org_default",
      held: false,
      charge: {
        walletId: "wallet:org_default",
        projectId: "proj_default",
        chargeNanoUsd: amount,
        tokens: 1,
        counters: [],
      },
    });
  const balance = async (id = "org_default") => (await creditBalance(store.core, id)).balance;

  test("what is booked is told once, however often it is repeated, and at once", async () => {
    const results = await Promise.all(
      [1, 2, 3, 4].map(() => grantCredits(deed, booking("a", "2.5"))),
    );
    expect(results.filter(({ alreadyBooked }) => !alreadyBooked)).toHaveLength(1);
    expect(await told()).toEqual(["credits.grant 2.5"]);
    await expect(grantCredits(deed, booking("a", "3"))).rejects.toThrow(/another booking/);
    expect(await told()).toHaveLength(1);
    expect(await balance()).toBe(2_500_000_000n);
  });

  test("what cannot be told is not booked", async () => {
    const head = await store.core.selectFrom("audit_head").selectAll().executeTakeFirstOrThrow();
    await store.core.deleteFrom("audit_head").execute();
    await expect(grantCredits(deed, booking("a", "1"))).rejects.toThrow();
    expect(await store.core.selectFrom("ledger_transfers").selectAll().execute()).toEqual([]);
    await store.core.insertInto("audit_head").values(head).execute();
  });

  test("what cannot be booked is not told", async () => {
    const refund = { organizationId: "org_default", idempotencyKey: "r", requestId: "req_none" };
    await expect(refundCredits(deed, refund)).rejects.toThrow(/Nothing was charged/);
    expect(await told()).toEqual([]);
  });

  test("bookings and requests at once: every one of them counts", async () => {
    await grantCredits(deed, booking("first", "100"));
    const rounds = Array.from({ length: 25 }, (_, at) => at);
    await Promise.all(
      rounds.flatMap((at) => [
        grantCredits(deed, booking(`g${at}`, "0.000000003")),
        charge(`req_${at}`, 2n),
      ]),
    );
    expect(await balance()).toBe(100_000_000_000n + 25n);
    const refunds = rounds.map((at) =>
      refundCredits(deed, {
        organizationId: "org_default",
        idempotencyKey: `r${at}`,
        requestId: `req_${at}`,
      }),
    );
    await Promise.all(refunds);
    expect(await balance()).toBe(100_000_000_000n + 75n);
  });

  test("the free plan comes with credits, once an organization", async () => {
    const wanted = { name: "A", time_zone: "UTC", plan: "free" as const };
    const made = await createOrganization(deed, { ...wanted, slug: "a" });
    expect(await balance(made.id)).toBe(500_000_000n);
    for (const plan of ["enterprise", "free", "pay-as-you-go", "free"] as const) {
      await changeOrganization(deed, made.id, { plan });
    }
    expect(await balance(made.id)).toBe(500_000_000n);
    const paid = await createOrganization(deed, { ...wanted, slug: "b", plan: "enterprise" });
    expect(await balance(paid.id)).toBe(0n);
    await Promise.all([1, 2, 3].map(() => changeOrganization(deed, paid.id, { plan: "free" })));
    expect(await balance(paid.id)).toBe(500_000_000n);
    expect(await told()).toEqual(["credits.grant 0.50", "credits.grant 0.50"]);
  });

  test("an organization that is not made in the end has no credits", async () => {
    const wanted = { name: "A", time_zone: "UTC", plan: "free" as const, slug: "a" };
    await createOrganization(deed, wanted);
    await expect(createOrganization(deed, wanted)).rejects.toThrow(/slug/);
    expect(await told()).toHaveLength(1);
  });
});
