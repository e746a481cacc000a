import { createHash, createHmac, randomUUID } from "node:crypto";

import type { Kysely } from "kysely";

import { GatewayError, invalidRequest } from "#canonical/failure.ts";
import type { Ledger } from "#ledger/open-ledger.ts";
import { newId } from "#lib/ids.ts";
import { formatUsd } from "#lib/money.ts";
import { depositOf } from "#payments/deposit-of.ts";
import { isPayable, readAmount } from "#payments/gate-pay/gate-pay-amounts.ts";
import {
  isRefused,
  type Checkout,
  type GatePayClient,
  type KnownOrder,
} from "#payments/gate-pay/gate-pay-client.ts";
import type { GatePaySettings } from "#payments/gate-pay/gate-pay-settings.ts";
import { orderFacts } from "#payments/gate-pay/order-facts.ts";
import {
  changePayment,
  countOpenOrders,
  findPayment,
  findPaymentByKey,
  insertPayment,
  type PaymentChange,
  type PaymentRow,
  type PaymentState,
} from "#store/payments.ts";
import type { CoreTables } from "#store/schema.ts";
import { isUnique } from "#store/store-error.ts";

/** Somebody buys credit. */
export interface Order {
  readonly organizationId: string;
  readonly projectId: string | null;
  /** Decimal text. */
  readonly usd: unknown;
  /** The key or person that asks for it. */
  readonly buyer: string;
  /** The same again is the same order. */
  readonly idempotencyKey: string | undefined;
}

export interface OrderDeps {
  readonly core: Kysely<CoreTables>;
  readonly client: GatePayClient;
  readonly ledger: Pick<Ledger, "run">;
  readonly settings: GatePaySettings;
  /** Makes trade numbers that no other installation of the same merchant makes. */
  readonly secret: Buffer;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Told of a paid order that is not what was ordered: nothing is credited, an operator looks. */
  readonly onMismatch: (row: PaymentRow, reason: string) => void;
}

/** Orders end after an hour or so; one whose end is not known is looked after for a day. */
const UNTOLD_END_MS = 24 * 60 * 60 * 1_000;

export const payKeyOf = (merchantTradeNo: string): string => `gate-pay:${merchantTradeNo}`;

/**
 * Orders credit for an organization's wallet: claimed in the store first, then created at Gate Pay, so
 * that no order is paid that nobody knows. Throws `payment_pending` where it is not known whether it
 * was created; the same again goes on.
 */
export async function placeOrder(deps: OrderDeps, order: Order): Promise<PaymentRow> {
  const claimed = claimOf(deps, order);
  const row = (await findPaymentByKey(deps.core, claimed.pay_key)) ?? (await claim(deps, claimed));
  if (row.request_digest !== claimed.request_digest) throw new GatewayError(OTHER_ORDER);
  if (row.state === "failed") {
    throw new GatewayError({
      code: "conflict",
      field: "Idempotency-Key",
      message: `This order (${row.id}) has ended: ${row.reason ?? "unpaid"}. Use a new key for a new one.`,
    });
  }
  return orderFacts(row).prepayId === undefined && row.state === "claimed"
    ? createOrder(deps, row)
    : row;
}

/** Orders of an organization that wait to be paid: each is asked about until its end. */
const MOST_OPEN = 20;

/** Claims an order; of several at once none goes beyond the bound. */
async function claim(deps: OrderDeps, claimed: PaymentRow): Promise<PaymentRow> {
  const { core } = deps;
  const others = { organizationId: claimed.organization_id, besides: claimed.id };
  if ((await countOpenOrders(core, others)) >= MOST_OPEN) throw new GatewayError(TOO_MANY);
  const isMine = (await insertPayment(core, claimed)) !== undefined;
  const row = isMine ? claimed : await findPaymentByKey(core, claimed.pay_key);
  if (row === undefined) throw new GatewayError(PENDING);
  if (isMine && (await countOpenOrders(core, others)) >= MOST_OPEN) {
    await change(deps, row, { state: "failed", reason: "too many orders were open" });
    throw new GatewayError(TOO_MANY);
  }
  return row;
}

const TOO_MANY = {
  code: "conflict",
  message: `${MOST_OPEN} orders of the organization are open, which is the most. Pay one of them, or wait until one ends (about an hour after it was made), then order again.`,
} as const;

const PENDING = {
  code: "payment_pending",
  message:
    "Gate Pay did not answer: the order may be there or not. Nothing was paid; send the same request with the same Idempotency-Key again.",
  retryAfterMs: 5_000,
} as const;

const OTHER_ORDER = {
  code: "idempotency_mismatch",
  field: "Idempotency-Key",
  message: "This idempotency key was used for another order. Use a new key for a new one.",
} as const;

function amountOf({ usd }: Order, { least, most }: GatePaySettings): bigint {
  const amount = typeof usd === "string" ? readAmount(usd) : undefined;
  if (amount === undefined || !isPayable(amount)) {
    throw invalidRequest("usd", 'usd must be an amount as text, such as "25" or "12.50".');
  }
  if (amount < least || amount > most) {
    const bounds = `${formatUsd(least)} to ${formatUsd(most)} USD`;
    throw invalidRequest("usd", `An order is of ${bounds}; this one is of ${formatUsd(amount)}.`);
  }
  return amount;
}

const MOST_KEY = 255;

function claimOf({ settings, secret, now }: OrderDeps, order: Order): PaymentRow {
  const { organizationId, projectId, buyer, idempotencyKey = randomUUID() } = order;
  if (idempotencyKey === "" || idempotencyKey.length > MOST_KEY) {
    throw invalidRequest("Idempotency-Key", "The key must have 1 to 255 characters.");
  }
  const amount = amountOf(order, settings);
  const digest = createHmac("sha256", secret)
    .update(`gate-pay\n${organizationId}\n${idempotencyKey}`)
    .digest("hex");
  // 32 characters at most.
  const merchantTradeNo = `tp${digest.slice(0, 30)}`;
  const at = now();
  return {
    id: newId("pay_", at),
    pay_key: payKeyOf(merchantTradeNo),
    kind: "gate-pay",
    state: "claimed",
    organization_id: organizationId,
    project_id: projectId,
    owner: organizationId,
    network: "gate-pay",
    asset: settings.currency,
    payer: buyer,
    pay_to: settings.clientId,
    amount: formatUsd(amount),
    nano_usd: amount,
    facts: JSON.stringify({ merchantTradeNo }),
    header_digest: digest,
    request_digest: createHash("sha256").update(String(amount)).digest("hex"),
    transaction_hash: null,
    transfer_ref: null,
    block: null,
    reason: null,
    request_id: null,
    gateway: null,
    valid_before: at + UNTOLD_END_MS,
    created_at: at,
    updated_at: at,
  };
}

async function createOrder(deps: OrderDeps, row: PaymentRow): Promise<PaymentRow> {
  const { client, secret } = deps;
  const { merchantTradeNo } = orderFacts(row);
  // A number of its own for each organization, which says nothing of it.
  const user = createHmac("sha256", secret).update(`buyer\n${row.organization_id}`).digest();
  const order = {
    merchantTradeNo,
    amount: BigInt(row.nano_usd),
    merchantUserId: user.readUIntBE(0, 6),
  };
  const created = await client.createOrder(order).catch(() => undefined);
  if (created === undefined) throw new GatewayError(PENDING);
  if (!isRefused(created)) return noteCheckout(deps, row, created);
  // Refused, for it is there: the answer of the time before was lost.
  const known = await client.queryOrder(merchantTradeNo).catch(() => undefined);
  if (known === undefined) throw new GatewayError(PENDING);
  if (!isRefused(known)) return noteCheckout(deps, row, known);
  await change(deps, row, { state: "failed", reason: created.refused });
  throw new GatewayError({
    code: "upstream_error",
    message: `Gate Pay does not take the order: ${created.refused}. Nothing was paid.`,
    clientRetry: false,
  });
}

async function noteCheckout(
  deps: OrderDeps,
  row: PaymentRow,
  { prepayId, qrContent, checkoutUrl, expiresAt }: Checkout,
): Promise<PaymentRow> {
  const facts = { ...orderFacts(row), prepayId, qrContent, checkoutUrl, expiresAt };
  const noted = { facts: JSON.stringify(facts), valid_before: expiresAt ?? row.valid_before };
  if (await change(deps, row, noted)) return { ...row, ...noted };
  // Somebody else has gone on with it meanwhile.
  return (await findPayment(deps.core, row.id)) ?? row;
}

/** States in which an order is not at its end; `failed` ones are taken up again if they were paid after all. */
const OPEN: readonly PaymentState[] = ["claimed", "unknown"];

const change = (
  { core, now }: OrderDeps,
  { id }: PaymentRow,
  { from = OPEN, ...to }: PaymentChange & { readonly from?: readonly PaymentState[] },
): Promise<boolean> => changePayment(core, { id, from }, { ...to, updated_at: now() });

/** An order that nobody has heard of so long after it was asked for was never created. */
const NEVER_CREATED_MS = 15 * 60 * 1_000;

/**
 * Asks Gate Pay about an order and goes on with it: credits it, once, if it was paid as it was ordered.
 * Rejects where Gate Pay does not answer.
 */
export async function confirmOrder(deps: OrderDeps, row: PaymentRow): Promise<PaymentState> {
  const known = await deps.client.queryOrder(orderFacts(row).merchantTradeNo);
  if (isRefused(known)) {
    const isOld = deps.now() - row.created_at > NEVER_CREATED_MS;
    return orderFacts(row).prepayId === undefined && isOld
      ? endOrder(deps, row, known.refused)
      : waitOn(deps, row);
  }
  if (known.state === "paid") return takePaid(deps, row, known);
  return known.state === "ended"
    ? endOrder(deps, row, `the order is ${known.status.toLowerCase()}`)
    : waitOn(deps, row);
}

async function endOrder(deps: OrderDeps, row: PaymentRow, reason: string): Promise<PaymentState> {
  await change(deps, row, { from: ["claimed"], state: "failed", reason });
  return row.state === "claimed" ? "failed" : row.state;
}

/** It waits behind the others until it is asked about again. */
async function waitOn(deps: OrderDeps, row: PaymentRow): Promise<PaymentState> {
  await change(deps, row, {});
  return row.state;
}

async function takePaid(
  deps: OrderDeps,
  row: PaymentRow,
  order: KnownOrder,
): Promise<PaymentState> {
  const fault = mismatch(row, order);
  if (fault !== undefined) return setAside(deps, row, fault);
  const { prepayId, transactionId = null } = order;
  const paid = {
    state: "paid",
    transaction_hash: transactionId,
    transfer_ref: `gate-pay:${prepayId}`,
    reason: null,
  } as const;
  try {
    // Also after it had failed here: what was paid is never lost.
    if (!(await change(deps, row, { from: [...OPEN, "failed"], ...paid }))) {
      const now = await findPayment(deps.core, row.id);
      if (now?.state !== "paid") return now?.state ?? row.state;
    }
  } catch (error) {
    if (!isUnique(error)) throw error;
    return setAside(deps, row, "its prepayId has paid another order");
  }
  await creditOrder(deps, { ...row, ...paid });
  return "credited";
}

/** What is not as it was ordered; `undefined`: nothing. */
function mismatch(row: PaymentRow, order: KnownOrder): string | undefined {
  const { merchantTradeNo, prepayId } = orderFacts(row);
  if (order.merchantTradeNo !== merchantTradeNo) return "paid, of another merchantTradeNo";
  if (prepayId !== undefined && order.prepayId !== prepayId) return "paid, of another prepayId";
  if (order.currency !== row.asset) return `paid, in ${order.currency.slice(0, 20)}`;
  if (order.amount !== BigInt(row.nano_usd)) {
    return `paid, of ${order.amount === undefined ? "no amount" : formatUsd(order.amount)}`;
  }
  return order.underpaid === 0n ? undefined : "paid, but not all of it";
}

async function setAside(deps: OrderDeps, row: PaymentRow, reason: string): Promise<PaymentState> {
  const isNews = row.state !== "unknown" || row.reason !== reason;
  const isDone = await change(deps, row, { from: [...OPEN, "failed"], state: "unknown", reason });
  if (isDone && isNews) deps.onMismatch(row, reason);
  return "unknown";
}

/** Books what was paid; whoever comes again books nothing. */
export async function creditOrder(deps: OrderDeps, row: PaymentRow): Promise<void> {
  await deps.ledger.run(depositOf(row, deps.now()));
  await change(deps, row, { from: ["paid"], state: "credited" });
}
