import { ALERTS, ALERT_NAMES } from "#store/migrations/alerts-step.ts";
import { GOVERNANCE } from "#store/migrations/governance-step.ts";
import { LEDGER, LEDGER_SIZE } from "#store/migrations/ledger-step.ts";
import { OPERATIONS } from "#store/migrations/operations-step.ts";
import { PAYMENTS, PAYMENT_REFUNDS } from "#store/migrations/payments-step.ts";
import { PRIVACY } from "#store/migrations/privacy-step.ts";
import type { Step } from "#store/migrations/step.ts";

const KEYS: Step = [
  `CREATE TABLE keys (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL UNIQUE, hint TEXT NOT NULL,
    created_at INTEGER NOT NULL, revoked_at INTEGER
  ) STRICT`,
  `CREATE TABLE stored_responses (
    id TEXT PRIMARY KEY, key_id TEXT NOT NULL, created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, sealed BLOB NOT NULL
  ) STRICT`,
  "CREATE INDEX stored_responses_expiry ON stored_responses (expires_at)",
];

/** Of `turnpike.db`. Released steps are never changed: what they made is in people's files. */
export const CORE_STEPS: readonly Step[] = [
  KEYS,
  GOVERNANCE,
  LEDGER,
  PRIVACY,
  OPERATIONS,
  ALERTS,
  LEDGER_SIZE,
  PAYMENTS,
  PAYMENT_REFUNDS,
  ALERT_NAMES,
];
