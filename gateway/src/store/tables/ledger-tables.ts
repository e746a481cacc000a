import type { Generated } from "kysely";

/** Integers of the store: a number as long as that is exact. Repositories turn them into `bigint`. */
type Amount = number | bigint;

/** What it cost. Amounts are nano-USD. */
export interface LedgerTables {
  ledger_accounts: {
    id: string;
    kind: string;
    organization_id: string | null;
    debits: Amount;
    credits: Amount;
    /** What open holds may still take from it. */
    pending: Amount;
    created_at: number;
  };
  /** Append-only. */
  ledger_transfers: {
    seq: Generated<number>;
    /** Given by whoever asks for it: the same id is never booked twice. */
    id: string;
    at: number;
    kind: string;
    debit_account: string;
    credit_account: string;
    amount: Amount;
    request_id: string | null;
    organization_id: string | null;
    project_id: string | null;
    memo: string | null;
  };
  /** What a budget has used in one period, of one subject where it counts each apart. */
  budget_counters: {
    id: string;
    budget_id: string;
    organization_id: string;
    /** A user, a tag, a model, …; empty where the budget counts all together. */
    subject: string;
    period_start: number;
    /** NULL: a lifetime. */
    period_end: number | null;
    /** Nano-USD or tokens, as the budget counts. */
    used: Amount;
    pending: Amount;
    updated_at: number;
  };
  holds: {
    /** The request's id. */
    id: string;
    state: "open" | "settled" | "voided" | "expired";
    organization_id: string;
    account_id: string | null;
    amount: Amount;
    tokens: number;
    /** JSON: which counters hold how much for it. */
    counters: string;
    /** JSON: what its charge is reckoned from where nobody settles it. */
    facts: string;
    /** The gateway process that answers the request. */
    owner: string;
    /** 1 once a provider was called. */
    dispatched: number;
    delivered_tokens: number;
    charged: Amount | null;
    created_at: number;
    deadline: number;
    ended_at: number | null;
  };
  /** Gateways that hold money, and when each was last there, by the database's clock. */
  ledger_owners: {
    id: string;
    beat_at: number;
  };
  /** Credits that are good for a time only. */
  credit_grants: {
    /** The id of the transfer. */
    id: string;
    account_id: string;
    amount: Amount;
    /** What the account had spent when they were given. */
    debits_before: Amount;
    expires_at: number;
    expired_at: number | null;
  };
  /** Requests that their clients have given a key: each is done once. */
  idempotency_keys: {
    /** Digest of organization, key, method, path and the client's key. */
    id: string;
    body_digest: string;
    request_id: string;
    state: "open" | "done";
    /** The gateway process that answers it. */
    owner: string;
    /** JSON: what a repetition is told. */
    result: string | null;
    created_at: number;
  };
}
