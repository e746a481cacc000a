import type { Step } from "#store/migrations/step.ts";

/**
 * Keys that content and credentials are encrypted with, wrapped: organization keys by the master
 * key, subject keys by their organization's. `subject` is a pseudonym, not a name. What was erased
 * is kept as pseudonyms too, to be erased again from a backup that is restored.
 */
export const PRIVACY: Step = [
  `CREATE TABLE encryption_keys (
    id TEXT PRIMARY KEY, level TEXT NOT NULL CHECK (level IN ('organization', 'subject')),
    organization_id TEXT NOT NULL,
    purpose TEXT NOT NULL CHECK (purpose IN ('content', 'credentials')),
    subject TEXT NOT NULL, epoch INTEGER NOT NULL, wrapped BLOB NOT NULL, wrapped_by TEXT NOT NULL,
    uses INTEGER NOT NULL, created_at INTEGER NOT NULL,
    UNIQUE (organization_id, purpose, level, subject, epoch)
  ) STRICT`,
  "CREATE TABLE erasure_version (id INTEGER PRIMARY KEY, version INTEGER NOT NULL)",
  "INSERT INTO erasure_version VALUES (1, 1)",
  `CREATE TABLE erasures (
    id TEXT PRIMARY KEY, organization_id TEXT NOT NULL, target TEXT NOT NULL,
    requested_at INTEGER NOT NULL, completed_at INTEGER, receipt TEXT
  ) STRICT`,
  `CREATE TABLE signing_keys (
    id TEXT PRIMARY KEY, public_key TEXT NOT NULL, sealed BLOB NOT NULL, created_at INTEGER NOT NULL
  ) STRICT`,
  "ALTER TABLE stored_responses ADD COLUMN organization_id TEXT",
  "ALTER TABLE stored_responses ADD COLUMN project_id TEXT",
  "ALTER TABLE stored_responses ADD COLUMN subject TEXT",
  "ALTER TABLE stored_responses ADD COLUMN encryption_key TEXT",
  "CREATE INDEX stored_responses_subject ON stored_responses (organization_id, subject)",
];
