import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";

/** What Gate Pay does wrong from now on; a test sets what it wants. */
export interface GatePayFaults {
  /** Hangs up on every call. */
  down: boolean;
  /** Waits before it begins. */
  slowMs: number;
  /** Does what is asked, and hangs up. */
  losesAnswer: boolean;
  /** Hangs up on refunds, and does nothing. */
  ignoresRefunds: boolean;
  /** Says no to refunds. */
  refusesRefunds: boolean;
  /** Takes refunds, and is not done with them until `finishRefunds`. */
  refundPending: boolean;
  /** Members of the answer to a query that are wrong. */
  lies: Readonly<Record<string, unknown>>;
}

export const NO_GATE_PAY_FAULTS: Readonly<GatePayFaults> = {
  down: false,
  slowMs: 0,
  losesAnswer: false,
  ignoresRefunds: false,
  refusesRefunds: false,
  refundPending: false,
  lies: {},
};

interface FakeOrder {
  readonly prepayId: string;
  readonly merchantTradeNo: string;
  readonly currency: string;
  readonly orderAmount: string;
  readonly expireTime: number;
  status: "PENDING" | "PAID" | "EXPIRED" | "CLOSED";
}

interface FakeRefund {
  readonly refundRequestId: string;
  readonly prepayId: string;
  readonly refundAmount: string;
  status: "PROCESSING" | "SUCCESS" | "FAIL";
}

export interface NotificationOptions {
  readonly secret?: string;
  /** Unix milliseconds; now unless given. */
  readonly at?: number;
  readonly merchantTradeNo?: string;
}

export interface FakeGatePay {
  readonly url: string;
  readonly clientId: string;
  readonly secret: string;
  readonly faults: GatePayFaults;
  readonly orders: ReadonlyMap<string, FakeOrder>;
  readonly refunds: ReadonlyMap<string, FakeRefund>;
  /** Paths that were called, one after the other. */
  readonly calls: string[];
  /** The merchant's customer pays, or does not. */
  end(merchantTradeNo: string, status: FakeOrder["status"]): void;
  finishRefunds(status: "SUCCESS" | "FAIL"): void;
  /** A notification as it would be sent. */
  notification(options?: NotificationOptions): {
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  };
  stop(): Promise<void>;
}

const CLIENT_ID = "4186d0c6-test";
const SECRET = "gate-pay-secret-of-the-test";
const ORDER_MS = 60 * 60 * 1_000;
const SKEW_MS = 5 * 60 * 1_000;

/** Written from the documentation, not with the code under test: timestamp, nonce, body, each with its line's end. */
const sign = (secret: string, lines: readonly string[]): string =>
  createHmac("sha512", secret)
    .update(lines.map((line) => `${line}\n`).join(""))
    .digest("hex");

const success = (data: object) => ({ status: "SUCCESS", code: "000000", errorMessage: "", data });
const refusal = (code: string, label: string) => ({
  status: "FAIL",
  code,
  label,
  errorMessage: label.toLowerCase(),
  data: null,
});

type Payload = Readonly<Record<string, string>>;

/** Gate Pay's merchant API from its documentation, on this machine; `now`: its clock. */
export async function startFakeGatePay(now: () => number = Date.now): Promise<FakeGatePay> {
  const faults: GatePayFaults = { ...NO_GATE_PAY_FAULTS };
  const orders = new Map<string, FakeOrder>();
  const refunds = new Map<string, FakeRefund>();
  const calls: string[] = [];
  const byPrepayId = (id: string | undefined): FakeOrder | undefined =>
    [...orders.values()].find(({ prepayId }) => prepayId === id);

  const routes: Readonly<Record<string, (payload: Payload) => object>> = {
    "POST /v1/pay/checkout/order": (payload) => {
      const { merchantTradeNo = "", currency = "", orderAmount = "" } = payload;
      if (orders.has(merchantTradeNo)) return refusal("400201", "DUPLICATE_MERCHANT_TRADE_NO");
      if (merchantTradeNo.length > 32) return refusal("400001", "PARAM_ERROR");
      const prepayId = String(65_466_648_727_916_544n + BigInt(orders.size));
      const expireTime = now() + ORDER_MS;
      const order = { prepayId, merchantTradeNo, currency, orderAmount, expireTime };
      orders.set(merchantTradeNo, { ...order, status: "PENDING" });
      return success({
        prepayId,
        terminalType: "WEB",
        expireTime,
        qrContent: `https://www.gate.com/qr?prepayid=${prepayId}`,
        location: `https://www.gate.com/cashier?prepayid=${prepayId}`,
        payCurrency: currency,
        payAmount: orderAmount,
      });
    },
    "POST /v1/pay/order/query": ({ merchantTradeNo = "", prepayId }) => {
      const order = orders.get(merchantTradeNo) ?? byPrepayId(prepayId);
      if (order === undefined) return refusal("400202", "ORDER_NOT_EXIST");
      const transactionId = order.status === "PAID" ? `t${order.prepayId}` : "";
      return success({ merchantId: 10_002, ...order, transactionId, ...faults.lies });
    },
    "POST /v1/pay/order/close": ({ prepayId }) => {
      const order = byPrepayId(prepayId);
      if (order?.status !== "PENDING") return refusal("400204", "ORDER_STATUS_ERROR");
      order.status = "CLOSED";
      return success({ result: true });
    },
    "POST /v3/order/refund": (payload) => {
      const { refundRequestId = "", prepayId = "", refundAmount = "", refundReason } = payload;
      if (refunds.has(refundRequestId)) return refusal("400601", "DUPLICATE_REFUND_REQUEST");
      if (byPrepayId(prepayId)?.status !== "PAID" || faults.refusesRefunds || !refundReason) {
        return refusal("400603", "REFUND_NOT_ALLOWED");
      }
      const status = faults.refundPending ? "PROCESSING" : "SUCCESS";
      refunds.set(refundRequestId, { refundRequestId, prepayId, refundAmount, status });
      return success({ refundRequestId, prepayId, refundAmount });
    },
    "GET /v3/pay/refund/details": ({ refundRequestId = "" }) => {
      const refund = refunds.get(refundRequestId);
      return refund === undefined ? refusal("400602", "REFUND_NOT_EXIST") : success(refund);
    },
    "GET /v1/pay/balance": () => success({ balance: { USDT: "100" } }),
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://fake");
    const path = `${request.method} ${url.pathname}`;
    const body = await text(request);
    calls.push(path);
    if (faults.down || (faults.ignoresRefunds && path.endsWith("/order/refund"))) {
      return void request.socket.destroy();
    }
    await pause(faults.slowMs);
    const query = Object.fromEntries(url.searchParams);
    const payload = body === "" ? query : (JSON.parse(body) as Payload);
    const said = isSigned(request, body)
      ? (routes[path]?.(payload) ?? refusal("404", "NOT_FOUND"))
      : refusal("300003", "SIGNATURE_INVALID");
    if (faults.losesAnswer) return void request.socket.destroy();
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(said));
  }

  function isSigned({ headers }: IncomingMessage, body: string): boolean {
    const [timestamp, nonce, signature, clientId] = [
      "x-gatepay-timestamp",
      "x-gatepay-nonce",
      "x-gatepay-signature",
      "x-gatepay-certificate-clientid",
    ].map((name) => String(headers[name]));
    if (clientId !== CLIENT_ID || Math.abs(Number(timestamp) - now()) > SKEW_MS) return false;
    return signature === sign(SECRET, [timestamp ?? "", nonce ?? "", body]);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    clientId: CLIENT_ID,
    secret: SECRET,
    faults,
    orders,
    refunds,
    calls,
    end: (merchantTradeNo, status) => {
      const order = orders.get(merchantTradeNo);
      if (order === undefined) throw new Error("no such order");
      order.status = status;
    },
    finishRefunds: (status) => {
      for (const refund of refunds.values()) refund.status = status;
    },
    notification: ({ secret = SECRET, at = now(), merchantTradeNo } = {}) => {
      const order = merchantTradeNo === undefined ? undefined : orders.get(merchantTradeNo);
      const { currency = "USDT", orderAmount = "1", prepayId = "1" } = order ?? {};
      const data = { merchantTradeNo, currency, orderAmount, transactionId: "24344545" };
      const body = JSON.stringify({
        bizType: "PAY",
        bizId: prepayId,
        bizStatus: "PAY_SUCCESS",
        client_id: CLIENT_ID,
        data: JSON.stringify(data),
      });
      return {
        body,
        headers: {
          "content-type": "application/json",
          "x-gatepay-certificate-clientid": CLIENT_ID,
          "x-gatepay-timestamp": String(at),
          "x-gatepay-nonce": "9578",
          "x-gatepay-signature": sign(secret, [String(at), "9578", body]),
        },
      };
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
