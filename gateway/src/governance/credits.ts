import { invalidRequest } from "#canonical/failure.ts";
import { writeAudit } from "#governance/audit.ts";
import { checkFuture } from "#governance/checks.ts";
import type { Deed } from "#governance/deed.ts";
import type { Credits } from "#ledger/credits.ts";
import { formatUsd, parseUsd } from "#lib/money.ts";

/** A booking by an operator. Its idempotency key is its identity: the same one is booked once. */
export interface OperatorBooking {
  readonly organizationId: string;
  readonly idempotencyKey: string | undefined;
  readonly amountUsd?: string | undefined;
  readonly memo?: string | undefined;
}

export interface Booked {
  readonly amountUsd: string;
  readonly alreadyBooked: boolean;
}

/** Gives credits, until a time where one is named. */
export async function grantCredits(
  deed: Deed,
  credits: Credits,
  { expiresAt, ...booking }: OperatorBooking & { readonly expiresAt?: number | undefined },
): Promise<Booked> {
  checkFuture("expires_at", expiresAt, deed.now);
  const wanted = { ...readBooking(booking), ...(expiresAt !== undefined && { expiresAt }) };
  await tell(deed, "credits.grant", { ...booking, kind: "grant", expires_at: expiresAt });
  return bookedOf(await credits.grant(wanted), wanted.amount);
}

/** Corrects a balance. */
export async function adjustCredits(
  deed: Deed,
  credits: Credits,
  { direction, ...booking }: OperatorBooking & { readonly direction: "up" | "down" },
): Promise<Booked> {
  const wanted = readBooking(booking);
  await tell(deed, "credits.adjust", { ...booking, kind: `adjustment ${direction}` });
  return bookedOf(await credits.adjust({ ...wanted, direction }), wanted.amount);
}

/** Gives back what a request was charged. */
export async function refundCredits(
  deed: Deed,
  credits: Credits,
  { requestId, ...booking }: OperatorBooking & { readonly requestId: string },
): Promise<Booked> {
  const { organizationId, amountUsd } = booking;
  const amount = amountUsd === undefined ? undefined : parseUsd(amountUsd);
  const idempotencyKey = checkedKey(booking.idempotencyKey);
  await tell(deed, "credits.refund", { ...booking, kind: "refund", memo: requestId });
  const refund = { organizationId, requestId, idempotencyKey };
  const ended = await credits.refund({ ...refund, ...(amount !== undefined && { amount }) });
  return bookedOf(ended, ended.charged);
}

const bookedOf = ({ outcome }: { readonly outcome: string }, amount: bigint): Booked => ({
  amountUsd: formatUsd(amount),
  alreadyBooked: outcome === "again",
});

function readBooking({ organizationId, idempotencyKey, amountUsd = "0", memo }: OperatorBooking) {
  const amount = parseUsd(amountUsd);
  if (amount <= 0n) throw invalidRequest("amount_usd", "amount_usd must be above 0.");
  return {
    organizationId,
    idempotencyKey: checkedKey(idempotencyKey),
    amount,
    ...(memo !== undefined && { memo }),
  };
}

function checkedKey(key: string | undefined): string {
  if (key !== undefined && key !== "") return key;
  throw invalidRequest(
    "Idempotency-Key",
    "Money needs an Idempotency-Key: with it, a repeated request books nothing twice.",
  );
}

/** Told before it is booked: the ledger commits by itself, and nothing is booked untold. */
async function tell(
  deed: Deed,
  action: string,
  after: OperatorBooking & { readonly kind: string; readonly expires_at?: number | undefined },
): Promise<void> {
  const { organizationId, amountUsd, ...rest } = after;
  await deed.core.transaction().execute((transaction) =>
    writeAudit(transaction, deed, {
      action,
      target: { kind: "credit", id: organizationId },
      organizationId,
      after: { ...rest, amount_usd: amountUsd },
    }),
  );
}
