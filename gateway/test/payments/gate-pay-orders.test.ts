import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { describeOnEach, type TestDatabase } from "#test/databases.ts";
import { NO_GATE_PAY_FAULTS } from "#test/payments/fake-gate-pay.ts";
import { openReconciler } from "#test/payments/reconciler.ts";
import { openGatePayWorld, tradeNo, type GatePayWorld } from "#test/payments/gate-pay-world.ts";

const USD = 1_000_000_000n;
const MINUTE = 60_000;

describeOnEach("orders of Gate Pay", (make) => {
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

  test("an order has a QR code, a link and an end, and the same key is the same order", async () => {
    const row = await world.order("12.5", "k1");
    const order = world.fake.orders.get(tradeNo(row));
    expect(order).toMatchObject({ orderAmount: "12.5", currency: "USDT", status: "PENDING" });
    expect(JSON.parse(row.facts)).toMatchObject({
      prepayId: order?.prepayId,
      qrContent: expect.stringContaining("prepayid"),
      checkoutUrl: `https://www.gate.com/cashier?prepayid=${order?.prepayId}`,
    });
    expect(row.valid_before).toBe(order?.expireTime);
    expect((await world.order("12.5", "k1")).id).toBe(row.id);
    expect(world.fake.orders.size).toBe(1);
    expect(await failureOf(world.order("13", "k1"))).toBe("idempotency_mismatch");
    expect((await world.order("12.5")).id).not.toBe(row.id);
  });

  test("twenty orders may be open, however many are made at once; a known one is one of them", async () => {
    const first = await world.order("1", "k0");
    const all = Array.from({ length: 30 }, (_, at) => failureOf(world.order("1", `k${at}`)));
    const made = (await Promise.all(all)).filter((failure) => failure === "none");
    expect(made.length).toBeLessThanOrEqual(20);
    for (let at = 0; at < 20; at += 1) await failureOf(world.order("1", `more ${at}`));
    const open = await world.store.core
      .selectFrom("payments")
      .select("id")
      .where("state", "=", "claimed")
      .execute();
    expect(open).toHaveLength(20);
    await expect(world.order("1", "beyond")).rejects.toMatchObject({
      failure: { code: "conflict", message: expect.stringMatching(/^20 orders .* are open/) },
    });
    expect((await world.order("1", "k0")).id).toBe(first.id);
    world.fake.end(tradeNo(first), "PAID");
    await world.notify(first);
    // What was refused before anything was done may be asked for again.
    expect(await failureOf(world.order("1", "beyond"))).toBe("none");
  });

  test.each(["0", "0.99", "1000.01", "1.0000001", "1e3", "-5", " 5", "", "twelve"])(
    "an order of %j is refused before anything is sent",
    async (usd) => {
      expect(await failureOf(world.order(usd))).toBe("invalid_request");
      expect(world.fake.calls).toEqual([]);
    },
  );

  test("what was paid is credited once, however often and at once it is notified and looked for", async () => {
    const row = await world.order();
    world.fake.end(tradeNo(row), "PAID");
    world.clock += MINUTE;
    await Promise.all([
      world.notify(row),
      world.notify(row),
      world.desk.reconcile(),
      world.notify(row),
      world.desk.reconcile(),
    ]);
    expect(await world.notify(row)).toBe("credited");
    expect(await world.row(row.id)).toMatchObject({ state: "credited" });
    expect(await world.balance()).toBe(25n * USD);
    expect(await world.books()).toBe(25n * USD);
  });

  test("a notification that comes before the order is paid credits nothing", async () => {
    const row = await world.order();
    expect(await world.notify(row)).toBe("claimed");
    expect(await world.balance()).toBe(0n);
  });

  test("a lost notification loses no money", async () => {
    const row = await world.order();
    world.fake.end(tradeNo(row), "PAID");
    await world.desk.reconcile();
    expect(await world.balance()).toBe(0n);
    world.clock += MINUTE;
    await world.desk.reconcile();
    expect(await world.balance()).toBe(25n * USD);
  });

  test("one order is asked about when an operator wants it, whatever its turn", async () => {
    const row = await world.order();
    await world.desk.reconcileOne(row);
    expect(await world.row(row.id)).toMatchObject({ state: "claimed" });
    world.fake.end(tradeNo(row), "PAID");
    await world.desk.reconcileOne(row);
    expect(await world.balance()).toBe(25n * USD);
    world.fake.faults.down = true;
    expect(await failureOf(world.desk.reconcileOne(row))).toBe("unavailable");
  });

  test.each([
    { orderAmount: "24.99" },
    { orderAmount: "25.0000000001" },
    { orderAmount: null },
    { currency: "BTC" },
    { merchantTradeNo: "another" },
    { prepayId: "1" },
    { underpaidAmount: "0.01" },
  ])(
    "one that was paid as %j is set aside, told once, and credited when it is right",
    async (lies) => {
      const row = await world.order();
      world.fake.end(tradeNo(row), "PAID");
      world.fake.faults.lies = lies;
      expect(await world.notify(row)).toBe("unknown");
      expect(await world.notify(row)).toBe("unknown");
      expect(await world.row(row.id)).toMatchObject({
        state: "unknown",
        reason: expect.stringMatching(/^paid, /),
      });
      expect(world.mismatches).toHaveLength(1);
      expect(await world.balance()).toBe(0n);
      world.fake.faults.lies = {};
      world.clock += 11 * MINUTE;
      await world.desk.reconcile();
      expect(await world.balance()).toBe(25n * USD);
    },
  );

  test("an amount is the same however it is written", async () => {
    const row = await world.order("25");
    world.fake.end(tradeNo(row), "PAID");
    world.fake.faults.lies = { orderAmount: "25.00000000", underpaidAmount: "0" };
    expect(await world.notify(row)).toBe("credited");
  });

  test("an expired order is closed, and credited all the same if it was paid just then", async () => {
    const [left, late] = [await world.order(), await world.order()];
    world.clock += 62 * MINUTE;
    await world.desk.reconcile();
    expect(world.fake.orders.get(tradeNo(left))?.status).toBe("CLOSED");
    world.clock += MINUTE;
    await world.desk.reconcile();
    expect(await world.row(left.id)).toMatchObject({
      state: "failed",
      reason: "the order is closed",
    });
    world.fake.end(tradeNo(late), "PAID");
    expect(await world.notify(late)).toBe("credited");
    expect(await world.balance()).toBe(25n * USD);
  });

  test("where Gate Pay is down nothing is ordered, and the same key goes on later", async () => {
    world.fake.faults.down = true;
    expect(await failureOf(world.order("25", "k"))).toBe("payment_pending");
    Object.assign(world.fake.faults, NO_GATE_PAY_FAULTS);
    const row = await world.order("25", "k");
    expect(JSON.parse(row.facts)).toHaveProperty("prepayId");
    expect(world.fake.orders.size).toBe(1);
  });

  test("an order whose answer was lost or late is found again, by its key or when it is paid", async () => {
    world.fake.faults.losesAnswer = true;
    expect(await failureOf(world.order("25", "lost"))).toBe("payment_pending");
    Object.assign(world.fake.faults, { ...NO_GATE_PAY_FAULTS, slowMs: 600 });
    expect(await failureOf(world.order("30", "late"))).toBe("payment_pending");
    Object.assign(world.fake.faults, NO_GATE_PAY_FAULTS);
    expect(JSON.parse((await world.order("25", "lost")).facts)).toHaveProperty("prepayId");
    await vi.waitFor(() => expect(world.fake.orders.size).toBe(2));
    for (const { merchantTradeNo } of world.fake.orders.values()) {
      world.fake.end(merchantTradeNo, "PAID");
    }
    world.clock += MINUTE;
    await world.desk.reconcile();
    expect(await world.balance()).toBe(55n * USD);
    expect(await world.books()).toBe(55n * USD);
  });

  test("an order that was never created is given up", async () => {
    world.fake.faults.down = true;
    await failureOf(world.order("25", "k"));
    Object.assign(world.fake.faults, NO_GATE_PAY_FAULTS);
    world.clock += 16 * MINUTE;
    await world.desk.reconcile();
    expect(await failureOf(world.order("25", "k"))).toBe("conflict");
  });

  test("while Gate Pay is down a notification is asked for again, and the order waits", async () => {
    const row = await world.order();
    world.fake.end(tradeNo(row), "PAID");
    world.fake.faults.down = true;
    expect(await failureOf(world.notify(row))).toBe("unavailable");
    world.clock += MINUTE;
    await expect(world.desk.reconcile()).rejects.toThrow();
    Object.assign(world.fake.faults, NO_GATE_PAY_FAULTS);
    await world.desk.reconcile();
    expect(await world.balance()).toBe(25n * USD);
  });

  test("a notification that is forged, old, of the future or for another merchant is refused", async () => {
    const row = await world.order();
    world.fake.end(tradeNo(row), "PAID");
    const merchantTradeNo = tradeNo(row);
    const { body, headers } = world.fake.notification({ merchantTradeNo });
    const refused = [
      world.fake.notification({ merchantTradeNo, secret: "another" }),
      world.fake.notification({ merchantTradeNo, secret: "" }),
      world.fake.notification({ merchantTradeNo, at: world.clock - 5 * MINUTE - 1 }),
      world.fake.notification({ merchantTradeNo, at: world.clock + 5 * MINUTE + 1 }),
      { body: `${body} `, headers },
      { body, headers: { ...headers, "x-gatepay-nonce": "other" } },
      { body, headers: { ...headers, "x-gatepay-signature": "" } },
      { body, headers: { ...headers, "x-gatepay-certificate-clientid": "other" } },
      { body, headers: {} },
    ];
    for (const { body: sent, headers: with_ } of refused) {
      const notified = world.desk.notified({ headers: with_, body: Buffer.from(sent) });
      expect(await failureOf(notified)).toBe("unauthenticated");
    }
    expect(await world.balance()).toBe(0n);
    const unknown = world.fake.notification({ merchantTradeNo: "tp0" });
    const notified = world.desk.notified({
      headers: unknown.headers,
      body: Buffer.from(unknown.body),
    });
    expect(await failureOf(notified)).toBe("not_found");
  });

  test("what was seen to be paid when a process ended is credited by the next one", async () => {
    const row = await world.order();
    await world.store.core
      .updateTable("payments")
      .set({ state: "paid" })
      .where("id", "=", row.id)
      .execute();
    world.clock += MINUTE;
    await world.desk.reconcile();
    expect(await world.row(row.id)).toMatchObject({ state: "credited" });
    expect(await world.balance()).toBe(25n * USD);
  });

  test("whoever looks after payments on chains leaves orders alone, also paid ones", async () => {
    const [open, seen] = [await world.order(), await world.order()];
    const { core } = world.store;
    await core.updateTable("payments").set({ state: "paid" }).where("id", "=", seen.id).execute();
    const chain = { network: "eip155:1", id: 1, url: world.fake.url } as const;
    const reconciler = openReconciler(world.store, chain);
    const twoDays = 2 * 24 * 60 * MINUTE;
    const done = await reconciler.reconcile(world.clock - Date.now() + twoDays);
    await reconciler.close();
    expect(done).toEqual({ credited: 0, failed: 0, reversed: 0 });
    expect(reconciler.faults).toEqual([]);
    expect(await world.row(open.id)).toMatchObject({ state: "claimed" });
    expect(await world.balance()).toBe(0n);
  });
});
