import type { Step } from "#store/migrations/step.ts";

/** Opt-in text of requests and answers, encrypted. `subject` is a pseudonym, as in `encryption_keys`. */
export const CONTENT: Step = [
  `CREATE TABLE content_log (
    request_id TEXT PRIMARY KEY, organization_id TEXT NOT NULL, project_id TEXT NOT NULL,
    subject TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('kept', 'sealed', 'content_dropped')),
    encryption_key TEXT, request BLOB, answer BLOB
  ) STRICT`,
  "CREATE INDEX content_log_subject ON content_log (organization_id, subject)",
  "CREATE INDEX content_log_project ON content_log (project_id, created_at)",
  "CREATE INDEX content_log_expiry ON content_log (expires_at)",
  `CREATE TABLE content_words (
    organization_id TEXT NOT NULL, word TEXT NOT NULL, request_id TEXT NOT NULL,
    PRIMARY KEY (organization_id, word, request_id)
  ) STRICT`,
  "CREATE INDEX content_words_request ON content_words (request_id)",
  "ALTER TABLE feedback ADD COLUMN encryption_key TEXT",
];
