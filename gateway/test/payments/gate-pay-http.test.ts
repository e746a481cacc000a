import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { openStore } from "#store/store.ts";

import { startFakeGatePay, type FakeGatePay } from "#test/payments/fake-gate-pay.ts";
import { setUpGateway } from "#test/sign-in-client.ts";
import { startGateway, type TestGateway } from "#test/start-gateway.ts";

let fake: FakeGatePay;
let gateway: TestGateway | undefined;
beforeEach(async () => {
  fake = await startFakeGatePay();
});
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
  await fake.stop();
});

async function start(secret: string): Promise<TestGateway> {
  gateway = await startGateway({
    env: { GATE_PAY_SECRET: secret },
    configText: `payments:
  origin: https://ai.example.com
  gatePay:
    baseUrl: ${fake.url}
    clientId: ${fake.clientId}
    secret: \${GATE_PAY_SECRET:-}
    maxUsd: "100"
`,
  });
  return gateway;
}

const ORDERS = "/v1/payments/gate-pay/orders";
const NOTIFY = "/v1/payments/gate-pay/notify";

const notify = (
  { url }: TestGateway,
  { headers, body }: ReturnType<FakeGatePay["notification"]>,
): Promise<Response> => fetch(url + NOTIFY, { method: "POST", headers, body });

test("a key buys credit for its organization: order, notification, balance, and the state of the order", async () => {
  const running = await start(fake.secret);
  const ordered = await running.post(ORDERS, { usd: "25" }, { "idempotency-key": "k1" });
  expect(ordered.status).toBe(201);
  const { data } = (await ordered.json()) as {
    data: { id: string; checkout: { order_id: string } };
  };
  expect(data).toMatchObject({
    kind: "gate-pay",
    state: "claimed",
    amount_usd: "25",
    checkout: {
      qr_content: expect.stringContaining("https://"),
      checkout_url: expect.stringContaining("https://www.gate.com/cashier"),
      expires_at: expect.stringMatching(/Z$/),
    },
  });
  const again = await running.post(ORDERS, { usd: "25" }, { "idempotency-key": "k1" });
  expect(await again.json()).toMatchObject({ data: { id: data.id } });
  const merchantTradeNo = data.checkout.order_id;
  const early = await notify(running, fake.notification({ merchantTradeNo }));
  expect([early.status, await early.json()]).toEqual([
    200,
    { returnCode: "SUCCESS", returnMessage: "" },
  ]);
  fake.end(merchantTradeNo, "PAID");
  expect((await notify(running, fake.notification({ merchantTradeNo }))).status).toBe(200);
  expect((await notify(running, fake.notification({ merchantTradeNo }))).status).toBe(200);
  const shown = await fetch(`${running.url}/v1/payments/${data.id}`);
  expect(await shown.json()).toMatchObject({ data: { state: "credited" } });
  const credits = await running.get("/v1/credits");
  expect(await credits.json()).toMatchObject({ data: { balance_usd: "25" } });
});

test("what is refused, and how", async () => {
  const running = await start(fake.secret);
  expect((await fetch(running.url + ORDERS, { method: "POST", body: "{}" })).status).toBe(401);
  const dear = await running.post(ORDERS, { usd: "100.01" });
  expect(dear.status).toBe(400);
  expect(await dear.text()).toContain("1 to 100 USD");
  const other = await running.post(ORDERS, { usd: "5", owner: "org_other" });
  expect(other.status).toBe(400);
  const forged = fake.notification({ merchantTradeNo: "tp0", secret: "guessed" });
  expect((await notify(running, forged)).status).toBe(401);
  expect((await notify(running, fake.notification({ merchantTradeNo: "tp0" }))).status).toBe(404);
  fake.faults.down = true;
  const lost = await running.post(ORDERS, { usd: "5" }, { "idempotency-key": "k2" });
  expect([lost.status, lost.headers.get("x-should-retry")]).toEqual([503, "false"]);
});

test("people buy credit by the admin API, and an operator gives back what is left", async () => {
  const running = await start(fake.secret);
  const operator = await setUpGateway(running);
  const ask = (route: string, body?: object, key?: string): Promise<Response> =>
    fetch(`${running.url}/api/credits/org_default/${route.split(" ")[1]}`, {
      method: route.split(" ")[0] ?? "",
      headers: {
        cookie: operator.cookie,
        "x-csrf-token": operator.csrfToken,
        "content-type": "application/json",
        ...(key !== undefined && { "idempotency-key": key }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  fake.faults.losesAnswer = true;
  expect((await ask("POST orders", { amount_usd: "20" }, "o1")).status).toBe(409);
  fake.faults.losesAnswer = false;
  const ordered = await ask("POST orders", { amount_usd: "20" }, "o1");
  expect(ordered.status).toBe(201);
  const order = (await ordered.json()) as { id: string };
  expect(order).toMatchObject({ object: "order", amount_usd: "20", state: "claimed" });
  const [merchantTradeNo = ""] = fake.orders.keys();
  fake.end(merchantTradeNo, "PAID");
  await notify(running, fake.notification({ merchantTradeNo }));
  const body = { payment_id: order.id, amount_usd: "7.5" };
  expect((await ask("POST payouts", body)).status).toBe(400);
  const payout = await ask("POST payouts", body, "p1");
  expect([payout.status, await payout.json()]).toMatchObject([
    201,
    { object: "payout", state: "refunded", amount_usd: "7.5" },
  ]);
  expect((await ask("POST payouts", body, "p1")).headers.get("idempotent-replayed")).toBe("true");
  const dear = await ask("POST payouts", { payment_id: order.id, amount_usd: "12.51" }, "p2");
  expect(dear.status).toBe(400);
  const listed = await ask("GET payouts");
  expect(await listed.json()).toMatchObject({
    data: [{ payment_id: order.id, state: "refunded" }],
  });
  const credits = await running.get("/v1/credits");
  expect(await credits.json()).toMatchObject({ data: { balance_usd: "12.5" } });
  const reconciled = await operator.request("POST", `/api/payments/${order.id}/reconcile`);
  expect(await reconciled.json()).toMatchObject({ state: "credited" });
  const audit = await operator.request("GET", "/api/audit?limit=4");
  const { data } = (await audit.json()) as { data: object[] };
  const paidOut = { kind: "gate-pay", amount_usd: "7.5", memo: order.id };
  const state = { kind: "gate-pay", state: "credited", amount_usd: "20" };
  expect(data).toMatchObject([
    {
      action: "payments.reconcile",
      target: { kind: "payment", id: order.id },
      before: state,
      after: state,
    },
    // Refused after it was asked for: nothing came of it.
    { action: "credits.payout", after: { ...paidOut, amount_usd: "12.51" } },
    { action: "credits.payout.done", after: { ...paidOut, state: "refunded" } },
    { action: "credits.payout", after: paidOut },
  ]);
  const store = await openStore({ home: running.home });
  const told = async () => store.core.selectFrom("alert_events").select("body").execute();
  await vi.waitUntil(async () => (await told()).length > 0, { timeout: 20_000 });
  const [event] = await told();
  await store.close();
  expect(JSON.parse(event?.body ?? "")).toMatchObject({
    type: "payment.payout",
    data: { payment: order.id, amount_usd: "7.5", state: "refunded" },
  });
});

test("without a secret there is nothing: no order, and no notification is believed", async () => {
  const running = await start("");
  expect((await running.post(ORDERS, { usd: "25" })).status).toBe(404);
  const unsigned = fake.notification({ merchantTradeNo: "tp0", secret: "" });
  expect((await notify(running, unsigned)).status).toBe(404);
});
