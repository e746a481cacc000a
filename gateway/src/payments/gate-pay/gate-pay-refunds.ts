import { GatewayError } from "#canonical/failure.ts";
import type { Post } from "#ledger/commands.ts";
import { BOOKS, walletOf } from "#ledger/ledger-state.ts";
import { claimRefund, type RefundRequest } from "#payments/gate-pay/claim-refund.ts";
import { isRefused, type KnownRefund } from "#payments/gate-pay/gate-pay-client.ts";
import type { OrderDeps } from "#payments/gate-pay/gate-pay-orders.ts";
import { orderFacts } from "#payments/gate-pay/order-facts.ts";
import {
  changeRefund,
  openRefunds,
  type RefundRow,
  type RefundState,
} from "#store/payment-refunds.ts";
import { findPayment, type PaymentRow } from "#store/payments.ts";

export interface RefundDeps extends Pick<OrderDeps, "core" | "client" | "ledger" | "now"> {
  /** Told of what is not known yet, and why. */
  readonly onFault: (error: unknown) => void;
  /** Told of one that is `refunded`, or `failed` and credit again. */
  readonly onRefundEnded: (row: RefundRow) => void;
}

/** Whoever goes on with a refund is done, or has given up, within this. */
const BUSY_MS = 60_000;
const AT_ONCE = 50;

/**
 * Gives money of an order back: off the wallet first, then at Gate Pay, so that nobody spends what is
 * on its way out. Where nobody knows yet how it ended, it is as far as it has come: `reconcileRefunds`
 * goes on, and so does the same key. Throws what `claimRefund` throws, and `conflict` where it failed
 * and is credit again.
 */
export async function refundOrder(deps: RefundDeps, asked: RefundRequest): Promise<RefundRow> {
  const { row, payment, isNew } = await claimRefund(deps, asked);
  if (row.state === "refunded") return row;
  if (row.state === "failed") throw new GatewayError(failed(row));
  const mine = isNew ? row : await takeUp(deps, row);
  if (mine === undefined) return row;
  const last = await advance(deps, { row: mine, payment, isFirst: isNew }).catch(
    (error: unknown) => {
      deps.onFault(error);
      return mine;
    },
  );
  if (last.state === "failed") throw new GatewayError(failed(last));
  return last;
}

const failed = ({ id, reason }: RefundRow) => ({
  code: "conflict" as const,
  message: `Refund ${id} was not carried out, and nothing is missing from the wallet: ${reason ?? "no reason"}. Use a new Idempotency-Key for another try.`,
});

/** Goes on with refunds whose end is not known. Stops at the first one that Gate Pay does not answer for. */
export async function reconcileRefunds(deps: RefundDeps): Promise<void> {
  const before = deps.now() - BUSY_MS;
  for (const row of await openRefunds(deps.core, { before, limit: AT_ONCE })) {
    const payment = await findPayment(deps.core, row.payment_id);
    const mine = await takeUp(deps, row);
    if (mine !== undefined && payment !== undefined) {
      await advance(deps, { row: mine, payment, isFirst: false });
    }
  }
}

/** Only one at a time goes on with a refund. */
async function takeUp(deps: RefundDeps, row: RefundRow): Promise<RefundRow | undefined> {
  return deps.now() - row.updated_at < BUSY_MS ? undefined : changed(deps, row, {});
}

/** `undefined`: somebody else has gone on with it. */
async function changed(
  { core, now }: RefundDeps,
  row: RefundRow,
  to: { readonly state?: RefundState; readonly reason?: string },
): Promise<RefundRow | undefined> {
  const change = { ...to, updated_at: now() };
  return (await changeRefund(core, row, change)) ? { ...row, ...change } : undefined;
}

interface Advancing {
  readonly row: RefundRow;
  readonly payment: PaymentRow;
  /** Nobody can have sent it before. */
  readonly isFirst: boolean;
}

/** Each step can be the last of a process: the next one begins where it stopped. */
async function advance(deps: RefundDeps, { row, payment, isFirst }: Advancing): Promise<RefundRow> {
  let now = row;
  if (now.state === "claimed") now = await takeCredit(deps, now, payment);
  if (now.state === "taken") now = await send(deps, { row: now, payment, isFirst });
  if (now.state === "sent") now = await follow(deps, now);
  return now.state === "returning" ? giveBack(deps, now, payment) : now;
}

const move = async (
  deps: RefundDeps,
  row: RefundRow,
  to: Parameters<typeof changed>[2],
): Promise<RefundRow> => {
  const moved = await changed(deps, row, to);
  if (moved === undefined) throw new Error(`refund ${row.id} is gone on with elsewhere`);
  if (moved.state === "refunded" || moved.state === "failed") deps.onRefundEnded(moved);
  return moved;
};

const postOf = ({ id, nano_usd: amount }: RefundRow, payment: PaymentRow, at: number) => ({
  type: "post" as const,
  at,
  amount: BigInt(amount),
  organizationId: payment.organization_id,
  projectId: payment.project_id,
  memo: `gate-pay refund ${id} of ${payment.id}`,
});

async function takeCredit(
  deps: RefundDeps,
  row: RefundRow,
  payment: PaymentRow,
): Promise<RefundRow> {
  const ended = await deps.ledger.run<Post>({
    ...postOf(row, payment, deps.now()),
    id: `payout:${row.id}`,
    kind: "payout",
    debitAccount: walletOf(payment.owner),
    creditAccount: BOOKS.payments,
    onlyAvailable: "all",
  });
  return ended.outcome === "unknown"
    ? move(deps, row, { state: "failed", reason: "the credit was spent or held meanwhile" })
    : move(deps, row, { state: "taken" });
}

/** Sent once more under the same id where Gate Pay does not know it: it refunds an id once. */
async function send(deps: RefundDeps, { row, payment, isFirst }: Advancing): Promise<RefundRow> {
  const { client } = deps;
  const before = isFirst ? undefined : await client.refundDetails(row.id);
  if (before !== undefined && !isRefused(before)) return noteDetails(deps, row, before);
  const { prepayId = "" } = orderFacts(payment);
  const refund = { refundRequestId: row.id, prepayId, amount: BigInt(row.nano_usd) };
  const sent = await client.refund(refund);
  if (!isRefused(sent)) return move(deps, row, { state: "sent" });
  // It may be refused for being there.
  const known = await client.refundDetails(row.id);
  return isRefused(known)
    ? move(deps, row, { state: "returning", reason: sent.refused })
    : noteDetails(deps, row, known);
}

/** Gate Pay has it; whether it is done is asked now, and by `reconcileRefunds`. */
async function follow(deps: RefundDeps, row: RefundRow): Promise<RefundRow> {
  const known = await deps.client.refundDetails(row.id).catch(() => undefined);
  return known === undefined || isRefused(known) ? row : noteDetails(deps, row, known);
}

const noteDetails = (
  deps: RefundDeps,
  row: RefundRow,
  { state, status }: KnownRefund,
): Promise<RefundRow> => {
  if (state === "done") return move(deps, row, { state: "refunded" });
  return state === "rejected"
    ? move(deps, row, { state: "returning", reason: `Gate Pay says ${status}` })
    : move(deps, row, { state: "sent" });
};

async function giveBack(deps: RefundDeps, row: RefundRow, payment: PaymentRow): Promise<RefundRow> {
  await deps.ledger.run<Post>({
    ...postOf(row, payment, deps.now()),
    id: `payout:${row.id}:back`,
    kind: "payout-back",
    debitAccount: BOOKS.payments,
    creditAccount: walletOf(payment.owner),
  });
  return move(deps, row, { state: "failed" });
}
