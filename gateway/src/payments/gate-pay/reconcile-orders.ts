import { GatewayError } from "#canonical/failure.ts";
import { confirmOrder, creditOrder, type OrderDeps } from "#payments/gate-pay/gate-pay-orders.ts";
import { orderFacts } from "#payments/gate-pay/order-facts.ts";
import { openPayments, type PaymentRow } from "#store/payments.ts";

const KINDS = ["gate-pay"] as const;
/** An order that is waited for is asked about so often: a notification is mostly faster. */
const ASK_MS = 20_000;
/** One that an operator should look at. */
const ASK_UNKNOWN_MS = 10 * 60 * 1_000;
/** Whoever has seen that it was paid credits it within this. */
const PAID_MS = 10_000;
/** Gate Pay ends an order by itself; where it has not by then, it is closed. */
const CLOSE_MS = 60_000;
const AT_ONCE = 50;

/**
 * Goes on with orders that are not at their end, so that no notification needs to arrive: what was
 * paid is credited, what has expired is closed. Stops at the first one that Gate Pay does not answer for.
 */
export async function reconcileOrders(deps: OrderDeps): Promise<void> {
  const { core, now } = deps;
  const at = now();
  const paid = { kinds: KINDS, states: ["paid"], before: at - PAID_MS, limit: AT_ONCE } as const;
  for (const row of await openPayments(core, paid)) await creditOrder(deps, row);
  const ask = { kinds: KINDS, limit: AT_ONCE };
  const claimed = await openPayments(core, { ...ask, states: ["claimed"], before: at - ASK_MS });
  const unknown = await openPayments(core, {
    ...ask,
    states: ["unknown"],
    before: at - ASK_UNKNOWN_MS,
  });
  for (const row of [...claimed, ...unknown]) await goOn(deps, row);
}

async function goOn(deps: OrderDeps, row: PaymentRow): Promise<void> {
  const { client, now } = deps;
  const state = await confirmOrder(deps, row);
  const { prepayId } = orderFacts(row);
  if (state !== "claimed" || prepayId === undefined) return;
  // What is closed is told as such by the next look; what was paid meanwhile, too.
  if (now() > row.valid_before + CLOSE_MS) await client.closeOrder(prepayId);
}

/** Asks about one order now, whatever its turn. Throws `unavailable` where Gate Pay does not answer. */
export async function reconcileOrder(deps: OrderDeps, row: PaymentRow): Promise<void> {
  try {
    if (row.state === "paid") await creditOrder(deps, row);
    else if (row.state === "claimed" || row.state === "unknown") await goOn(deps, row);
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    const message = `Gate Pay cannot be asked: ${(error as Error).message}. Look at payments.gatePay, and ask again.`;
    throw new GatewayError({ code: "unavailable", message });
  }
}
