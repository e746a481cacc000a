import type { PaymentRequirements } from "@x402/core/types";

import { GatewayError, type Failure } from "#canonical/failure.ts";
import {
  claimOf,
  faultOf,
  SETTLING_MS,
  stayForClient,
  type Collecting,
} from "#payments/claim-payment.ts";
import { acceptedOffer } from "#payments/offers.ts";
import { openTab, type Tab } from "#payments/open-tab.ts";
import { collectedOf, type Collected } from "#payments/paid-payment.ts";
import {
  PaymentRefused,
  pending,
  toldAsPending,
  UNDER_WAY,
  usedFor,
} from "#payments/payment-failures.ts";
import {
  settlePayment,
  settleAgain,
  STALE_MS,
  wholeOf,
  type CollectDeps,
} from "#payments/settle-payment.ts";
import { findPaymentByKey, insertPayment, isHoldOpen, type PaymentRow } from "#store/payments.ts";

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
  row.kind === "upto" ? openTab(deps, wanted, row) : settlePayment(deps, wanted, wholeOf(row));

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
