import { encodePaymentResponseHeader } from "@x402/core/http";
import type { Kysely } from "kysely";

import type { Failure } from "#canonical/failure.ts";
import type { Post } from "#ledger/commands.ts";
import type { Paid } from "#payments/chain-reader.ts";
import { amountsOf, type Collecting } from "#payments/claim-payment.ts";
import { depositOf } from "#payments/deposit-of.ts";
import { PaymentRefused, pending, UNDER_WAY, usedFor } from "#payments/payment-failures.ts";
import type { PaymentUse } from "#store/ledger-uses.ts";
import { changePayment, findPayment, type PaymentRow, type PaymentState } from "#store/payments.ts";
import type { CoreTables } from "#store/schema.ts";
import { isUnique } from "#store/store-error.ts";

/** A payment that is on its chain, and was used for nothing else. */
export interface Collected {
  readonly id: string;
  /** What it adds to its wallet; it is used up where this is booked, with what it pays for. */
  readonly deposit: Post;
  readonly use: PaymentUse;
  /** Value of the `PAYMENT-RESPONSE` header. */
  readonly receipt: string;
}

interface Deps {
  readonly core: Kysely<CoreTables>;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** It is used up where its deposit is booked. */
export function collectedOf(
  { now }: Pick<Deps, "now">,
  wanted: Collecting,
  row: PaymentRow,
): Collected {
  const { requestId, gateway } = wanted;
  const at = now();
  const { id, transaction_hash: transaction, transfer_ref: transferRef, block } = row;
  const use: PaymentUse = {
    kind: "payment",
    id,
    requestId,
    gateway,
    transaction: transaction ?? "",
    transferRef: transferRef ?? "",
    block,
    amount: row.amount,
    nanoUsd: Number(row.nano_usd),
    at,
  };
  return {
    id,
    use,
    deposit: { ...depositOf(row, at), uses: [use] },
    receipt: encodePaymentResponseHeader({
      success: true,
      transaction: use.transaction,
      network: row.network as `${string}:${string}`,
      payer: row.payer,
      amount: row.amount,
    }),
  };
}

/**
 * Why a payment could not be used; what is known of it is put on record, so that whoever presents it
 * again need not wait until it is asked for anew.
 */
export async function whyUnused(
  deps: Deps,
  { id, requestId, transaction, transferRef, block, ...use }: PaymentUse,
): Promise<Failure> {
  const row = await findPayment(deps.core, id);
  if (row === undefined) return pending(UNDER_WAY, id);
  // Its own: the commit was done, and its reply was lost. It is given back.
  if (row.request_id === requestId) return pending(UNDER_WAY, id);
  if (row.request_id !== null) return usedFor(row, "another request");
  const amount = BigInt(use.amount);
  const paid = { state: "paid", amount, transaction, transferRef, block: block ?? 0 } as const;
  // Where its transfer is another payment's that is on record now, and told to whoever comes with it again.
  await markPaid(deps, row, paid).catch((error: unknown) => {
    if (!(error instanceof PaymentRefused)) throw error;
  });
  return pending(UNDER_WAY, id);
}

/** What a row says of it. Block 0: nobody has looked. */
export const onRecord = (row: PaymentRow, { amount, transaction, transferRef, block }: Paid) => ({
  ...amountsOf(row, amount),
  transaction_hash: transaction,
  transfer_ref: transferRef,
  block: block === 0 ? null : block,
});

/**
 * Puts on record that a payment is on its chain; `undefined`: somebody else has just done so. Throws
 * `PaymentRefused` where its transfer is that of another payment.
 */
export async function markPaid(
  deps: Deps,
  row: PaymentRow,
  paid: Paid,
): Promise<PaymentRow | undefined> {
  const change = {
    ...onRecord(row, paid),
    state: "paid",
    updated_at: deps.now(),
  } as const;
  try {
    const isDone = await changePayment(deps.core, { id: row.id, from: UNPAID }, change);
    return isDone ? { ...row, ...change } : undefined;
  } catch (error) {
    if (!isUnique(error)) throw error;
    const reason = "its transfer has paid for another one";
    await changePayment(
      deps.core,
      { id: row.id, from: UNPAID },
      { state: "failed", reason, updated_at: deps.now() },
    );
    throw new PaymentRefused(reason);
  }
}

export const UNPAID: readonly PaymentState[] = ["claimed", "unknown", "refused"];
