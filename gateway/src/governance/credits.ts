import type { Plan } from "@turnpike/contract/governance.ts";
import type { Transaction } from "kysely";

import { invalidRequest } from "#canonical/failure.ts";
import { writeAudit, type Change } from "#governance/audit.ts";
import { checkFuture } from "#governance/checks.ts";
import type { Deed } from "#governance/deed.ts";
import { PLAN_FACTS } from "#governance/plans.ts";
import type { Ended } from "#ledger/commands.ts";
import { createCredits, type Credits } from "#ledger/credits.ts";
import { ledgerWithin } from "#ledger/ledger-within.ts";
import { formatUsd, parseUsd } from "#lib/money.ts";
import { findTransfer } from "#store/ledger-reads.ts";
import type { CoreTables } from "#store/schema.ts";

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
  { expiresAt, ...booking }: OperatorBooking & { readonly expiresAt?: number | undefined },
): Promise<Booked> {
  checkFuture("expires_at", expiresAt, deed.now);
  const wanted = { ...readBooking(booking), ...(expiresAt !== undefined && { expiresAt }) };
  const told = { ...booking, kind: "grant", expires_at: expiresAt };
  return bookTold(deed, { action: "credits.grant", told }, (credits) => credits.grant(wanted));
}

/** Corrects a balance. */
export async function adjustCredits(
  deed: Deed,
  { direction, ...booking }: OperatorBooking & { readonly direction: "up" | "down" },
): Promise<Booked> {
  const wanted = { ...readBooking(booking), direction };
  const told = { ...booking, kind: `adjustment ${direction}` };
  return bookTold(deed, { action: "credits.adjust", told }, (credits) => credits.adjust(wanted));
}

/** Gives back what a request was charged. Throws `not_found` where it was charged nothing. */
export async function refundCredits(
  deed: Deed,
  { requestId, ...booking }: OperatorBooking & { readonly requestId: string },
): Promise<Booked> {
  const { organizationId, amountUsd } = booking;
  const idempotencyKey = checkedKey(booking.idempotencyKey);
  const refund = {
    organizationId,
    requestId,
    idempotencyKey,
    ...(amountUsd !== undefined && { amount: parseUsd(amountUsd) }),
  };
  const told = { ...booking, kind: "refund", memo: requestId };
  return bookTold(deed, { action: "credits.refund", told }, (credits) => credits.refund(refund));
}

/**
 * Gives an organization the credits that come with its plan, once however often the plan is set: a
 * part of the change that sets it.
 */
export async function grantOfPlan(
  deed: Deed,
  { transaction }: Pick<Change, "transaction">,
  { id: organizationId, plan }: { readonly id: string; readonly plan: Plan },
): Promise<void> {
  const { creditsOnceUsd: amountUsd } = PLAN_FACTS[plan];
  if (amountUsd === undefined) return;
  const idempotencyKey = `plan-${plan}`;
  if (
    (await findTransfer(transaction, `grant:${organizationId}:${idempotencyKey}`)) !== undefined
  ) {
    return;
  }
  const booking = { organizationId, idempotencyKey, amountUsd, memo: `of the plan ${plan}` };
  await tell(transaction, deed, { action: "credits.grant", told: { ...booking, kind: "grant" } });
  await creditsWithin(transaction, deed).grant(readBooking(booking));
}

const creditsWithin = (transaction: Transaction<CoreTables>, { now }: Pick<Deed, "now">): Credits =>
  createCredits({
    ledger: ledgerWithin(transaction),
    store: { core: transaction },
    now: () => now,
  });

interface Telling {
  readonly action: string;
  readonly told: OperatorBooking & {
    readonly kind: string;
    readonly expires_at?: number | undefined;
  };
}

/** Books and tells it in one transaction: neither is without the other. What is booked is told once. */
async function bookTold(
  deed: Deed,
  telling: Telling,
  book: (credits: Credits) => Promise<Ended>,
): Promise<Booked> {
  try {
    return await deed.core.transaction().execute(async (transaction) => {
      // First: whoever waits for the ledger may hold the end of the audit log, and never the reverse.
      await tell(transaction, deed, telling);
      const ended = await book(creditsWithin(transaction, deed));
      if (ended.outcome === "again") throw new BookedBefore(ended);
      return bookedOf(ended);
    });
  } catch (error) {
    if (error instanceof BookedBefore) return bookedOf(error.ended);
    throw error;
  }
}

/** Undoes a transaction that tells of what was told before. */
class BookedBefore extends Error {
  readonly ended: Ended;
  constructor(ended: Ended) {
    super("booked before");
    this.ended = ended;
  }
}

const bookedOf = ({ outcome, charged }: Ended): Booked => ({
  amountUsd: formatUsd(charged),
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

function tell(
  transaction: Transaction<CoreTables>,
  deed: Deed,
  { action, told }: Telling,
): Promise<void> {
  const { organizationId, amountUsd, ...rest } = told;
  return writeAudit(transaction, deed, {
    action,
    target: { kind: "credit", id: organizationId },
    organizationId,
    after: { ...rest, amount_usd: amountUsd },
  });
}
