import type { Checkout } from "#payments/gate-pay/gate-pay-client.ts";
import type { PaymentRow } from "#store/payments.ts";

/** What a payment of Gate Pay keeps in `facts`. */
export interface OrderFacts extends Partial<Checkout> {
  readonly merchantTradeNo: string;
}

export const orderFacts = ({ facts }: Pick<PaymentRow, "facts">): OrderFacts =>
  JSON.parse(facts) as OrderFacts;
