import type { Ledger } from "#ledger/open-ledger.ts";
import type { ChainReader, Outcome } from "#payments/chain-reader.ts";
import { awaitedOf } from "#payments/claim-payment.ts";
import { STALE_MS, type CollectDeps } from "#payments/settle-payment.ts";
import { depositOf } from "#payments/deposit-of.ts";
import { markPaid, UNPAID } from "#payments/paid-payment.ts";
import { PaymentRefused } from "#payments/payment-failures.ts";
import type { X402Settings } from "#payments/x402-settings.ts";
import { BOOKS, walletOf } from "#ledger/ledger-state.ts";
import {
  abandonedUpto,
  changePayment,
  deleteExpiredNonces,
  openPayments,
  paymentsToConfirm,
  type PaymentRow,
} from "#store/payments.ts";

export interface ReconcileDeps extends Pick<CollectDeps, "core" | "now"> {
  readonly chain: ChainReader;
  readonly ledger: Ledger;
  readonly settings: Pick<X402Settings, "settleTimeoutMs" | "chains">;
  /** Told of what an operator should look at. */
  readonly onReversed: (row: PaymentRow) => void;
  readonly onFault: (error: unknown) => void;
}

/** Asked again so soon after it was not known. */
const UNKNOWN_MS = 3_000;
/** A request books its own deposit within this. */
export const PAID_MS = 30_000;
/** A block's time may be a little behind. */
const AFTER_END_MS = 60_000;
const AT_ONCE = 100;
/** Those that are on a chain; payment services know their own. */
const KINDS = ["request", "upto", "top-up"] as const;
/** Those that are settled as soon as they are claimed. */
const AT_ONCE_KINDS = ["request", "top-up"] as const;

/** What a round has done. */
export interface Reconciled {
  readonly credited: number;
  readonly failed: number;
  readonly reversed: number;
}

/**
 * Goes on where processes, facilitators and nodes stopped: whatever is on a chain becomes credit of
 * its wallet, once; what can never be is closed; what a reorganization took back is taken back here.
 * Safe beside other gateways that do the same.
 */
export async function reconcilePayments(deps: ReconcileDeps): Promise<Reconciled> {
  const done = { credited: 0, failed: 0, reversed: 0 };
  const now = deps.now();
  for (const row of await unresolved(deps, now)) {
    try {
      const result = await resolve(deps, row);
      if (result !== undefined) done[result]++;
    } catch (error) {
      // Its node is down, or its transfer is another's: the others still count.
      if (!(error instanceof PaymentRefused)) deps.onFault(error);
    }
  }
  const paid = { kinds: KINDS, states: ["paid"], before: now - PAID_MS, limit: AT_ONCE } as const;
  for (const row of await openPayments(deps.core, paid)) {
    await credit(deps, row);
    done.credited++;
  }
  done.reversed = await confirm(deps);
  await deleteExpiredNonces(deps.core, now);
  return done;
}

async function unresolved(
  { core, settings }: ReconcileDeps,
  now: number,
): Promise<readonly PaymentRow[]> {
  const stale = now - settings.settleTimeoutMs - STALE_MS;
  const [claimed, tabs, unknown, refused] = await Promise.all([
    openPayments(core, {
      kinds: AT_ONCE_KINDS,
      states: ["claimed"],
      before: stale,
      limit: AT_ONCE,
    }),
    abandonedUpto(core, { before: stale, limit: AT_ONCE }),
    openPayments(core, {
      kinds: KINDS,
      states: ["unknown"],
      before: now - UNKNOWN_MS,
      limit: AT_ONCE,
    }),
    openPayments(core, {
      kinds: KINDS,
      states: ["refused"],
      before: now - AFTER_END_MS,
      limit: AT_ONCE,
    }),
  ]);
  return [...claimed, ...tabs, ...unknown, ...refused];
}

/** One payment that nobody knows the end of, by what its chain says. */
export async function resolve(
  deps: ReconcileDeps,
  row: PaymentRow,
): Promise<"credited" | "failed" | undefined> {
  const { core, now } = deps;
  const outcome = await outcomeOf(deps, row);
  if (outcome.state === "paid") {
    const paid = await markPaid(deps, row, outcome);
    if (paid === undefined) return undefined;
    await credit(deps, paid);
    return "credited";
  }
  const reason = whyOver(outcome, row, now());
  if (reason === undefined) {
    await putBack(deps, row);
    return undefined;
  }
  const from = { id: row.id, from: UNPAID, unchangedSince: row.updated_at };
  const change = { state: "failed", reason, updated_at: now() } as const;
  return (await changePayment(core, from, change)) ? "failed" : undefined;
}

/** Nodes agree by then; what nobody has found is the operator's to look for. */
const UNTRACED_MS = 24 * 60 * 60_000;

/** Why a payment can never be settled any more; `undefined`: it may be yet. */
function whyOver(
  { state, isExpired }: Seen,
  { valid_before: end }: PaymentRow,
  now: number,
): string | undefined {
  if (state === "elsewhere") return "it was cancelled or used elsewhere";
  if (!isExpired) return undefined;
  if (state === "unused") return "it was never settled";
  return now > end + UNTRACED_MS ? "it was used, and no transfer of it was found" : undefined;
}

type Seen = Outcome & { readonly isExpired: boolean };

/**
 * What a chain says of a payment; expired: its end was over before the chain was asked, by the chain's
 * own clock too. A node that is behind does not know yet what was paid in time.
 */
async function outcomeOf(
  { core, chain, now }: Pick<ReconcileDeps, "core" | "chain" | "now">,
  row: PaymentRow,
): Promise<Seen> {
  try {
    const time = now() > row.valid_before + AFTER_END_MS ? await chain.timeOf(row.network) : 0;
    const outcome = await chain.outcomeOf(awaitedOf(row));
    return { ...outcome, isExpired: time > row.valid_before };
  } catch (error) {
    // A hundred that cannot be asked about must not stop all others.
    await putBack({ core, now }, row);
    throw error;
  }
}

/** It waits behind the others. Whoever was settling it is gone: its client may begin again at once. */
async function putBack(
  { core, now }: Pick<ReconcileDeps, "core" | "now">,
  row: PaymentRow,
): Promise<void> {
  const from = { id: row.id, from: [row.state], unchangedSince: row.updated_at };
  const change = row.state === "claimed" ? ({ state: "unknown" } as const) : {};
  await changePayment(core, from, { ...change, updated_at: now() });
}

/** Books what was paid. */
export async function credit({ core, ledger, now }: ReconcileDeps, row: PaymentRow): Promise<void> {
  await ledger.run(depositOf(row, now()));
  const credited = { state: "credited", updated_at: now() } as const;
  await changePayment(core, { id: row.id, from: ["paid"] }, credited);
}

/** Looks whether what was credited is still on its chain, until it is deep enough in it. */
async function confirm(deps: ReconcileDeps): Promise<number> {
  let reversed = 0;
  for (const { network, confirmations } of deps.settings.chains.values()) {
    try {
      reversed += await confirmOn(deps, network, confirmations);
    } catch (error) {
      deps.onFault(error);
    }
  }
  return reversed;
}

async function confirmOn(
  deps: ReconcileDeps,
  network: string,
  confirmations: number,
): Promise<number> {
  const rows = await paymentsToConfirm(deps.core, network, AT_ONCE);
  if (rows.length === 0) return 0;
  const finalBlock = (await deps.chain.newestBlock(network)) - confirmations + 1;
  let reversed = 0;
  for (const row of rows) {
    try {
      if (await confirmOne(deps, row, finalBlock)) reversed++;
    } catch (error) {
      deps.onFault(error);
    }
  }
  return reversed;
}

/** Whether it was taken back; it is final where it is in no block after `finalBlock`. */
export async function confirmOne(
  deps: ReconcileDeps,
  row: PaymentRow,
  finalBlock: number,
): Promise<boolean> {
  const { core, chain, now } = deps;
  const block = await chain.blockOf(row.network, row.transaction_hash ?? "");
  if (block === undefined) return isLost(deps, row);
  const final = { block: null, updated_at: now() };
  if (block <= finalBlock) await changePayment(core, { id: row.id, from: ["credited"] }, final);
  return false;
}

/**
 * Its block was taken back. Where the same authorization is on the chain in another transaction, that
 * is it; where it cannot be any more, the wallet owes what it was credited.
 */
async function isLost(deps: ReconcileDeps, row: PaymentRow): Promise<boolean> {
  const { core, ledger, now, onReversed } = deps;
  const from = { id: row.id, from: ["credited"] } as const;
  const outcome = await outcomeOf(deps, row);
  if (outcome.state === "paid") {
    const { transaction, transferRef, block } = outcome;
    const change = { transaction_hash: transaction, transfer_ref: transferRef, block };
    await changePayment(core, from, { ...change, updated_at: now() });
    return false;
  }
  if (whyOver(outcome, row, now()) === undefined) return false;
  // Booked first: whoever dies in between does it again, and it is booked once.
  await ledger.run({
    type: "post",
    id: `reversal:${row.id}`,
    at: now(),
    kind: "reversal",
    debitAccount: walletOf(row.owner),
    creditAccount: BOOKS.payments,
    amount: BigInt(row.nano_usd),
    organizationId: row.organization_id,
    projectId: row.project_id,
    memo: `${row.network} ${row.transaction_hash ?? ""}`,
  });
  const reason = "its block was taken back";
  const change = { state: "reversed", reason, updated_at: now() } as const;
  if (!(await changePayment(core, from, change))) return false;
  onReversed(row);
  return true;
}
