import type { Kysely } from "kysely";

import { GatewayError } from "#canonical/failure.ts";
import type { ChainReader, Paid } from "#payments/chain-reader.ts";
import { awaitedOf, stayForClient, type Collecting } from "#payments/claim-payment.ts";
import type { Facilitators, Settlement } from "#payments/facilitators.ts";
import { acceptedOffer } from "#payments/offers.ts";
import { collectedOf, markPaid, onRecord, type Collected } from "#payments/paid-payment.ts";
import { PaymentRefused, pending, UNDER_WAY } from "#payments/payment-failures.ts";
import type { X402Settings } from "#payments/x402-settings.ts";
import { changePayment, type PaymentRow, type PaymentState } from "#store/payments.ts";
import type { CoreTables } from "#store/schema.ts";

export interface CollectDeps {
  readonly core: Kysely<CoreTables>;
  readonly facilitators: Facilitators;
  readonly chain: ChainReader;
  readonly settings: Pick<
    X402Settings,
    | "assets"
    | "settleTimeoutMs"
    | "checkReceipts"
    | "maxTimeoutSeconds"
    | "least"
    | "most"
    | "topUp"
  >;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<void>;
}

/** A step beside the settlement takes no longer. */
export const STALE_MS = 15_000;

/** A payment, and how much of what was signed is to be settled. */
export interface Settling {
  readonly row: PaymentRow;
  readonly amount: bigint;
}

export const wholeOf = (row: PaymentRow): Settling => ({ row, amount: BigInt(row.amount) });

/**
 * Settling twice is safe: the token itself takes an authorization once. What was to be settled after an
 * answer is only looked for: nobody is served twice for it.
 */
export async function settleAgain(
  deps: CollectDeps,
  wanted: Collecting,
  row: PaymentRow,
): Promise<Collected> {
  const at = deps.now();
  const isMine = await changePayment(
    deps.core,
    { id: row.id, from: [row.state], unchangedSince: row.updated_at },
    { state: "claimed", updated_at: at },
  );
  if (!isMine) throw new GatewayError(pending(UNDER_WAY, row.id));
  const claimed: PaymentRow = { ...row, state: "claimed", updated_at: at };
  const known = await onChain(deps, claimed).catch(() => undefined);
  if (known?.state === "paid") return taken(deps, wanted, { row: claimed, paid: known });
  if (row.kind !== "upto") return settlePayment(deps, wanted, wholeOf(claimed));
  await change(deps, row, { state: "unknown", reason: row.reason ?? NOT_KNOWN });
  throw new GatewayError(pending(NOT_KNOWN, row.id));
}

const onChain = ({ chain }: CollectDeps, row: PaymentRow) => chain.outcomeOf(awaitedOf(row));

export async function settlePayment(
  deps: CollectDeps,
  wanted: Collecting,
  settling: Settling,
): Promise<Collected> {
  const { row, amount } = settling;
  const { paid, state, reason } = await settledBy(deps, wanted, settling);
  if (paid !== undefined && paid.amount < amount) {
    await markPaid(deps, row, paid);
    throw new PaymentRefused("less was settled than was asked for; what came is credit");
  }
  if (paid !== undefined) return taken(deps, wanted, { row, paid });
  await change(deps, row, { state, reason });
  if (state === "unknown") throw new GatewayError(pending(NOT_KNOWN, row.id));
  throw new PaymentRefused(`the payment was not settled: ${reason}`);
}

const NOT_KNOWN = "It is not known yet whether the payment was settled.";

/** How a settlement ended; without `paid`, the state that the payment is in now. */
interface Settled {
  readonly paid?: Paid;
  readonly state: "unknown" | "refused" | "failed";
  readonly reason: string;
  /** The chain says that nothing was done so far. */
  readonly isUnused?: boolean;
}

async function settledBy(
  deps: CollectDeps,
  { presented: { payload }, offers }: Collecting,
  settling: Settling,
): Promise<Settled> {
  const offer = acceptedOffer(payload, offers) ?? payload.accepted;
  const signed = { payload, requirements: { ...offer, amount: settling.amount.toString() } };
  let last: Settled = { state: "unknown", reason: "no facilitator for the network" };
  for (const facilitator of deps.facilitators.serving(signed)) {
    const settlement = await deps.facilitators.settle(facilitator, signed);
    last = await settledAs(deps, settling, settlement);
    // The next one only where the chain says that the one before has done nothing.
    if (settlement.state !== "unreached" || last.isUnused !== true) break;
  }
  return last;
}

async function settledAs(
  deps: CollectDeps,
  settling: Settling,
  settlement: Settlement,
): Promise<Settled> {
  const { row } = settling;
  const reason = settlement.state === "success" ? "no transfer of it is there" : settlement.reason;
  const known = await believed(deps, settling, settlement);
  if (known !== undefined) return { paid: known, state: "unknown", reason };
  const isRefused = settlement.state === "refused" || (await isEmptied(deps, settling, settlement));
  const outcome = await onChain(deps, row).catch(() => undefined);
  if (outcome?.state === "paid") return { paid: outcome, state: "unknown", reason };
  if (outcome?.state === "elsewhere") return { state: "failed", reason: ELSEWHERE };
  const isUnused = outcome?.state === "unused";
  // Whoever has the signature could still bring it to the chain: it is watched until its end.
  return { state: isUnused && isRefused ? "refused" : "unknown", reason, isUnused };
}

/**
 * Facilitators say of an emptied wallet what they say of anything that failed on the way. Looked at
 * before the authorization is: a transfer that was done makes a wallet emptier, too.
 */
const isEmptied = async (
  { chain }: CollectDeps,
  { row, amount }: Settling,
  { state }: Settlement,
): Promise<boolean> =>
  state === "unclear" && !(await chain.isCovered({ ...awaitedOf(row), amount }).catch(() => true));

const ELSEWHERE = "it was cancelled or used elsewhere";

const RECEIPT_TRIES = 20;
const RECEIPT_PAUSE_MS = 250;

/** A facilitator's word, checked where the operator does not take it for granted. */
async function believed(
  { chain, settings, pause }: CollectDeps,
  { row, amount }: Settling,
  settlement: Settlement,
): Promise<Paid | undefined> {
  const { transaction } = settlement as { readonly transaction?: string };
  if (transaction === undefined) return undefined;
  if (!settings.checkReceipts && settlement.state === "success") {
    return {
      state: "paid",
      amount,
      transaction,
      transferRef: `${row.network}:${transaction}:?${row.id}`,
      block: 0,
    };
  }
  // Nodes hear of a block at different times.
  for (let tries = 0; tries < RECEIPT_TRIES; tries++) {
    try {
      const paid = await chain.paidBy(awaitedOf(row), transaction);
      if (paid !== undefined) return paid;
      if ((await chain.blockOf(row.network, transaction)) !== undefined) return undefined;
    } catch {
      return undefined;
    }
    if (settlement.state !== "success") return undefined;
    await pause(RECEIPT_PAUSE_MS);
  }
  return undefined;
}

interface PaidRow {
  readonly row: PaymentRow;
  readonly paid: Paid;
}

/** Its booking puts it on record, too, in one commit: each is a part of the first byte's time. */
async function taken(
  deps: CollectDeps,
  wanted: Collecting,
  { row, paid }: PaidRow,
): Promise<Collected> {
  if (wanted.signal?.aborted === true) await markPaid(deps, row, paid);
  stayForClient(wanted);
  return collectedOf(deps, wanted, { ...row, ...onRecord(row, paid) });
}

export const change = (
  { core, now }: CollectDeps,
  { id }: PaymentRow,
  to: { readonly state: PaymentState; readonly reason: string },
): Promise<boolean> => changePayment(core, { id, from: ["claimed"] }, { ...to, updated_at: now() });
