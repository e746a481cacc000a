import { formatUsd } from "#lib/money.ts";
import { orderFacts } from "#payments/gate-pay/order-facts.ts";
import type { RefundRow } from "#store/payment-refunds.ts";
import type { PaymentRow } from "#store/payments.ts";

export { listRefunds as listPayouts } from "#store/payment-refunds.ts";

/** An order as the admin API tells it. */
export function orderView(row: PaymentRow) {
  const { qrContent = null, checkoutUrl = null } = orderFacts(row);
  return {
    object: "order" as const,
    id: row.id,
    organization_id: row.organization_id,
    state: row.state,
    amount_usd: formatUsd(BigInt(row.nano_usd)),
    qr_content: qrContent,
    checkout_url: checkoutUrl,
    expires_at: new Date(row.valid_before).toISOString(),
  };
}

/** A refund as the admin API tells it: what goes on between its ends is `pending`. */
export const payoutView = ({ state, ...row }: RefundRow) => ({
  object: "payout" as const,
  id: row.id,
  payment_id: row.payment_id,
  organization_id: row.organization_id,
  state: state === "refunded" || state === "failed" ? state : ("pending" as const),
  amount_usd: formatUsd(BigInt(row.nano_usd)),
  reason: row.reason,
  created_at: new Date(row.created_at).toISOString(),
});
