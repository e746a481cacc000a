import type { PaymentRequirements } from "@x402/core/types";
import type { Kysely } from "kysely";

import { GatewayError, type Failure } from "#canonical/failure.ts";
import type { ChainReader, Paid } from "#payments/chain-reader.ts";
import { awaitedOf, claimOf, faultOf, type Collecting } from "#payments/claim-payment.ts";
import type { Facilitators, Settlement } from "#payments/facilitators.ts";
import { acceptedOffer } from "#payments/offers.ts";
import { collectedOf, markPaid, onRecord, type Collected } from "#payments/paid-payment.ts";
import { PaymentRefused, pending, UNDER_WAY, usedFor } from "#payments/payment-failures.ts";
import type { X402Settings } from "#payments/x402-settings.ts";
import {
  changePayment,
  findPaymentByKey,
  insertPayment,
  isHoldOpen,
  type PaymentRow,
  type PaymentState,
} from "#store/payments.ts";
import type { CoreTables } from "#store/schema.ts";
import { StoreError } from "#store/store-error.ts";

export interface CollectDeps {
  readonly core: Kysely<CoreTables>;
  readonly facilitators: Facilitators;
  readonly chain: ChainReader;
  readonly settings: Pick<
    X402Settings,
    "assets" | "settleTimeoutMs" | "checkReceipts" | "maxTimeoutSeconds" | "most" | "topUp"
  >;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<void>;
}

/**
 * Takes a payment: try or look up and verify, claim, settle, ask the chain; each step can be the last of
 * a process, and `reconcile` goes on from there. It is booked by whoever asked for it. Throws `PaymentRefused`, `payment_used` for one that was
 * used before, and `payment_pending` for as long as nobody knows: never a second price.
 */
export async function collectPayment(deps: CollectDeps, wanted: Collecting): Promise<Collected> {
  try {
    return await collect(deps, wanted);
  } catch (error) {
    // Whatever step it was: what was signed stays good, and another one would be paid twice.
    if (error instanceof StoreError) throw new GatewayError(pending("The data store failed."));
    throw error;
  }
}

async function collect(deps: CollectDeps, wanted: Collecting): Promise<Collected> {
  const ordered = orderedBy(deps, wanted);
  const isGood = typeof ordered !== "string" && (await isInOrder(deps, wanted, ordered.claim));
  const row = isGood ? await claimed(deps, wanted, ordered.claim) : undefined;
  if (row !== undefined) return settle(deps, wanted, row);
  const before = await findPaymentByKey(deps.core, wanted.presented.payKey);
  if (before !== undefined) return resume(deps, wanted, before);
  if (typeof ordered === "string") throw new PaymentRefused(ordered);
  return verified(deps, wanted, ordered);
}

/** The offer that a payment accepts, and its row. */
interface Ordered {
  readonly offer: PaymentRequirements;
  readonly claim: PaymentRow;
}

/** Or what its own words say against it. */
function orderedBy(deps: CollectDeps, wanted: Collecting): Ordered | string {
  const offer = acceptedOffer(wanted.presented.payload, wanted.offers);
  if (offer === undefined) return OTHER_OFFER;
  const claim = claimOf(deps, wanted, offer);
  return faultOf(deps, claim, offer) ?? { offer, claim };
}

/** Where only a facilitator can say whether it is good. */
async function verified(
  deps: CollectDeps,
  wanted: Collecting,
  { offer, claim }: Ordered,
): Promise<Collected> {
  const invalid = await verify(deps, wanted, offer);
  // One that was settled by a copy of it meanwhile does not verify any more, either.
  const row = invalid === undefined ? await claimed(deps, wanted, claim) : undefined;
  if (row !== undefined) return settle(deps, wanted, row);
  const other = await findPaymentByKey(deps.core, wanted.presented.payKey);
  if (other === undefined) throw invalid ?? new GatewayError(pending("Nobody has claimed it."));
  return resume(deps, wanted, other);
}

/** `undefined`: it was presented before, by whomever. */
function claimed(
  { core }: CollectDeps,
  wanted: Collecting,
  claim: PaymentRow,
): Promise<PaymentRow | undefined> {
  stayForClient(wanted);
  return insertPayment(core, claim);
}

/**
 * Whether it is surely good, by the gateway's own node: then no facilitator is asked before it settles,
 * which looks at all of it again. Whatever is not sure is looked up, and theirs to say.
 */
async function isInOrder(
  { chain, now }: CollectDeps,
  { presented: { transfer, validBefore } }: Collecting,
  { network, asset, pay_to: payTo }: PaymentRow,
): Promise<boolean> {
  if (transfer === undefined || transfer.to.toLowerCase() !== payTo) return false;
  const isInTime = validBefore > now() + SETTLING_MS && Number(transfer.validAfter) * 1_000 < now();
  return isInTime && chain.wouldMove({ network, asset }, transfer).catch(() => false);
}

/** Facilitators take nothing that ends within six seconds. */
const SETTLING_MS = 10_000;

const OTHER_OFFER =
  "the payment accepts none of the offers for this request (another body has another price)";

/** A client that is gone asks again, with the same payment: it is not used up for nobody. */
function stayForClient({ signal }: Collecting): void {
  if (signal?.aborted !== true) return;
  throw new GatewayError({ code: "client_closed", message: "The client closed the connection." });
}

/** What is wrong with it; rejects where nobody can say. */
async function verify(
  { facilitators }: CollectDeps,
  { presented }: Collecting,
  requirements: PaymentRequirements,
): Promise<PaymentRefused | undefined> {
  let reason: string | undefined;
  try {
    reason = await facilitators.verify({ payload: presented.payload, requirements });
  } catch {
    throw new GatewayError(pending("No facilitator answers; nothing was taken."));
  }
  return reason === undefined
    ? undefined
    : new PaymentRefused(`the payment is not valid: ${reason}`);
}

/** The same payment comes again: its first answer was lost, or somebody copies it. */
async function resume(deps: CollectDeps, wanted: Collecting, row: PaymentRow): Promise<Collected> {
  const { presented, requestDigest } = wanted;
  const isSame =
    row.header_digest === presented.headerDigest && row.request_digest === requestDigest;
  if (!isSame) throw new GatewayError(usedFor(row, "another request"));
  switch (row.state) {
    case "paid":
    case "credited":
      if (row.request_id !== null) throw new GatewayError(await whyTaken(deps, row));
      stayForClient(wanted);
      return collectedOf(deps, wanted, row);
    case "failed":
    case "reversed":
      throw new PaymentRefused(row.reason ?? "the payment failed");
    case "claimed": {
      // Somebody is settling it this moment, or died in the middle of that.
      const stale = deps.now() - (deps.settings.settleTimeoutMs + STALE_MS);
      if (row.updated_at > stale) throw new GatewayError(pending(UNDER_WAY, row.id));
      return settleAgain(deps, wanted, row);
    }
    case "unknown":
    case "refused":
      return settleAgain(deps, wanted, row);
  }
}

/**
 * As long as its request holds money it may be given back: nobody may know yet that it was held, and
 * what has no answer was not used.
 */
async function whyTaken({ core }: CollectDeps, row: PaymentRow): Promise<Failure> {
  const isOpen = await isHoldOpen(core, row.request_id ?? "");
  return isOpen ? pending(ANSWERED_NOW, row.id) : usedFor(row, "another request");
}

const ANSWERED_NOW = "The request that it pays for is under way.";

/** A step beside the settlement takes no longer. */
export const STALE_MS = 15_000;

/** Settling twice is safe: the token itself takes an authorization once. */
async function settleAgain(
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
  return settle(deps, wanted, claimed);
}

const onChain = ({ chain }: CollectDeps, row: PaymentRow) => chain.outcomeOf(awaitedOf(row));

async function settle(deps: CollectDeps, wanted: Collecting, row: PaymentRow): Promise<Collected> {
  const { paid, state, reason } = await settledBy(deps, wanted, row);
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
  row: PaymentRow,
): Promise<Settled> {
  const signed = { payload, requirements: acceptedOffer(payload, offers) ?? payload.accepted };
  let last: Settled = { state: "unknown", reason: "no facilitator for the network" };
  for (const facilitator of deps.facilitators.serving(signed)) {
    const settlement = await deps.facilitators.settle(facilitator, signed);
    last = await settledAs(deps, row, settlement);
    // The next one only where the chain says that the one before has done nothing.
    if (settlement.state !== "unreached" || last.isUnused !== true) break;
  }
  return last;
}

async function settledAs(
  deps: CollectDeps,
  row: PaymentRow,
  settlement: Settlement,
): Promise<Settled> {
  const reason = settlement.state === "success" ? "no transfer of it is there" : settlement.reason;
  const known = await believed(deps, row, settlement);
  if (known !== undefined) return { paid: known, state: "unknown", reason };
  const isRefused = settlement.state === "refused" || (await isEmptied(deps, row, settlement));
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
  row: PaymentRow,
  { state }: Settlement,
): Promise<boolean> =>
  state === "unclear" && !(await chain.isCovered(awaitedOf(row)).catch(() => true));

const ELSEWHERE = "it was cancelled or used elsewhere";

const RECEIPT_TRIES = 20;
const RECEIPT_PAUSE_MS = 250;

/** A facilitator's word, checked where the operator does not take it for granted. */
async function believed(
  { chain, settings, pause }: CollectDeps,
  row: PaymentRow,
  settlement: Settlement,
): Promise<Paid | undefined> {
  const { transaction } = settlement as { readonly transaction?: string };
  if (transaction === undefined) return undefined;
  if (!settings.checkReceipts && settlement.state === "success") {
    return {
      state: "paid",
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
  return collectedOf(deps, wanted, { ...row, ...onRecord(paid) });
}

const change = (
  { core, now }: CollectDeps,
  { id }: PaymentRow,
  to: { readonly state: PaymentState; readonly reason: string },
): Promise<boolean> => changePayment(core, { id, from: ["claimed"] }, { ...to, updated_at: now() });
