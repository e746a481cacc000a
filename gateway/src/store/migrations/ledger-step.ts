import { appendOnly, type Step } from "#store/migrations/step.ts";

/**
 * What it cost: double entry in nano-USD. An account's balance is `credits - debits`; `pending` is
 * what open holds may still take. Transfers are never changed, and every balance is their replay.
 */
export const LEDGER: Step = [
  `CREATE TABLE ledger_accounts (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, organization_id TEXT,
    debits INTEGER NOT NULL CHECK (debits >= 0), credits INTEGER NOT NULL CHECK (credits >= 0),
    pending INTEGER NOT NULL CHECK (pending >= 0), created_at INTEGER NOT NULL
  ) STRICT`,
  `CREATE TABLE ledger_transfers (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, kind TEXT NOT NULL,
    debit_account TEXT NOT NULL REFERENCES ledger_accounts (id),
    credit_account TEXT NOT NULL REFERENCES ledger_accounts (id),
    amount INTEGER NOT NULL CHECK (amount > 0), request_id TEXT, organization_id TEXT,
    project_id TEXT, memo TEXT
  ) STRICT`,
  "CREATE INDEX ledger_transfers_request ON ledger_transfers (request_id)",
  "CREATE INDEX ledger_transfers_organization ON ledger_transfers (organization_id, seq)",
  ...appendOnly("ledger_transfers"),
  `CREATE TABLE budget_counters (
    id TEXT PRIMARY KEY, budget_id TEXT NOT NULL, organization_id TEXT NOT NULL,
    subject TEXT NOT NULL, period_start INTEGER NOT NULL, period_end INTEGER,
    used INTEGER NOT NULL CHECK (used >= 0), pending INTEGER NOT NULL CHECK (pending >= 0),
    updated_at INTEGER NOT NULL
  ) STRICT`,
  "CREATE INDEX budget_counters_budget ON budget_counters (budget_id, period_start)",
  `CREATE TABLE holds (
    id TEXT PRIMARY KEY, state TEXT NOT NULL CHECK (state IN ('open', 'settled', 'voided', 'expired')),
    organization_id TEXT NOT NULL, account_id TEXT, amount INTEGER NOT NULL CHECK (amount >= 0),
    tokens INTEGER NOT NULL CHECK (tokens >= 0), counters TEXT NOT NULL, facts TEXT NOT NULL,
    owner TEXT NOT NULL, dispatched INTEGER NOT NULL, delivered_tokens INTEGER NOT NULL,
    charged INTEGER CHECK (charged >= 0), created_at INTEGER NOT NULL, deadline INTEGER NOT NULL,
    ended_at INTEGER
  ) STRICT`,
  "CREATE INDEX holds_open ON holds (deadline) WHERE state = 'open'",
  "CREATE INDEX holds_ended ON holds (ended_at)",
  // A gateway says every few seconds that it is there: the holds of one that does not are nobody's.
  "CREATE TABLE ledger_owners (id TEXT PRIMARY KEY, beat_at INTEGER NOT NULL) STRICT",
  `CREATE TABLE credit_grants (
    id TEXT PRIMARY KEY, account_id TEXT NOT NULL, amount INTEGER NOT NULL CHECK (amount > 0),
    debits_before INTEGER NOT NULL, expires_at INTEGER NOT NULL, expired_at INTEGER
  ) STRICT`,
  "CREATE INDEX credit_grants_due ON credit_grants (expires_at) WHERE expired_at IS NULL",
  `CREATE TABLE idempotency_keys (
    id TEXT PRIMARY KEY, body_digest TEXT NOT NULL, request_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'done')), owner TEXT NOT NULL, result TEXT,
    created_at INTEGER NOT NULL
  ) STRICT`,
  "CREATE INDEX idempotency_keys_time ON idempotency_keys (created_at)",
];

/** Holds that are open need not be in an index of those that have ended: each is written once less. */
export const LEDGER_SIZE: Step = [
  "DROP INDEX holds_ended",
  "CREATE INDEX holds_ended ON holds (ended_at) WHERE ended_at IS NOT NULL",
];
