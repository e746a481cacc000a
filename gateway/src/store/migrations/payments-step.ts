import type { Step } from "#store/migrations/step.ts";

/** What agents and people have paid in. */
export const PAYMENTS: Step = [
  `CREATE TABLE payments (
    id TEXT PRIMARY KEY, pay_key TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('claimed', 'unknown', 'refused', 'paid', 'credited', 'failed', 'reversed')),
    organization_id TEXT NOT NULL, project_id TEXT, owner TEXT NOT NULL, network TEXT NOT NULL,
    asset TEXT NOT NULL, payer TEXT NOT NULL, pay_to TEXT NOT NULL, amount TEXT NOT NULL,
    nano_usd INTEGER NOT NULL CHECK (nano_usd > 0), facts TEXT NOT NULL, header_digest TEXT NOT NULL,
    request_digest TEXT NOT NULL, transaction_hash TEXT, transfer_ref TEXT UNIQUE, block INTEGER,
    reason TEXT, request_id TEXT, gateway TEXT, valid_before INTEGER NOT NULL,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
  ) STRICT`,
  "CREATE INDEX payments_open ON payments (updated_at) WHERE state IN ('claimed', 'unknown', 'refused', 'paid')",
  "CREATE INDEX payments_to_confirm ON payments (network, updated_at) WHERE state = 'credited' AND block IS NOT NULL",
  "CREATE INDEX payments_organization ON payments (organization_id, id)",
  "CREATE INDEX payments_payer ON payments (payer, id)",
  "CREATE INDEX payments_transaction ON payments (transaction_hash) WHERE transaction_hash IS NOT NULL",
  "CREATE INDEX payments_owner ON payments (owner, created_at)",
  // An address reads its own account: not through all of the organization that serves it.
  "CREATE INDEX ledger_transfers_wallet_debits ON ledger_transfers (debit_account, seq) WHERE debit_account LIKE 'wallet:0x%'",
  "CREATE INDEX ledger_transfers_wallet_credits ON ledger_transfers (credit_account, seq) WHERE credit_account LIKE 'wallet:0x%'",
  "CREATE TABLE wallet_nonces (nonce TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT",
  "CREATE INDEX wallet_nonces_expiry ON wallet_nonces (expires_at)",
];

/** What payment services were asked to give back. */
export const PAYMENT_REFUNDS: Step = [
  `CREATE TABLE payment_refunds (
    id TEXT PRIMARY KEY, payment_id TEXT NOT NULL, number INTEGER NOT NULL, organization_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('claimed', 'taken', 'sent', 'returning', 'refunded', 'failed')),
    nano_usd INTEGER NOT NULL CHECK (nano_usd > 0), reason TEXT,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    UNIQUE (payment_id, number), UNIQUE (payment_id, idempotency_key)
  ) STRICT`,
  "CREATE INDEX payment_refunds_open ON payment_refunds (updated_at) WHERE state NOT IN ('refunded', 'failed')",
  "CREATE INDEX payment_refunds_organization ON payment_refunds (organization_id, id)",
];
