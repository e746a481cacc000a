import type { Charge, CounterKey } from "#ledger/commands.ts";

/** Amounts are nano-USD. An account's balance is `credits - debits`. */
export interface Account {
  readonly id: string;
  readonly kind: string;
  readonly organizationId: string | null;
  debits: bigint;
  credits: bigint;
  /** What open holds may still take from it. */
  pending: bigint;
  readonly createdAt: number;
}

export interface Counter extends CounterKey {
  /** Nano-USD or tokens, as its budget counts. */
  used: bigint;
  pending: bigint;
  updatedAt: number;
}

export interface HeldCounter {
  readonly id: string;
  readonly amount: bigint;
}

export interface Hold {
  readonly id: string;
  state: "open" | "settled" | "voided" | "expired";
  readonly organizationId: string;
  /** `null`: no wallet bounds it. */
  readonly accountId: string | null;
  readonly amount: bigint;
  /** Output tokens that it was let have. */
  readonly tokens: number;
  readonly counters: readonly HeldCounter[];
  /** What is charged where nobody settles it. */
  fallback: Charge;
  readonly owner: string;
  readonly dispatched: boolean;
  deliveredTokens: number;
  charged: bigint | null;
  readonly createdAt: number;
  readonly deadline: number;
  endedAt: number | null;
}

export interface Transfer {
  readonly id: string;
  readonly at: number;
  readonly kind: string;
  readonly debitAccount: string;
  readonly creditAccount: string;
  readonly amount: bigint;
  readonly requestId: string | null;
  readonly organizationId: string | null;
  readonly projectId: string | null;
  readonly memo: string | null;
}

/** The rows that a batch of commands works on, and which of them it has changed. */
export interface LedgerState {
  readonly accounts: Map<string, Account>;
  readonly counters: Map<string, Counter>;
  readonly holds: Map<string, Hold>;
  /** Accounts and counters that were looked for: of these it is known whether they are there. */
  readonly asked: Set<string>;
  /** Ids that are booked, of those that the batch asks about. */
  readonly booked: Set<string>;
  /** Commands of the batch that want to use what was used before. */
  readonly tooLate: Set<string>;
  readonly changed: {
    readonly accounts: Set<Account>;
    readonly counters: Set<Counter>;
    readonly holds: Set<Hold>;
    readonly transfers: Transfer[];
  };
}

export const emptyState = (): LedgerState => ({
  accounts: new Map(),
  counters: new Map(),
  holds: new Map(),
  asked: new Set(),
  booked: new Set(),
  tooLate: new Set(),
  changed: { accounts: new Set(), counters: new Set(), holds: new Set(), transfers: [] },
});

/** Accounts that are no organization's. */
export const BOOKS = {
  providerCost: "provider-cost",
  loss: "loss",
  grants: "grants",
  adjustments: "adjustments",
  expired: "expired",
  payments: "payments",
} as const;

/** What an organization has paid in and not spent. Its owner may be anybody: an organization, an address. */
export const walletOf = (owner: string): string => `wallet:${owner}`;
/** What a project was charged. */
export const projectAccount = (projectId: string): string => `project:${projectId}`;
/** What a provider is owed. */
export const providerAccount = (provider: string): string => `provider:${provider}`;

/** `wallet:org_1` is a wallet. */
export const kindOf = (accountId: string): string => accountId.split(":", 1)[0] ?? accountId;

export const balanceOf = ({ credits, debits }: Account): bigint => credits - debits;
