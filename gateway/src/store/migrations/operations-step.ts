import { appendOnly, type Step } from "#store/migrations/step.ts";

/** What a chain of audit entries begins with: there is nothing before the first. */
const GENESIS = "0".repeat(64);

/**
 * The audit log: a chain of hashes whose end `audit_head` knows, so that entries missing at the end
 * are noticed, too; and the answers that repeated POSTs of the admin API are given again.
 */
export const OPERATIONS: Step = [
  `CREATE TABLE audit_entries (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, organization_id TEXT,
    actor_kind TEXT NOT NULL, actor_id TEXT, actor_name TEXT NOT NULL, via TEXT NOT NULL,
    action TEXT NOT NULL, target_kind TEXT NOT NULL, target_id TEXT NOT NULL, before_state TEXT,
    after_state TEXT, ip TEXT, request_id TEXT, previous_hash TEXT NOT NULL, hash TEXT NOT NULL
  ) STRICT`,
  "CREATE INDEX audit_entries_organization ON audit_entries (organization_id, seq)",
  ...appendOnly("audit_entries"),
  "CREATE TABLE audit_head (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, hash TEXT NOT NULL)",
  `INSERT INTO audit_head VALUES (1, 0, '${GENESIS}')`,
  `CREATE TABLE idempotent_answers (
    id TEXT PRIMARY KEY, request_hash TEXT NOT NULL, status INTEGER, sealed BLOB,
    created_at INTEGER NOT NULL
  ) STRICT`,
  "CREATE INDEX idempotent_answers_time ON idempotent_answers (created_at)",
];
