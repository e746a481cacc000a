import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, beforeEach, expect, test } from "vitest";

import { createGatePayClient, type GatePayClient } from "#payments/gate-pay/gate-pay-client.ts";
import { createDialer, type Dialer } from "#upstream/dialer.ts";

let server: Server;
let dialer: Dialer;
let client: GatePayClient;
let answer: { status: number; body: string };
let asked: { url: string | undefined; headers: IncomingHttpHeaders };

const says = (body: object, status = 200): void => {
  answer = { status, body: JSON.stringify(body) };
};

beforeEach(async () => {
  server = createServer((request, response) => {
    asked = { url: request.url, headers: request.headers };
    request.resume();
    response.writeHead(answer.status, { location: "/elsewhere" }).end(answer.body);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  dialer = createDialer(() => new Set([origin]));
  client = createGatePayClient({
    settings: {
      baseUrl: new URL(`${origin}/merchant/`),
      clientId: "client",
      secret: "secret",
      restrictedKey: "restricted",
      currency: "USDT",
      returnUrl: "https://ai.example.com",
      cancelUrl: "https://ai.example.com",
      least: 1n,
      most: 2n,
    },
    send: dialer.send,
    now: () => 1_672_905_655_498,
  });
});
afterEach(async () => {
  await dialer.close();
  server.closeAllConnections();
  server.close();
});

const ORDER = {
  prepayId: "1",
  merchantTradeNo: "tp1",
  currency: "USDT",
  orderAmount: "25",
  status: "PAID",
};

test("a call has the path of the base URL, the four headers of a signature and the restricted key", async () => {
  says({ status: "SUCCESS", code: "000000", data: { USDT: "7" } });
  expect(await client.balance()).toEqual({ USDT: "7" });
  expect(asked).toMatchObject({
    url: "/merchant/v1/pay/balance",
    headers: {
      "x-gatepay-certificate-clientid": "client",
      "x-gatepay-timestamp": "1672905655498",
      "x-gatepay-nonce": expect.stringMatching(/^[0-9a-f]{24}$/),
      "x-gatepay-signature": expect.stringMatching(/^[0-9a-f]{128}$/),
      "x-gatepay-restricted-key": "restricted",
    },
  });
});

test("an order is read also from a second envelope, and its amount whether text or number", async () => {
  says({ status: "SUCCESS", code: "000000", data: { bizCode: "000000", bizData: ORDER } });
  expect(await client.queryOrder("tp1")).toMatchObject({ state: "paid", amount: 25_000_000_000n });
  says({ status: "SUCCESS", code: "000000", data: { ...ORDER, orderAmount: 25.5 } });
  expect(await client.queryOrder("tp1")).toMatchObject({ amount: 25_500_000_000n });
});

test.each([
  { status: "FAIL", code: "400202", label: "ORDER_NOT_EXIST", data: null },
  { status: "SUCCESS", code: "400202", data: ORDER },
  { status: "FAIL", code: "000000", data: ORDER },
  { status: "SUCCESS", code: "000000", data: { bizCode: "500001", bizData: ORDER } },
])("%j is a no", async (body) => {
  says(body);
  expect(await client.queryOrder("tp1")).toMatchObject({ refused: expect.any(String) });
});

test.each([
  { status: 200, body: "<html>busy</html>" },
  { status: 200, body: "[]" },
  { status: 200, body: JSON.stringify({ code: "000000", data: ORDER }) },
  { status: 200, body: JSON.stringify({ status: "SUCCESS", code: "000000", data: {} }) },
  { status: 302, body: "" },
  { status: 503, body: JSON.stringify({ status: "SUCCESS", code: "000000", data: ORDER }) },
])("%j is neither yes nor no", async (given) => {
  answer = given;
  await expect(client.queryOrder("tp1")).rejects.toThrow();
});
