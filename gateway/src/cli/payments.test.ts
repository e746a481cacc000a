import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { openStore } from "#store/store.ts";
import { insertPayment } from "#store/payments.ts";
import { createTestCli, type TestCli } from "#test/cli.ts";
import { paymentRow } from "#test/payments/payment-row.ts";

let cli: TestCli;
beforeAll(async () => {
  cli = createTestCli();
  const store = await openStore({ home: join(cli.folder, "data") });
  await insertPayment(store.core, paymentRow("pay_1", { payer: "0xab" }));
  await insertPayment(store.core, paymentRow("pay_2", { state: "unknown", reason: "no answer" }));
  await insertPayment(store.core, paymentRow("pay_3", { state: "unknown", kind: "gate-pay" }));
  await store.close();
});
afterAll(() => cli.remove());

test("payments are listed by state and payer, and shown", async () => {
  expect((await cli.run("payments", "list")).split("\n")).toHaveLength(4);
  const unknown = await cli.run("payments", "list", "--state", "unknown", "--json");
  expect(JSON.parse(unknown)).toMatchObject([
    { id: "pay_3" },
    { id: "pay_2", reason: "no answer" },
  ]);
  expect(await cli.run("payments", "list", "--payer", "0xAB")).toContain("pay_1");
  expect(await cli.run("payments", "list", "--payer", "0xcd")).toBe("There are none.");
  expect(await cli.run("payments", "show", "pay_2")).toMatch(/^state +unknown$/m);
});

test("what cannot be done is told in words", async () => {
  expect(await cli.fails("payments", "show", "pay_none")).toContain("no such payment");
  expect(await cli.fails("payments", "list", "--state", "lost")).toContain(
    "--state must be one of",
  );
  expect(await cli.fails("payments", "reconcile", "pay_2")).toContain("no payments.x402");
  expect(await cli.fails("payments", "reconcile", "pay_3")).toContain("an order at Gate Pay");
  const file = join(cli.folder, "paying.yaml");
  writeFileSync(
    file,
    `payments:
  origin: http://127.0.0.1:8402
  x402:
    facilitators: [{ url: http://127.0.0.1:1 }]
    networks: [{ id: "eip155:31337", rpcUrl: http://127.0.0.1:1, payTo: "0x00000000000000000000000000000000000000A1" }]
    assets: [{ network: "eip155:31337", address: "0x00000000000000000000000000000000000000B1", symbol: USDC, decimals: 6, method: eip3009, name: USD Coin, version: "2" }]
`,
  );
  const words = await cli.fails("payments", "reconcile", "pay_2", "--config", file);
  expect(words).toContain("The chain of the payment (eip155:31337) cannot be asked");
});
