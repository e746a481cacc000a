import { CONTENT } from "#store/migrations/content-step.ts";
import { REPORTS, ROLLUP_WEEKS } from "#store/migrations/reports-step.ts";
import type { Step } from "#store/migrations/step.ts";

const RECORDS: Step = [
  `CREATE TABLE request_records (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, started_at INTEGER NOT NULL, key_id TEXT,
    operation TEXT NOT NULL, protocol TEXT NOT NULL, model_asked TEXT NOT NULL, model_used TEXT,
    provider TEXT, upstream_id TEXT, streamed INTEGER NOT NULL, status INTEGER NOT NULL,
    failure TEXT, finish_reason TEXT, attempts TEXT NOT NULL, input_tokens INTEGER,
    output_tokens INTEGER, cache_read_tokens INTEGER, cache_write_tokens INTEGER,
    reasoning_tokens INTEGER, usage TEXT, usage_estimated INTEGER NOT NULL,
    cost_nano_usd INTEGER CHECK (cost_nano_usd >= 0), cost_reason TEXT,
    first_content_ms REAL, total_ms REAL NOT NULL, overhead_ms REAL NOT NULL, session_id TEXT,
    end_user TEXT, tags TEXT, warnings TEXT NOT NULL
  ) STRICT`,
  "CREATE INDEX request_records_time ON request_records (started_at)",
];

const DECISIONS: Step = [
  "ALTER TABLE request_records ADD COLUMN loss_nano_usd INTEGER NOT NULL DEFAULT 0 CHECK (loss_nano_usd >= 0)",
  "ALTER TABLE request_records ADD COLUMN decision TEXT",
];

const FEEDBACK: Step = [
  `CREATE TABLE feedback (
    request_id TEXT PRIMARY KEY, key_id TEXT NOT NULL, organization TEXT NOT NULL,
    created_at INTEGER NOT NULL, score REAL NOT NULL CHECK (score BETWEEN -1 AND 1),
    task_class TEXT, model TEXT, comment BLOB
  ) STRICT`,
  "CREATE INDEX feedback_time ON feedback (created_at)",
  `CREATE TABLE route_posteriors (
    organization TEXT NOT NULL, task_class TEXT NOT NULL, model TEXT NOT NULL,
    good REAL NOT NULL, bad REAL NOT NULL, signalled REAL NOT NULL,
    updated_at INTEGER NOT NULL, PRIMARY KEY (organization, task_class, model)
  ) STRICT`,
];

/** Before there were organizations, all keys were one that had no name of its own. */
const ORGANIZATIONS: Step = [
  "UPDATE feedback SET organization = 'org_default' WHERE organization = 'default'",
  "UPDATE route_posteriors SET organization = 'org_default' WHERE organization = 'default'",
];

/** Of `records.db`. Released steps are never changed: what they made is in people's files. */
export const RECORD_STEPS: readonly Step[] = [
  RECORDS,
  DECISIONS,
  FEEDBACK,
  ORGANIZATIONS,
  REPORTS,
  CONTENT,
  ROLLUP_WEEKS,
];
