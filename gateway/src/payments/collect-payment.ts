import type { PaymentRequirements } from "@x402/core/types";
import type { Kysely } from "kysely";

import { GatewayError, type Failure } from "#canonical/failure.ts";
import type { ChainReader, Paid } from "#payments/chain-reader.ts";
import { toAtomic } from "#payments/amounts.ts";
import {
  awaitedOf,
  claimOf,
  faultOf,
  SETTLING_MS,
  type Collecting,
} from "#payments/claim-payment.ts";
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

/** A payment by `upto`: verified and claimed, and settled once it is known how much is owed. */
export interface Tab {
  readonly id: string;
  /** Nano-USD that were signed. */
  readonly most: bigint;
  /** Unix milliseconds; what is settled later may be refused. */
  readonly settleBefore: number;
  /**
   * Settles what is owed, in nano-USD, or the least price where that is more; nothing where nothing is
   * owed. Once. Throws what `collectPayment` throws.
   */
  settle(owed: bigint): Promise<Collected | undefined>;
}

/**
 * Takes a payment: try or look up and verify, claim, settle, ask the chain; each step can be the last of
 * a process, and `reconcile` goes on from there. It is booked by whoever asked for it. One by `upto` is
 * claimed, and left to whoever asked for it to settle. Throws `PaymentRefused`, `payment_used` for one
 * that was used before, and `payment_pending` for as long as nobody knows: never a second price.
 */
export async function collectPayment(
  deps: CollectDeps,
  wanted: Collecting,
): Promise<Collected | Tab> {
  return toldAsPending(() => collect(deps, wanted));
}

async function toldAsPending<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    // Whatever step it was: what was signed stays good, and another one would be paid twice.
    if (error instanceof StoreError) throw new GatewayError(pending("The data store failed."));
    throw error;
  }
}

async function collect(deps: CollectDeps, wanted: Collecting): Promise<Collected | Tab> {
  const ordered = orderedBy(deps, wanted);
  const isGood = typeof ordered !== "string" && (await isInOrder(deps, wanted, ordered.claim));
  const row = isGood ? await claimed(deps, wanted, ordered.claim) : undefined;
  if (row !== undefined) return goOn(deps, wanted, row);
  const before = await findPaymentByKey(deps.core, wanted.presented.payKey);
  if (before !== undefined) return resume(deps, wanted, before);
  if (typeof ordered === "string") throw new PaymentRefused(ordered);
  return verified(deps, wanted, ordered);
}

/** What was claimed is settled now, or once its answer is there. */
const goOn = (deps: CollectDeps, wanted: Collecting, row: PaymentRow): Promise<Collected> | Tab =>
  row.kind === "upto" ? tabOf(deps, wanted, row) : settle(deps, wanted, asked(row));

/** The offer that a payment accepts, and its row. */
interface Ordered {
  readonly offer: PaymentRequirements;
  readonly claim: PaymentRow;
}

/** Or what its own words say against it. */
function orderedBy(deps: CollectDeps, wanted: Collecting): Ordered | string {
  const offer = acceptedOffer(wanted.presented.payload, wanted.offers);
  if (offer === undefined) return wanted.presented.scheme === "upto" ? NO_UPTO : OTHER_OFFER;
  const claim = claimOf(deps, wanted, offer);
  return faultOf(deps, claim, offer) ?? { offer, claim };
}

/** Where only a facilitator can say whether it is good. */
async function verified(
  deps: CollectDeps,
  wanted: Collecting,
  { offer, claim }: Ordered,
): Promise<Collected | Tab> {
  const invalid = await verify(deps, wanted, offer);
  // One that was settled by a copy of it meanwhile does not verify any more, either.
  const row = invalid === undefined ? await claimed(deps, wanted, claim) : undefined;
  if (row !== undefined) return goOn(deps, wanted, row);
  const other = await findPaymentByKey(deps.core, wanted.presented.payKey);
  if (other === undefined) throw invalid ?? new GatewayError(pending("Nobody has claimed it."));
  return resume(deps, wanted, other);
}

/** `undefined`: it was presented before, by whomever. */
async function claimed(
  { core }: CollectDeps,
  wanted: Collecting,
  claim: PaymentRow,
): Promise<PaymentRow | undefined> {
  if (claim.kind === "upto") await wanted.enter?.();
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

const OTHER_OFFER =
  "the payment accepts none of the offers for this request (another body has another price)";
const NO_UPTO =
  'the payment is by "upto", and accepts none of the offers for this request: what is streamed, topped up or free of charge is paid before by "exact", and another body has another price';

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
      if (row.kind === "upto" && row.gateway === null) {
        throw new GatewayError(pending("The request that it pays for is being answered.", row.id));
      }
      // Somebody is settling it this moment, or died in the middle of that.
      const stale = deps.now() - (deps.settings.settleTimeoutMs + STALE_MS);
      if (row.updated_at > stale) throw new GatewayError(pending(UNDER_WAY, row.id));
      return settleAgain(deps, wanted, row);
    }
    case "refused":
      // Its answer was given up: it is told the price, and watched all the same.
      if (row.kind === "upto") throw new PaymentRefused(row.reason ?? "the payment was refused");
      return settleAgain(deps, wanted, row);
    case "unknown":
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

/**
 * Settling twice is safe: the token itself takes an authorization once. What was to be settled after an
 * answer is only looked for: nobody is served twice for it.
 */
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
  if (row.kind !== "upto") return settle(deps, wanted, asked(claimed));
  await change(deps, row, { state: "unknown", reason: row.reason ?? NOT_KNOWN });
  throw new GatewayError(pending(NOT_KNOWN, row.id));
}

function tabOf(deps: CollectDeps, wanted: Collecting, row: PaymentRow): Tab {
  const { id, nano_usd: most, valid_before: end } = row;
  return {
    id,
    most: BigInt(most),
    settleBefore: end - SETTLING_MS,
    settle: (owed) => toldAsPending(() => settleTab(deps, wanted, { row, owed })),
  };
}

interface Owed {
  readonly row: PaymentRow;
  /** Nano-USD. */
  readonly owed: bigint;
}

async function settleTab(
  deps: CollectDeps,
  { signal: _gone, ...wanted }: Collecting,
  { row, owed }: Owed,
): Promise<Collected | undefined> {
  if (owed === 0n) {
    await change(deps, row, { state: "refused", reason: "nothing was owed" });
    return undefined;
  }
  // From here on others go on with it, should this process not.
  const at = { gateway: wanted.gateway, updated_at: deps.now() };
  const from = { id: row.id, from: ["claimed"], unchangedSince: row.updated_at } as const;
  if (!(await changePayment(deps.core, from, at))) {
    throw new GatewayError(pending(UNDER_WAY, row.id));
  }
  return settle(deps, wanted, { row: { ...row, ...at }, amount: owedOf(deps, { row, owed }) });
}

/** In the token's smallest unit. */
function owedOf({ settings }: CollectDeps, { row, owed }: Owed): bigint {
  const asset = settings.assets.find(
    ({ network, address }) => network === row.network && address === row.asset,
  );
  if (asset === undefined) throw new Error(`${row.asset} was offered and is not configured`);
  const wanted = toAtomic(owed > settings.least ? owed : settings.least, asset.decimals);
  const most = BigInt(row.amount);
  return wanted < most ? wanted : most;
}

/** A payment, and how much of what was signed is to be settled. */
interface Settling {
  readonly row: PaymentRow;
  readonly amount: bigint;
}

const asked = (row: PaymentRow): Settling => ({ row, amount: BigInt(row.amount) });

const onChain = ({ chain }: CollectDeps, row: PaymentRow) => chain.outcomeOf(awaitedOf(row));

async function settle(
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

const change = (
  { core, now }: CollectDeps,
  { id }: PaymentRow,
  to: { readonly state: PaymentState; readonly reason: string },
): Promise<boolean> => changePayment(core, { id, from: ["claimed"] }, { ...to, updated_at: now() });
