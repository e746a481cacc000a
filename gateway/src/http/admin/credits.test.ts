import { afterAll, beforeAll, expect, test } from "vitest";

import { openLedger } from "#ledger/open-ledger.ts";
import { createLedgerStore } from "#store/ledger.ts";
import { startAdminApi, type AdminApiOfTest } from "#test/admin-api.ts";
import { WORLD } from "#test/admin-world.ts";

let api: AdminApiOfTest;
beforeAll(async () => {
  api = await startAdminApi();
});
afterAll(() => api.close());

const path = `/api/credits/${WORLD.own}`;
const book = (what: string, body: object, key: string) =>
  api.ask("platform", `POST ${path}/${what}`, body, { "idempotency-key": key });
const balance = async (): Promise<string> =>
  (await api.ask("billing", `GET ${path}`)).body.balance_usd;

test("credits are given, used and given back, and the balance and the invoice tell it", async () => {
  const granted = await book("grants", { amount_usd: "5", memo: "pilot" }, "g");
  expect(granted).toMatchObject({ status: 201, body: { amount_usd: "5", already_booked: false } });
  expect(await balance()).toBe("5");
  await openLedger({ store: createLedgerStore(api.store) }).run({
    type: "settle",
    id: "req_1",
    at: api.clock,
    organizationId: WORLD.own,
    held: false,
    charge: {
      walletId: `wallet:${WORLD.own}`,
      projectId: WORLD.project,
      chargeNanoUsd: 1_250_000_001n,
      tokens: 1,
      counters: [],
    },
  });
  expect(await balance()).toBe("3.749999999");
  const part = await book("refunds", { request_id: "req_1", amount_usd: "0.25" }, "r1");
  expect(part).toMatchObject({ status: 201, body: { kind: "refund", amount_usd: "0.25" } });
  const rest = await book("refunds", { request_id: "req_1" }, "r2");
  expect(rest.body).toMatchObject({ amount_usd: "1.000000001", already_booked: false });
  expect(await balance()).toBe("5");
  const more = await book("refunds", { request_id: "req_1" }, "r3");
  expect(more.body).toMatchObject({ status: 400, field: "amount" });
  const down = await book("adjustments", { amount_usd: "0.5", direction: "down" }, "a");
  expect(down.status).toBe(201);
  expect(await balance()).toBe("4.5");
  const { body: list } = await api.ask("billing", `GET ${path}/transfers`);
  expect(list.data.map(({ kind }: { kind: string }) => kind)).toEqual([
    "adjustment",
    "refund",
    "refund",
    "charge",
    "grant",
  ]);
});

test("an invoice of the month tells the same, as JSON and as CSV", async () => {
  const month = new Date(api.clock).toISOString().slice(0, 7);
  const { body } = await api.ask("billing", `GET ${path}/invoice?month=${month}`);
  expect(body).toMatchObject({
    month,
    total_usd: "-4.5",
    lines: [
      { kind: "adjustment", amount_usd: "0.5" },
      { kind: "grant", amount_usd: "-5" },
      { kind: "charge", project: WORLD.project, requests: 1, amount_usd: "1.250000001" },
      { kind: "refund", project: WORLD.project, amount_usd: "-1.250000001" },
    ],
  });
  const { text, headers } = await api.ask("billing", `GET ${path}/invoice.csv?month=${month}`);
  expect(headers.get("content-type")).toContain("text/csv");
  expect(text.split("\r\n")).toEqual([
    "kind,project_id,project,model,requests,amount_usd",
    "adjustment,,,,0,0.5",
    "grant,,,,0,-5",
    `charge,${WORLD.project},${WORLD.project},,1,1.250000001`,
    `refund,${WORLD.project},${WORLD.project},,0,-1.250000001`,
    "total,,,,,-4.5",
    "",
  ]);
  const wrong = await api.ask("billing", `GET ${path}/invoice?month=2026-13`);
  expect(wrong.body).toMatchObject({ status: 400, field: "month" });
});
