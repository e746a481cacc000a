import { GatewayError, invalidRequest } from "#canonical/failure.ts";
import type { Ended, Post } from "#ledger/commands.ts";
import { BOOKS, projectAccount, walletOf } from "#ledger/ledger-state.ts";
import type { Ledger } from "#ledger/open-ledger.ts";
import {
  dueGrants,
  findAccount,
  findTransfer,
  insertGrant,
  listTransfers,
  listWalletTransfers,
  markExpired,
  transfersOfRequest,
  type ListedTransfer,
  type TransferFilter,
} from "#store/ledger-reads.ts";
import type { Store } from "#store/store.ts";

/** What an operator books, under a key of its own: the same key is booked once. */
export interface Booking {
  readonly organizationId: string;
  /** Whose wallet, where it is not the organization's own. */
  readonly owner?: string;
  /** Nano-USD, above 0. */
  readonly amount: bigint;
  readonly idempotencyKey: string;
  readonly memo?: string;
}

export interface Balance {
  /** Nano-USD; below 0: owed. */
  readonly balance: bigint;
  /** What requests under way may still take. */
  readonly held: bigint;
}

/** Money that comes and goes otherwise than by requests. */
export interface Credits {
  /** Gives credits; with `expiresAt` (Unix milliseconds) what is left of them then is taken back. */
  grant(booking: Booking & { readonly expiresAt?: number }): Promise<Ended>;
  /** Corrects a balance, up or down. */
  adjust(booking: Booking & { readonly direction: "up" | "down" }): Promise<Ended>;
  /**
   * Gives back what a request was charged, all of it unless an amount is named. Throws `not_found`
   * for a request of another organization, `invalid_request` beyond what it was charged.
   */
  refund(refund: Refund): Promise<Ended>;
  balance(owner: string): Promise<Balance>;
  transfers(filter: TransferFilter): Promise<readonly ListedTransfer[]>;
  /** The same of an address's own wallet. */
  walletTransfers(page: WalletPage): Promise<readonly ListedTransfer[]>;
  /** Takes back what is left of credits whose time is over. */
  expireDue(): Promise<void>;
}

export interface WalletPage {
  readonly owner: string;
  /** Only older ones than this. */
  readonly beforeSeq?: number | undefined;
  readonly limit: number;
}

export interface Refund {
  readonly organizationId: string;
  readonly requestId: string;
  readonly amount?: bigint;
  readonly idempotencyKey: string;
}

interface Deps {
  readonly ledger: Pick<Ledger, "run">;
  readonly store: Pick<Store, "core">;
  readonly now: () => number;
}

/** Reads and books credits. */
export function createCredits(deps: Deps): Credits {
  const { store, now } = deps;
  const { core } = store;
  return {
    grant: async ({ expiresAt, ...booking }) => {
      const post = postOf(booking, { kind: "grant", at: now(), from: BOOKS.grants });
      const before = await findAccount(core, post.creditAccount);
      // Noted first: credits with an end are never there without it.
      if (expiresAt !== undefined) {
        await insertGrant(core, {
          id: post.id,
          account_id: post.creditAccount,
          amount: booking.amount,
          debits_before: before?.debits ?? 0,
          expires_at: expiresAt,
          expired_at: null,
        });
      }
      return bookOnce(deps, post);
    },
    adjust: ({ direction, ...booking }) => {
      const up = postOf(booking, { kind: "adjustment", at: now(), from: BOOKS.adjustments });
      const [debitAccount, creditAccount] =
        direction === "up"
          ? [up.debitAccount, up.creditAccount]
          : [up.creditAccount, up.debitAccount];
      return bookOnce(deps, { ...up, debitAccount, creditAccount });
    },
    refund: (refund) => refundRequest(deps, refund),
    balance: (owner) => creditBalance(core, owner),
    transfers: (filter) => listTransfers(core, filter),
    walletTransfers: ({ owner, ...page }) =>
      listWalletTransfers(core, { wallet: walletOf(owner), ...page }),
    expireDue: () => expireDue(deps),
  };
}

/** What an owner's wallet holds. */
export async function creditBalance(core: Store["core"], owner: string): Promise<Balance> {
  const account = await findAccount(core, walletOf(owner));
  if (account === undefined) return { balance: 0n, held: 0n };
  return {
    balance: BigInt(account.credits) - BigInt(account.debits),
    held: BigInt(account.pending),
  };
}

const MAX_KEY = 255;

function postOf(
  { organizationId, owner, amount, idempotencyKey, memo }: Booking,
  { kind, at, from }: { readonly kind: string; readonly at: number; readonly from: string },
): Post {
  if (amount <= 0n || amount > MOST_NANO_USD) {
    throw invalidRequest("amount", "The amount must be above 0 and at most 1,000,000,000 USD.");
  }
  return {
    type: "post",
    id: `${kind}:${organizationId}:${checkedKey(idempotencyKey)}`,
    at,
    kind,
    debitAccount: from,
    creditAccount: walletOf(owner ?? organizationId),
    amount,
    organizationId,
    memo: memo === undefined ? null : clean(memo),
  };
}

const MOST_NANO_USD = 10n ** 18n;

function checkedKey(key: string): string {
  if (key.length > 0 && key.length <= MAX_KEY && /^[\x21-\x7e]+$/.test(key)) return key;
  throw invalidRequest(
    "Idempotency-Key",
    "An idempotency key is needed: 1 to 255 visible ASCII characters.",
  );
}

const clean = (text: string): string => text.slice(0, 1_000).toWellFormed().replaceAll("\0", "");

/** Books it, and says so where the same key was used for something else. */
async function bookOnce({ ledger, store }: Deps, post: Post): Promise<Ended> {
  const ended = await ledger.run(post);
  if (ended.outcome !== "again") return ended;
  const booked = await findTransfer(store.core, post.id);
  const isSame =
    booked !== undefined &&
    BigInt(booked.amount) === post.amount &&
    booked.debit_account === post.debitAccount &&
    booked.credit_account === post.creditAccount;
  if (!isSame) throw new GatewayError(OTHER_BOOKING);
  return { ...ended, charged: post.amount };
}

const OTHER_BOOKING = {
  code: "idempotency_mismatch",
  field: "Idempotency-Key",
  message: "This idempotency key was used for another booking. Use a new key for a new one.",
} as const;

/** Refunds of a request are numbered: two at once cannot both be its first. */
async function refundRequest(deps: Deps, refund: Refund): Promise<Ended> {
  const { requestId, organizationId, idempotencyKey } = refund;
  const key = checkedKey(idempotencyKey);
  const all = await transfersOfRequest(deps.store.core, requestId);
  const charge = all.find(({ kind }) => kind === "charge");
  if (charge === undefined || charge.organization_id !== organizationId) {
    throw new GatewayError({
      code: "not_found",
      field: "request_id",
      message: `Nothing was charged for a request "${requestId.slice(0, 60)}".`,
    });
  }
  const refunds = all.filter(({ kind }) => kind === "refund");
  const before = refunds.find(({ memo }) => memo === key);
  if (before !== undefined) return { ...ALREADY, charged: BigInt(before.amount) };
  const back = refunds.reduce((sum, { amount }) => sum + BigInt(amount), 0n);
  const left = BigInt(charge.amount) - back;
  const amount = refund.amount ?? left;
  if (amount <= 0n || amount > left) {
    throw invalidRequest("amount", "More cannot be given back than the request was charged.");
  }
  const ended = await deps.ledger.run<Post>({
    type: "post",
    id: `${requestId}:refund:${refunds.length}`,
    at: deps.now(),
    kind: "refund",
    debitAccount: projectAccount(charge.project_id ?? ""),
    creditAccount: charge.debit_account,
    amount,
    organizationId,
    projectId: charge.project_id,
    requestId,
    memo: key,
  });
  return ended.outcome === "again" ? refundRequest(deps, refund) : ended;
}

const ALREADY: Ended = {
  outcome: "again",
  state: "booked",
  charged: 0n,
  excess: 0n,
  counted: [],
};

/**
 * What was spent since credits with an end were given has used them first. What is held by requests
 * under way is left to them.
 */
async function expireDue(deps: Deps): Promise<void> {
  const { core } = deps.store;
  for (const grant of await dueGrants(core, deps.now())) {
    const account = await findAccount(core, grant.account_id);
    const spent = BigInt(account?.debits ?? 0) - BigInt(grant.debits_before);
    const left = BigInt(grant.amount) - spent;
    if (left > 0n && account !== undefined) {
      await deps.ledger.run<Post>({
        type: "post",
        id: `${grant.id}:expired`,
        at: deps.now(),
        kind: "expiry",
        debitAccount: grant.account_id,
        creditAccount: BOOKS.expired,
        amount: left,
        organizationId: account.organization_id,
        onlyAvailable: true,
      });
    }
    await markExpired(core, grant.id, deps.now());
  }
}
