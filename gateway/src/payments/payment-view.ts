import { formatUsd } from "#lib/money.ts";
import { orderFacts } from "#payments/gate-pay/order-facts.ts";
import type { PaymentRow } from "#store/payments.ts";

/** A payment as it is told; amounts as decimal text. */
export const paymentView = (row: PaymentRow): object => ({
  id: row.id,
  kind: row.kind,
  state: row.state,
  network: row.network,
  asset: row.asset,
  amount: row.amount,
  amount_usd: formatUsd(BigInt(row.nano_usd)),
  payer: row.payer,
  transaction: row.transaction_hash,
  request_id: row.request_id,
  reason: row.reason,
  created_at: new Date(row.created_at).toISOString(),
  updated_at: new Date(row.updated_at).toISOString(),
  ...(row.kind === "gate-pay" && { checkout: checkoutView(row) }),
});

/** Where an order is paid. */
function checkoutView(row: PaymentRow): object {
  const {
    merchantTradeNo,
    prepayId = null,
    qrContent = null,
    checkoutUrl = null,
  } = orderFacts(row);
  return {
    order_id: merchantTradeNo,
    prepay_id: prepayId,
    qr_content: qrContent,
    checkout_url: checkoutUrl,
    expires_at: new Date(row.valid_before).toISOString(),
  };
}
