import { GatewayError } from "#canonical/failure.ts";
import { confirmOrder, payKeyOf, type OrderDeps } from "#payments/gate-pay/gate-pay-orders.ts";
import { checkSignature, type Notification } from "#payments/gate-pay/gate-pay-signature.ts";
import { findPaymentByKey, type PaymentState } from "#store/payments.ts";

/**
 * Takes a notification: never at its word, it only says which order to ask about. Resolves with what
 * the order is then. Throws `unauthenticated`, `not_found` for an order of nobody here, and
 * `unavailable` where Gate Pay cannot be asked, so that it is sent again.
 */
export async function takeNotification(
  deps: OrderDeps,
  notification: Notification,
): Promise<PaymentState> {
  const { core, settings, now } = deps;
  checkSignature(notification, { ...settings, now: now() });
  const merchantTradeNo = tradeNoOf(notification.body);
  const row =
    merchantTradeNo === undefined
      ? undefined
      : await findPaymentByKey(core, payKeyOf(merchantTradeNo));
  if (row === undefined) {
    throw new GatewayError({
      code: "not_found",
      field: "merchantTradeNo",
      message: "There is no order of this merchantTradeNo here.",
    });
  }
  // A notification that comes again asks nobody.
  if (row.state === "credited") return row.state;
  try {
    return await confirmOrder(deps, row);
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    throw new GatewayError({
      code: "unavailable",
      message: "The order cannot be looked up now. Send the notification again.",
    });
  }
}

/** In `data`, which is JSON within JSON. */
function tradeNoOf(body: Buffer): string | undefined {
  try {
    const outer = JSON.parse(body.toString("utf8")) as { data?: unknown } | null;
    const data: unknown = typeof outer?.data === "string" ? JSON.parse(outer.data) : outer?.data;
    const { merchantTradeNo } = (data ?? {}) as { merchantTradeNo?: unknown };
    return typeof merchantTradeNo === "string" ? merchantTradeNo.slice(0, 64) : undefined;
  } catch {
    return undefined;
  }
}
