import type { Kysely } from "kysely";

import { GatewayError, invalidRequest } from "#canonical/failure.ts";
import { creditBalance } from "#ledger/credits.ts";
import { newId } from "#lib/ids.ts";
import { formatUsd } from "#lib/money.ts";
import { isPayable, payablePart, readAmount } from "#payments/gate-pay/gate-pay-amounts.ts";
import { insertRefund, refundsOf, type RefundRow } from "#store/payment-refunds.ts";
import { findPayment, type PaymentRow } from "#store/payments.ts";
import type { CoreTables } from "#store/schema.ts";

/** Money of an order that goes back to whoever has paid it. */
export interface RefundRequest {
  readonly organizationId: string;
  readonly paymentId: string;
  /** Absent: all of the order that is unspent. */
  readonly usd?: string | undefined;
  readonly idempotencyKey: string | undefined;
}

interface Deps {
  readonly core: Kysely<CoreTables>;
  readonly now: () => number;
}

const MOST_KEY = 255;

/**
 * The refund of this key, claimed where it is a new one. Throws `not_found`, `conflict` for an order
 * that was not credited, and `invalid_request` beyond what is left of it.
 */
export async function claimRefund(
  deps: Deps,
  asked: RefundRequest,
): Promise<{ readonly row: RefundRow; readonly payment: PaymentRow; readonly isNew: boolean }> {
  const { core, now } = deps;
  const key = asked.idempotencyKey ?? "";
  if (key === "" || key.length > MOST_KEY) {
    throw invalidRequest(
      "Idempotency-Key",
      "A refund needs an Idempotency-Key of 1 to 255 characters.",
    );
  }
  const payment = await refundable(core, asked);
  const all = await refundsOf(core, payment.id);
  const known = all.find(({ idempotency_key: other }) => other === key);
  if (known !== undefined) return { row: sameAs(known, asked), payment, isNew: false };
  const at = now();
  const row: RefundRow = {
    id: newId("rfd", at),
    payment_id: payment.id,
    number: all.length,
    organization_id: payment.organization_id,
    idempotency_key: key,
    state: "claimed",
    nano_usd: await amountOf(core, asked, { payment, all }),
    reason: null,
    created_at: at,
    updated_at: at,
  };
  // Another one came first: what is left is another amount now.
  return (await insertRefund(core, row)) ? { row, payment, isNew: true } : claimRefund(deps, asked);
}

async function refundable(
  core: Deps["core"],
  { paymentId, organizationId }: RefundRequest,
): Promise<PaymentRow> {
  const payment = await findPayment(core, paymentId);
  if (payment?.organization_id !== organizationId || payment.kind !== "gate-pay") {
    throw new GatewayError({
      code: "not_found",
      field: "payment_id",
      message: `There is no order "${paymentId.slice(0, 60)}" of Gate Pay.`,
    });
  }
  if (payment.state === "credited") return payment;
  throw new GatewayError({
    code: "conflict",
    field: "payment_id",
    message: `Only what was credited can be given back; this order is ${payment.state}.`,
  });
}

function sameAs(known: RefundRow, { usd }: RefundRequest): RefundRow {
  if (usd === undefined || readAmount(usd) === BigInt(known.nano_usd)) return known;
  throw new GatewayError({
    code: "idempotency_mismatch",
    field: "Idempotency-Key",
    message: "This idempotency key was used for another refund. Use a new key for a new one.",
  });
}

/** What is not given back yet, or on its way there, at most. */
async function amountOf(
  core: Deps["core"],
  { usd }: RefundRequest,
  { payment, all }: { readonly payment: PaymentRow; readonly all: readonly RefundRow[] },
): Promise<bigint> {
  const back = all
    .filter(({ state }) => state !== "failed")
    .reduce((sum, { nano_usd: amount }) => sum + BigInt(amount), 0n);
  const left = BigInt(payment.nano_usd) - back;
  const { balance, held } = await creditBalance(core, payment.owner);
  const unspent = payablePart(least(left, balance - held));
  const amount = usd === undefined ? unspent : readAmount(usd);
  if (amount !== undefined && isPayable(amount) && amount <= unspent) return amount;
  throw invalidRequest(
    "amount_usd",
    `Of this order ${formatUsd(unspent > 0n ? unspent : 0n)} USD can be given back: what is neither refunded, spent nor held.`,
  );
}

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
