import { afterEach, beforeEach, expect, test } from "vitest";

import { revenueOf } from "#payments/revenue.ts";
import { describeOnEach, type TestDatabase } from "#test/databases.ts";
import { NO_GATE_PAY_FAULTS } from "#test/payments/fake-gate-pay.ts";
import { openGatePayWorld, tradeNo, type GatePayWorld } from "#test/payments/gate-pay-world.ts";

const USD = 1_000_000_000n;
const MINUTE = 60_000;

describeOnEach("refunds by Gate Pay", (make) => {
  let database: TestDatabase;
  let world: GatePayWorld;
  beforeEach(async () => {
    database = await make();
    world = await openGatePayWorld(database);
  });
  afterEach(async () => {
    await world.close();
    await database.remove();
  });

  const failureOf = async (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => "none",
      (error: { failure?: { code: string } }) => error.failure?.code ?? "another error",
    );
  const later = async (): Promise<void> => {
    world.clock += 2 * MINUTE;
    await world.desk.reconcile();
  };
  /** What Gate Pay has given back or is about to. */
  const gone = (): bigint =>
    [...world.fake.refunds.values()]
      .filter(({ status }) => status !== "FAIL")
      .reduce((sum, { refundAmount }) => sum + BigInt(Math.round(Number(refundAmount) * 1e9)), 0n);

  test("what is unspent goes back, once a key", async () => {
    const order = await world.paidOrder();
    await world.spend(10n * USD + 1n);
    expect(await world.refund(order, "r1")).toMatchObject({ state: "refunded" });
    expect(gone()).toBe(14_999_999_000n);
    expect(await world.balance()).toBe(999n);
    expect(await world.refund(order, "r1")).toMatchObject({ state: "refunded" });
    expect(await failureOf(world.refund(order, "r1", "3"))).toBe("idempotency_mismatch");
    expect(world.fake.refunds.size).toBe(1);
    expect(await world.books()).toBe(25n * USD - gone());
  });

  test("the revenue tells what went back, less what did not go after all; each end is told of once", async () => {
    const order = await world.paidOrder();
    await world.spend(4n * USD);
    await world.refund(order, "r1", "5");
    await world.refund(order, "r1", "5");
    world.fake.faults.refusesRefunds = true;
    expect(await failureOf(world.refund(order, "r2", "3"))).toBe("conflict");
    expect(world.ended).toEqual([`refunded ${5n * USD}`, `failed ${3n * USD}`]);
    const day = new Date(world.clock).toISOString().slice(0, 10);
    const asked = { organizationId: "org_default", from: day, to: day, by: "day" } as const;
    const revenue = await revenueOf(world.store.core, asked);
    const sums = { deposits_usd: "25", payouts_usd: "5", charges_usd: "4", other_usd: "0" };
    expect(revenue.total).toMatchObject(sums);
    expect(revenue.data).toMatchObject([{ day, ...sums }]);
    expect(revenue.outstanding_usd).toBe("16");
    expect(await world.balance()).toBe(16n * USD);
  });

  test("beyond what is left of the order or of the credit it is refused, and nothing is sent", async () => {
    const order = await world.paidOrder("10");
    const other = await world.paidOrder("10");
    expect(await failureOf(world.refund(order, "a", "10.01"))).toBe("invalid_request");
    expect(await world.refund(order, "b", "4")).toMatchObject({ state: "refunded" });
    expect(await failureOf(world.refund(order, "c", "6.01"))).toBe("invalid_request");
    await world.spend(15n * USD);
    expect(await failureOf(world.refund(other, "d", "1.01"))).toBe("invalid_request");
    expect(await failureOf(world.refund(other, "e", "0"))).toBe("invalid_request");
    expect(await failureOf(world.refund(other, ""))).toBe("invalid_request");
    const open = await world.order();
    expect(await failureOf(world.refund(open, "f"))).toBe("conflict");
    expect(world.fake.refunds.size).toBe(1);
    expect(await world.books()).toBe(16n * USD);
  });

  test("ten at once never give back more than there is", async () => {
    const order = await world.paidOrder("10");
    const all = Array.from({ length: 10 }, (_, at) =>
      failureOf(world.refund(order, `k${at}`, "3")),
    );
    const done = (await Promise.all(all)).filter((failure) => failure === "none");
    expect(done.length).toBe(3);
    expect(gone()).toBe(9n * USD);
    expect(await world.books()).toBe(1n * USD);
    const same = Array.from({ length: 5 }, () => failureOf(world.refund(order, "last", "1")));
    expect(await Promise.all(same)).toEqual(Array.from({ length: 5 }, () => "none"));
    expect(await world.balance()).toBe(0n);
    expect(world.fake.refunds.size).toBe(4);
  });

  test("orders that share a wallet share its credit: of two refunds at once one may find it gone", async () => {
    const orders = [await world.paidOrder("10"), await world.paidOrder("10")];
    await world.spend(11n * USD);
    const both = orders.map((order) => failureOf(world.refund(order, "r", "9")));
    const ends = await Promise.all(both);
    expect(ends.filter((end) => end === "none")).toHaveLength(1);
    expect(await world.balance()).toBe(0n);
    expect(gone()).toBe(9n * USD);
  });

  test("one that Gate Pay refuses is credit again", async () => {
    const order = await world.paidOrder();
    world.fake.faults.refusesRefunds = true;
    expect(await failureOf(world.refund(order, "r"))).toBe("conflict");
    expect(await world.balance()).toBe(25n * USD);
    world.fake.faults.refusesRefunds = false;
    expect(await failureOf(world.refund(order, "r"))).toBe("conflict");
    expect(await world.refund(order, "r2")).toMatchObject({ state: "refunded" });
    expect(await world.books()).toBe(0n);
  });

  test.each(["SUCCESS", "FAIL"] as const)("one that is pending ends as %s", async (end) => {
    const order = await world.paidOrder();
    world.fake.faults.refundPending = true;
    expect(await world.refund(order, "r", "5")).toMatchObject({ state: "sent" });
    expect(await world.balance()).toBe(20n * USD);
    await later();
    expect(await world.balance()).toBe(20n * USD);
    world.fake.finishRefunds(end);
    await later();
    expect(await world.balance()).toBe((end === "FAIL" ? 25n : 20n) * USD);
    expect(await failureOf(world.refund(order, "r", "5"))).toBe(
      end === "FAIL" ? "conflict" : "none",
    );
    expect(await world.books()).toBe(25n * USD - gone());
  });

  test.each([{ down: true }, { losesAnswer: true }, { ignoresRefunds: true }, { slowMs: 600 }])(
    "with %j nobody knows yet; it is refunded once all the same",
    async (fault) => {
      const order = await world.paidOrder();
      Object.assign(world.fake.faults, fault);
      expect((await world.refund(order, "r", "5")).state).not.toBe("refunded");
      expect(await world.balance()).toBe(20n * USD);
      expect((await world.refund(order, "r", "5")).state).not.toBe("refunded");
      Object.assign(world.fake.faults, NO_GATE_PAY_FAULTS);
      await later();
      expect(await world.refund(order, "r", "5")).toMatchObject({ state: "refunded" });
      expect(world.fake.refunds.size).toBe(1);
      expect(await world.books()).toBe(20n * USD);
    },
  );

  test("a process that ends after any step leaves a refund that the next one ends", async () => {
    const order = await world.paidOrder();
    const { core } = world.store;
    for (const [at, state] of (["claimed", "taken", "sent", "returning"] as const).entries()) {
      const { id } = await world.refund(order, `k${at}`, "2");
      // As it was after that step; what the ledger and Gate Pay have done stays done.
      await core.updateTable("payment_refunds").set({ state }).where("id", "=", id).execute();
      if (state === "returning") world.fake.finishRefunds("FAIL");
      await later();
    }
    expect(await world.balance()).toBe(19n * USD);
    expect(world.fake.refunds.size).toBe(4);
    expect(await failureOf(world.refund(order, "k3", "2"))).toBe("conflict");
    expect(await failureOf(world.refund(order, "k0", "2"))).toBe("none");
  });

  test("through faults of all kinds: credited = paid orders - refunds", async () => {
    const faults = [{}, { down: true }, { losesAnswer: true }, { refundPending: true }, {}];
    let paid = 0n;
    for (let round = 0; round < 12; round++) {
      Object.assign(world.fake.faults, NO_GATE_PAY_FAULTS, faults[round % faults.length]);
      const placed = await world.order("5", `o${round}`).catch(() => undefined);
      if (placed !== undefined && round % 3 !== 2) world.fake.end(tradeNo(placed), "PAID");
      if (placed !== undefined) await world.notify(placed).catch(() => undefined);
      const credited = await world.store.core
        .selectFrom("payments")
        .selectAll()
        .where("state", "=", "credited")
        .execute();
      for (const row of credited.slice(0, 2)) {
        await world.refund(row, `r${round}`, "1").catch(() => undefined);
      }
      world.clock += 2 * MINUTE;
      await world.desk.reconcile().catch(() => undefined);
    }
    Object.assign(world.fake.faults, NO_GATE_PAY_FAULTS);
    world.fake.finishRefunds("SUCCESS");
    for (let rounds = 0; rounds < 3; rounds++) await later();
    for (const { status } of world.fake.orders.values()) if (status === "PAID") paid += 5n * USD;
    expect(paid).toBeGreaterThan(15n * USD);
    expect(gone()).toBeGreaterThan(3n * USD);
    expect(await world.books()).toBe(paid - gone());
    expect(await world.balance()).toBe(paid - gone());
  });
});
