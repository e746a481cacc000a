import type { AlertEvent } from "@turnpike/contract/alerts.ts";

import { formatUsd } from "#lib/money.ts";
import type { RefundRow } from "#store/payment-refunds.ts";
import type { PaymentRow } from "#store/payments.ts";

/** A chain has taken a payment back. */
export const reversedAlert = ({
  id,
  network,
  nano_usd: nanoUsd,
  organization_id: organizationId,
}: PaymentRow): AlertEvent => ({
  kind: "payment.reversed",
  organizationId,
  once: id,
  text: `A payment on ${network} was taken back by its chain: its wallet owes it.`,
  facts: { payment: id, network, nanoUsd: String(nanoUsd) },
});

/** Money of an order has left by Gate Pay, or has not after all. */
export function payoutAlert(row: RefundRow): AlertEvent {
  const { id, state, reason, payment_id: payment, organization_id: organizationId } = row;
  const usd = formatUsd(BigInt(row.nano_usd));
  const text =
    state === "refunded"
      ? `${usd} USD of the order ${payment} were given back by Gate Pay.`
      : `${usd} USD of the order ${payment} could not be given back by Gate Pay, and are credit again.`;
  const facts = { refund: id, payment, state, amount_usd: usd, reason };
  return { kind: "payment.payout", organizationId, once: `${id} ${state}`, text, facts };
}
