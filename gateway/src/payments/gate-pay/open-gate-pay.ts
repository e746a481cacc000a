import { createGatePayClient } from "#payments/gate-pay/gate-pay-client.ts";
import { placeOrder, type Order, type OrderDeps } from "#payments/gate-pay/gate-pay-orders.ts";
import type { RefundRequest } from "#payments/gate-pay/claim-refund.ts";
import {
  reconcileRefunds,
  refundOrder,
  type RefundDeps,
} from "#payments/gate-pay/gate-pay-refunds.ts";
import type { Notification } from "#payments/gate-pay/gate-pay-signature.ts";
import { reconcileOrder, reconcileOrders } from "#payments/gate-pay/reconcile-orders.ts";
import { takeNotification } from "#payments/gate-pay/take-notification.ts";
import type { RefundRow } from "#store/payment-refunds.ts";
import type { PaymentRow, PaymentState } from "#store/payments.ts";
import type { Send } from "#upstream/answer.ts";

/** Where people buy credit by Gate Pay. */
export interface GatePayDesk {
  /** See `placeOrder`. */
  order(order: Order): Promise<PaymentRow>;
  /** See `takeNotification`. */
  notified(notification: Notification): Promise<PaymentState>;
  /** See `refundOrder`. */
  refund(asked: RefundRequest): Promise<RefundRow>;
  /** Goes on where orders and refunds stopped. Rejects where Gate Pay does not answer. */
  reconcile(): Promise<void>;
  /** Asks about one order now. Throws `unavailable` where Gate Pay does not answer. */
  readonly reconcileOne: (row: PaymentRow) => Promise<void>;
}

export interface GatePayOptions
  extends Omit<OrderDeps, "client">, Pick<RefundDeps, "onFault" | "onRefundEnded"> {
  readonly send: Send;
  readonly timeoutMs?: number;
}

/** Puts payment by Gate Pay together; nothing is asked of anybody yet. */
export function openGatePay(options: GatePayOptions): GatePayDesk {
  const deps = { ...options, client: createGatePayClient(options) };
  return {
    order: (order) => placeOrder(deps, order),
    notified: (notification) => takeNotification(deps, notification),
    refund: (asked) => refundOrder(deps, asked),
    reconcile: async () => {
      await reconcileOrders(deps);
      await reconcileRefunds(deps);
    },
    reconcileOne: (row) => reconcileOrder(deps, row),
  };
}
