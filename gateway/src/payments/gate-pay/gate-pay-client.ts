import { randomBytes } from "node:crypto";

import { formatUsd } from "#lib/money.ts";
import { readAmount } from "#payments/gate-pay/gate-pay-amounts.ts";
import type { GatePaySettings } from "#payments/gate-pay/gate-pay-settings.ts";
import { GATE_PAY_HEADERS, signatureOf } from "#payments/gate-pay/gate-pay-signature.ts";
import { callJson } from "#payments/json-call.ts";
import type { Send } from "#upstream/answer.ts";

/** An answer that says no, in Gate Pay's words. Everything else that is no yes is thrown. */
export interface Refused {
  readonly refused: string;
}

export const isRefused = (answer: object): answer is Refused => "refused" in answer;

export interface Checkout {
  readonly prepayId: string;
  readonly qrContent?: string;
  readonly checkoutUrl?: string;
  /** Unix milliseconds. */
  readonly expiresAt?: number;
}

export interface KnownOrder extends Checkout {
  readonly merchantTradeNo: string;
  readonly currency: string;
  /** Nano-USD; `undefined`: it cannot be read. */
  readonly amount: bigint | undefined;
  /** Nano-USD that were not paid and let pass. */
  readonly underpaid: bigint | undefined;
  readonly state: "paid" | "open" | "ended";
  /** As Gate Pay calls it. */
  readonly status: string;
  readonly transactionId?: string;
}

export interface KnownRefund {
  readonly state: "done" | "open" | "rejected";
  readonly status: string;
}

export interface NewOrder {
  readonly merchantTradeNo: string;
  readonly amount: bigint;
  readonly merchantUserId: number;
}

export interface NewRefund {
  readonly refundRequestId: string;
  readonly prepayId: string;
  readonly amount: bigint;
}

/** Gate Pay's merchant API. Each call rejects where its answer is lost, late or cannot be read. */
export interface GatePayClient {
  createOrder(order: NewOrder): Promise<Checkout | Refused>;
  queryOrder(merchantTradeNo: string): Promise<KnownOrder | Refused>;
  closeOrder(prepayId: string): Promise<object | Refused>;
  /** The same `refundRequestId` is refunded once. */
  refund(refund: NewRefund): Promise<object | Refused>;
  refundDetails(refundRequestId: string): Promise<KnownRefund | Refused>;
  /** What the merchant account holds, as it is told. */
  balance(): Promise<Readonly<Record<string, unknown>> | Refused>;
}

const TIMEOUT_MS = 10_000;

export interface GatePayClientOptions {
  readonly settings: GatePaySettings;
  readonly send: Send;
  readonly now: () => number;
  readonly timeoutMs?: number;
}

export function createGatePayClient(options: GatePayClientOptions): GatePayClient {
  const { settings } = options;
  const { currency, payCurrency, chain, fullCurrType, returnUrl, cancelUrl } = settings;
  const post = (path: string, payload: object) => call(options, path, JSON.stringify(payload));
  const get = (path: string) => call(options, path);
  return {
    createOrder: async ({ merchantTradeNo, amount, merchantUserId }) => {
      const data = await post("/v1/pay/checkout/order", {
        merchantTradeNo,
        env: { terminalType: "WEB" },
        currency,
        orderAmount: formatUsd(amount),
        ...(payCurrency !== undefined && { payCurrency }),
        merchantUserId,
        goods: { goodsName: "API credits", goodsDetail: `${formatUsd(amount)} USD of API credits` },
        returnUrl,
        cancelUrl,
        ...(chain !== undefined && { chain }),
        ...(fullCurrType !== undefined && { fullCurrType }),
      });
      return isRefused(data) ? data : checkoutOf(data);
    },
    queryOrder: async (merchantTradeNo) => {
      const data = await post("/v1/pay/order/query", { merchantTradeNo });
      return isRefused(data) ? data : orderOf(data);
    },
    closeOrder: (prepayId) => post("/v1/pay/order/close", { prepayId }),
    refund: ({ refundRequestId, prepayId, amount }) =>
      post("/v3/order/refund", {
        refundRequestId,
        prepayId,
        refundAmount: formatUsd(amount),
        refundReason: "unspent credits",
      }),
    refundDetails: async (refundRequestId) => {
      const data = await get(`/v3/pay/refund/details?refundRequestId=${refundRequestId}`);
      return isRefused(data) ? data : refundOf(data);
    },
    balance: () => get("/v1/pay/balance"),
  };
}

type Data = Readonly<Record<string, unknown>>;

/** Without a body it is a GET. */
async function call(
  { settings, send, now, timeoutMs = TIMEOUT_MS }: GatePayClientOptions,
  path: string,
  body?: string,
): Promise<Data | Refused> {
  const { baseUrl, clientId, secret, restrictedKey } = settings;
  const signed = {
    timestamp: String(now()),
    nonce: randomBytes(12).toString("hex"),
    body: body ?? "",
  };
  const { status, body: answer } = await callJson(send, {
    url: new URL(baseUrl.pathname.replace(/\/$/, "") + path, baseUrl),
    headers: {
      [GATE_PAY_HEADERS.clientId]: clientId,
      [GATE_PAY_HEADERS.timestamp]: signed.timestamp,
      [GATE_PAY_HEADERS.nonce]: signed.nonce,
      [GATE_PAY_HEADERS.signature]: signatureOf(secret, signed),
      ...(restrictedKey !== undefined && { [GATE_PAY_HEADERS.restrictedKey]: restrictedKey }),
    },
    ...(body !== undefined && { body }),
    timeoutMs,
  });
  return dataOf(status, answer);
}

/** An answer counts when it says SUCCESS in both places; some endpoints put it in a second envelope. */
function dataOf(status: number, answer: unknown): Data | Refused {
  const outer = objectOf(answer);
  if (outer === undefined || status >= 500 || typeof outer["status"] !== "string") {
    throw new Error(`Gate Pay answers ${status}, and nothing that can be read`);
  }
  const data = objectOf(outer["data"]);
  const inner = data?.["bizCode"] ?? SUCCESS_CODE;
  if (outer["status"] !== "SUCCESS" || outer["code"] !== SUCCESS_CODE || inner !== SUCCESS_CODE) {
    return { refused: reasonOf(outer, data) };
  }
  return objectOf(data?.["bizData"]) ?? data ?? {};
}

const SUCCESS_CODE = "000000";

const reasonOf = (outer: Data, data: Data | undefined): string =>
  [
    data?.["bizCode"] ?? outer["code"],
    outer["label"],
    data?.["bizMessage"] ?? outer["errorMessage"],
  ]
    .filter((part) => typeof part === "string" && part !== "")
    .join(" ")
    .slice(0, 200) || "no reason";

const objectOf = (value: unknown): Data | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Data)
    : undefined;

/** Ids are text; some answers have them as whole numbers. */
function textOf(data: Data, name: string): string | undefined {
  const value = data[name];
  if (typeof value === "string" && value !== "") return value.slice(0, 2_000);
  return Number.isSafeInteger(value) ? String(value) : undefined;
}

function checkoutOf(data: Data): Checkout {
  const prepayId = textOf(data, "prepayId");
  if (prepayId === undefined) throw new Error("Gate Pay answers without a prepayId");
  const [qrContent, checkoutUrl] = [textOf(data, "qrContent"), textOf(data, "location")];
  const expiresAt = Number(textOf(data, "expireTime"));
  return {
    prepayId,
    ...(qrContent !== undefined && { qrContent }),
    // Shown to people as a link: nothing but a web address.
    ...(checkoutUrl?.startsWith("https://") === true && { checkoutUrl }),
    ...(Number.isSafeInteger(expiresAt) && expiresAt > 0 && { expiresAt }),
  };
}

const ENDED = new Set(["EXPIRED", "CLOSED", "CLOSE", "CANCELLED", "CANCELED"]);

function orderOf(data: Data): KnownOrder {
  const status = textOf(data, "status") ?? "";
  const transactionId = textOf(data, "transactionId");
  return {
    ...checkoutOf(data),
    merchantTradeNo: textOf(data, "merchantTradeNo") ?? "",
    currency: textOf(data, "currency") ?? "",
    amount: readAmount(data["orderAmount"]),
    underpaid: readAmount(textOf(data, "underpaidAmount") ?? "0"),
    state: status === "PAID" ? "paid" : ENDED.has(status) ? "ended" : "open",
    status,
    ...(transactionId !== undefined && { transactionId }),
  };
}

const REFUNDED = new Set(["SUCCESS", "REFUND_SUCCESS", "REFUNDED"]);
const REJECTED = new Set(["FAIL", "FAILED", "REJECTED", "REFUND_REJECTED"]);

function refundOf(data: Data): KnownRefund {
  const status = textOf(data, "status") ?? "";
  if (REFUNDED.has(status)) return { state: "done", status };
  return { state: REJECTED.has(status) ? "rejected" : "open", status };
}
