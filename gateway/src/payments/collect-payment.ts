import { encodePaymentResponseHeader } from "@x402/core/http";
import type { PaymentRequirements } from "@x402/core/types";
import type { Kysely } from "kysely";

import { GatewayError, type Failure } from "#canonical/failure.ts";
import type { Post } from "#ledger/commands.ts";
import { BOOKS, walletOf } from "#ledger/ledger-state.ts";
import { newId } from "#lib/ids.ts";
import { toNanoUsd } from "#payments/amounts.ts";
import type { Awaited, ChainReader, Outcome, Paid } from "#payments/chain-reader.ts";
import type { Facilitators, Settlement } from "#payments/facilitators.ts";
import { acceptedOffer } from "#payments/offers.ts";
import type { PresentedPayment } from "#payments/presented-payment.ts";
import type { X402Settings } from "#payments/x402-settings.ts";
import {
  changePayment,
  deliverPayment,
  findPaymentByKey,
  insertPayment,
  type PaymentRow,
  type PaymentState,
} from "#store/payments.ts";
import type { CoreTables } from "#store/schema.ts";
import { isUnique } from "#store/store-error.ts";

/** A payment that is to be taken, and what for. */
export interface Collecting {
  readonly presented: PresentedPayment;
  /** What is asked for, for exactly this request. */
  readonly offers: readonly PaymentRequirements[];
  /** Of all that decides what is bought: the same payment buys nothing else. */
  readonly requestDigest: string;
  readonly kind: "request" | "top-up";
  /** Whose credit it becomes: the owner of a wallet in the ledger. */
  readonly owner: string;
  readonly organizationId: string;
  readonly projectId: string;
  /** The request that it is used for, and the process that answers it; a top-up's is its own. */
  readonly requestId: string;
  readonly gateway: string;
}

/** A payment that is on its chain, and was used for nothing else. */
export interface Collected {
  readonly id: string;
  /** What it adds to its wallet; to be booked together with what it pays for. */
  readonly deposit: Post;
  /** Value of the `PAYMENT-RESPONSE` header. */
  readonly receipt: string;
}

/** It was not paid, for a reason that the client can mend: it is told the price again. */
export class PaymentRefused extends Error {}

export interface CollectDeps {
  readonly core: Kysely<CoreTables>;
  readonly facilitators: Facilitators;
  readonly chain: ChainReader;
  readonly settings: Pick<X402Settings, "assets" | "settleTimeoutMs" | "checkReceipts">;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<void>;
}

/**
 * Takes a payment: look up, verify, claim, settle, ask the chain; each step can be the last of a
 * process, and `reconcile` goes on from there. Throws `PaymentRefused`, `payment_used` for one that was
 * used before, and `payment_pending` for as long as nobody knows: never a second price.
 */
export async function collectPayment(deps: CollectDeps, wanted: Collecting): Promise<Collected> {
  const { presented, offers } = wanted;
  const offer = acceptedOffer(presented.payload, offers);
  const before = await findPaymentByKey(deps.core, presented.payKey);
  if (before !== undefined) return resume(deps, wanted, before);
  if (offer === undefined) throw new PaymentRefused(OTHER_OFFER);
  if (presented.amount !== BigInt(offer.amount)) throw new PaymentRefused(OTHER_AMOUNT);
  if (presented.validBefore <= deps.now()) throw new PaymentRefused("the payment has expired");
  await verify(deps, wanted, offer);
  const row = await insertPayment(deps.core, claimOf(deps, wanted, offer));
  if (row !== undefined) return settle(deps, wanted, row);
  const other = await findPaymentByKey(deps.core, presented.payKey);
  if (other === undefined) throw new GatewayError(pending("The payment was taken back."));
  return resume(deps, wanted, other);
}

const OTHER_OFFER =
  "the payment accepts none of the offers for this request (another body has another price)";
const OTHER_AMOUNT = "the payment is signed for another amount than it accepts";

async function verify(
  { facilitators }: CollectDeps,
  { presented }: Collecting,
  requirements: PaymentRequirements,
): Promise<void> {
  let reason: string | undefined;
  try {
    reason = await facilitators.verify({ payload: presented.payload, requirements });
  } catch {
    throw new GatewayError(pending("No facilitator answers; nothing was taken."));
  }
  if (reason !== undefined) throw new PaymentRefused(`the payment is not valid: ${reason}`);
}

/** What a row keeps to look for its payment with. */
interface Facts {
  readonly nonce: string;
  readonly method: Awaited["method"];
  readonly facilitator?: string;
}

function claimOf(
  { settings, now }: CollectDeps,
  wanted: Collecting,
  offer: PaymentRequirements,
): PaymentRow {
  const { presented, kind, organizationId, projectId, owner, requestDigest } = wanted;
  const asset = settings.assets.find(
    ({ address, network }) => network === offer.network && address === offer.asset.toLowerCase(),
  );
  if (asset === undefined) throw new Error(`${offer.asset} is offered and not configured`);
  const facts: Facts = { nonce: presented.nonce, method: presented.method };
  const at = now();
  return {
    id: newId("pay_", at),
    pay_key: presented.payKey,
    kind,
    state: "claimed",
    organization_id: organizationId,
    project_id: projectId,
    owner,
    network: offer.network,
    asset: asset.address,
    payer: presented.payer,
    pay_to: offer.payTo.toLowerCase(),
    amount: presented.amount.toString(),
    nano_usd: toNanoUsd(presented.amount, asset.decimals),
    facts: JSON.stringify(facts),
    header_digest: presented.headerDigest,
    request_digest: requestDigest,
    transaction_hash: null,
    transfer_ref: null,
    block: null,
    reason: null,
    request_id: null,
    gateway: null,
    valid_before: presented.validBefore,
    created_at: at,
    updated_at: at,
  };
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
      return deliver(deps, wanted, row);
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

const UNDER_WAY = "The payment is being settled.";
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
  if (known?.state === "paid") return notePaid(deps, wanted, { row: claimed, paid: known });
  return settle(deps, wanted, claimed);
}

const onChain = ({ chain }: CollectDeps, row: PaymentRow) => chain.outcomeOf(awaitedOf(row));

/** A row as the chain knows it. */
export function awaitedOf(row: PaymentRow): Awaited {
  const { nonce, method } = JSON.parse(row.facts) as Facts;
  const { network, asset, payer, pay_to: payTo, amount } = row;
  return { network, asset, payer, payTo, amount: BigInt(amount), nonce, method };
}

async function settle(deps: CollectDeps, wanted: Collecting, row: PaymentRow): Promise<Collected> {
  const { paid, state, reason } = await settledBy(deps, wanted, row);
  if (paid !== undefined) return notePaid(deps, wanted, { row, paid });
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
    const known = await believed(deps, row, settlement);
    const outcome = known ?? (await onChain(deps, row).catch(() => undefined));
    last = settledAs(settlement, outcome);
    // The next one only where the chain says that the one before has done nothing.
    if (settlement.state !== "unreached" || outcome?.state !== "unused") break;
  }
  return last;
}

function settledAs(settlement: Settlement, outcome: Outcome | undefined): Settled {
  const reason = settlement.state === "success" ? "no transfer of it is there" : settlement.reason;
  if (outcome?.state === "paid") return { paid: outcome, state: "unknown", reason };
  if (outcome?.state === "elsewhere") return { state: "failed", reason: ELSEWHERE };
  // Whoever has the signature could still bring it to the chain: it is watched until its end.
  const isRefused = outcome?.state === "unused" && settlement.state === "refused";
  return { state: isRefused ? "refused" : "unknown", reason };
}

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

async function notePaid(
  deps: CollectDeps,
  wanted: Collecting,
  { row, paid }: PaidRow,
): Promise<Collected> {
  const noted = await markPaid(deps, row, paid);
  if (noted === undefined) throw new GatewayError(pending(UNDER_WAY, row.id));
  return deliver(deps, wanted, noted);
}

/**
 * Puts on record that a payment is on its chain; `undefined`: somebody else has just done so. Throws
 * `PaymentRefused` where its transfer is that of another payment.
 */
export async function markPaid(
  deps: Pick<CollectDeps, "core" | "now">,
  row: PaymentRow,
  { transaction, transferRef, block }: Paid,
): Promise<PaymentRow | undefined> {
  const change = {
    state: "paid",
    transaction_hash: transaction,
    transfer_ref: transferRef,
    block: block === 0 ? null : block,
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

const change = (
  { core, now }: CollectDeps,
  { id }: PaymentRow,
  to: { readonly state: PaymentState; readonly reason: string },
): Promise<boolean> => changePayment(core, { id, from: ["claimed"] }, { ...to, updated_at: now() });

async function deliver(
  { core, now }: CollectDeps,
  { requestId, gateway }: Collecting,
  row: PaymentRow,
): Promise<Collected> {
  const isMine = await deliverPayment(core, row.id, { requestId, gateway });
  if (!isMine) throw new GatewayError(usedFor(row, `request ${row.request_id ?? ""}`));
  return {
    id: row.id,
    deposit: depositOf(row, now()),
    receipt: encodePaymentResponseHeader({
      success: true,
      transaction: row.transaction_hash ?? "",
      network: row.network as `${string}:${string}`,
      payer: row.payer,
      amount: row.amount,
    }),
  };
}

/** What a payment adds to its wallet, once. */
export const depositOf = (row: PaymentRow, at: number): Post => ({
  type: "post",
  id: `deposit:${row.id}`,
  at,
  kind: "deposit",
  debitAccount: BOOKS.payments,
  creditAccount: walletOf(row.owner),
  amount: BigInt(row.nano_usd),
  organizationId: row.organization_id,
  projectId: row.project_id,
  memo: `${row.kind} ${row.network} ${row.transaction_hash ?? row.pay_key}`,
});

const usedFor = ({ id, request_id: requestId }: PaymentRow, what: string): Failure => ({
  code: "payment_used",
  field: "PAYMENT-SIGNATURE",
  message: `This payment (${id}) was used for ${requestId === null ? what : `request ${requestId}`}: it buys nothing twice. What is left of it is credit of its wallet: prove the wallet by SIGN-IN-WITH-X to spend it, GET /v1/payments/${id} shows it.`,
});

const PENDING_RETRY_MS = 2_000;

function pending(what: string, id?: string): Failure {
  const named = id === undefined ? "" : ` (${id})`;
  return {
    code: "payment_pending",
    field: "PAYMENT-SIGNATURE",
    message: `${what} Send the same request with the same PAYMENT-SIGNATURE again${named}; do not sign a new one.`,
    retryAfterMs: PENDING_RETRY_MS,
    ...(id !== undefined && {
      terms: { headers: { "x-payment-id": id }, body: { payment_id: id } },
    }),
  };
}
