import type { PaymentRequirements } from "@x402/core/types";

import { GatewayError } from "#canonical/failure.ts";
import { newId } from "#lib/ids.ts";
import { formatUsd } from "#lib/money.ts";
import { toNanoUsd } from "#payments/amounts.ts";
import type { Awaited } from "#payments/chain-reader.ts";
import type { PresentedPayment } from "#payments/presented-payment.ts";
import type { X402Settings } from "#payments/x402-settings.ts";
import type { PaymentRow } from "#store/payments.ts";

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
  /** Done before a payment by `upto` is claimed; rejects where its payer has too many under way. */
  readonly enter?: () => Promise<void>;
  /** Aborted once its client is gone: nothing is claimed then, and what was paid waits for it. */
  readonly signal?: AbortSignal;
}

/** What a row keeps to look for its payment with. */
interface Facts {
  readonly nonce: string;
  readonly method: Awaited["method"];
  /** Of the token, where only the chain tells how much was paid. */
  readonly decimals?: number;
}

interface ClaimDeps {
  readonly settings: Pick<X402Settings, "assets" | "maxTimeoutSeconds" | "most" | "topUp">;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** The row of a payment that is about to be settled. */
export function claimOf(
  { settings, now }: ClaimDeps,
  wanted: Collecting,
  offer: PaymentRequirements,
): PaymentRow {
  const { presented, kind, organizationId, projectId, owner, requestDigest } = wanted;
  const asset = settings.assets.find(
    ({ address, network }) => network === offer.network && address === offer.asset.toLowerCase(),
  );
  if (asset === undefined) throw new Error(`${offer.asset} is offered and not configured`);
  const { nonce, method, scheme } = presented;
  const isUpTo = scheme === "upto";
  const facts: Facts = { nonce, method, ...(isUpTo && { decimals: asset.decimals }) };
  const at = now();
  return {
    id: newId("pay_", at),
    pay_key: presented.payKey,
    kind: isUpTo ? "upto" : kind,
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

/** What a payment's own words say against it. */
export function faultOf(
  { settings, now }: ClaimDeps,
  { amount, nano_usd: nanoUsd, valid_before: end, kind }: PaymentRow,
  offer: PaymentRequirements,
): string | undefined {
  if (amount !== offer.amount) return "the payment is signed for another amount than it accepts";
  if (end <= now()) return "the payment has expired";
  if (kind === "upto" && end <= now() + 2 * SETTLING_MS) {
    return "the payment ends too soon to be settled after an answer";
  }
  // Until its end it can be brought to the chain by whoever has seen it, and is watched so long.
  const longest = settings.maxTimeoutSeconds * 1_000 + CLOCK_MS;
  if (end > now() + longest) return `the payment is good for longer than ${longest / 1_000} s`;
  const most = settings.most > settings.topUp.most ? settings.most : settings.topUp.most;
  return nanoUsd > most ? `the payment is more than ${formatUsd(most)} USD` : undefined;
}

/** Facilitators take nothing that ends within six seconds. */
export const SETTLING_MS = 10_000;

/** Clients reckon the end of a payment by clocks of their own. */
const CLOCK_MS = 10 * 60_000;

/** A row as the chain knows it. */
export function awaitedOf(row: PaymentRow): Awaited {
  const { nonce, method } = factsOf(row);
  const { network, asset, payer, pay_to: payTo, amount, created_at: since } = row;
  const isUpTo = row.kind === "upto";
  return { network, asset, payer, payTo, amount: BigInt(amount), isUpTo, nonce, method, since };
}

const factsOf = ({ facts }: PaymentRow): Facts => JSON.parse(facts) as Facts;

/** What a row says of how much was paid, once the chain has told. */
export function amountsOf(
  row: PaymentRow,
  amount: bigint,
): Pick<PaymentRow, "amount" | "nano_usd"> {
  const { decimals } = factsOf(row);
  if (decimals === undefined) return { amount: row.amount, nano_usd: row.nano_usd };
  return { amount: amount.toString(), nano_usd: toNanoUsd(amount, decimals) };
}

/** A client that is gone asks again, with the same payment: it is not used up for nobody. */
export function stayForClient({ signal }: Collecting): void {
  if (signal?.aborted !== true) return;
  throw new GatewayError({ code: "client_closed", message: "The client closed the connection." });
}
