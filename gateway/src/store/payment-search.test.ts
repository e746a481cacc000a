import { afterEach, expect, test } from "vitest";

import { listPayments, outstandingCredit } from "#store/payment-search.ts";
import { insertPayment, type PaymentRow } from "#store/payments.ts";
import type { Store } from "#store/store.ts";
import { describeOnEach, type TestDatabase } from "#test/databases.ts";
import { paymentRow } from "#test/payments/payment-row.ts";

describeOnEach("listPayments", (make) => {
  let database: TestDatabase;
  let store: Store;
  afterEach(async () => {
    await store.close();
    await database.remove();
  });
  const filled = async (...rows: readonly PaymentRow[]): Promise<void> => {
    database = await make();
    store = await database.open();
    for (const row of rows) await insertPayment(store.core, row);
  };
  const ids = async (wanted: Partial<Parameters<typeof listPayments>[1]>): Promise<string[]> =>
    (await listPayments(store.core, { reach: "all", limit: 10, ...wanted })).map(({ id }) => id);

  test("finds by state, payer, owner and transaction, in whatever case an address is written", async () => {
    await filled(
      paymentRow("pay_1", { payer: "0xab", state: "unknown", transaction_hash: null }),
      paymentRow("pay_2", { payer: "0xcd", owner: "org_Own", transaction_hash: "0xfe" }),
    );
    expect(await ids({})).toEqual(["pay_2", "pay_1"]);
    expect(await ids({ state: "unknown" })).toEqual(["pay_1"]);
    expect(await ids({ payer: "0xAB" })).toEqual(["pay_1"]);
    expect(await ids({ owner: "org_Own" })).toEqual(["pay_2"]);
    expect(await ids({ transaction: "0xFE" })).toEqual(["pay_2"]);
    expect(await ids({ transaction: "0xFE", state: "unknown" })).toEqual([]);
  });

  test("goes from page to page, and stays within reach", async () => {
    await filled(
      paymentRow("pay_1", { organization_id: "org_a" }),
      paymentRow("pay_2", { organization_id: "org_b" }),
      paymentRow("pay_3", { organization_id: "org_a" }),
    );
    expect(await ids({ limit: 2 })).toEqual(["pay_3", "pay_2"]);
    expect(await ids({ limit: 2, after: "pay_2" })).toEqual(["pay_1"]);
    expect(await ids({ reach: { organizationIds: ["org_a"], teamIds: [] } })).toEqual([
      "pay_3",
      "pay_1",
    ]);
    expect(await ids({ reach: { organizationIds: [], teamIds: ["team_a"] } })).toEqual([]);
    expect(await outstandingCredit(store.core, "org_a")).toBe(0n);
  });
});
