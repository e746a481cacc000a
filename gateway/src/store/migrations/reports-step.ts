import type { Step } from "#store/migrations/step.ts";
import { ROLLUP_SUMS } from "#store/tables/record-tables.ts";

const addColumn = (definition: string): string =>
  `ALTER TABLE request_records ADD COLUMN ${definition}`;

const ROLLUPS = `CREATE TABLE usage_rollups (
  organization_id TEXT NOT NULL, dimension TEXT NOT NULL, grain TEXT NOT NULL,
  bucket INTEGER NOT NULL, value TEXT NOT NULL,
  ${ROLLUP_SUMS.map((name) => `${name} INTEGER NOT NULL`).join(", ")},
  PRIMARY KEY (organization_id, dimension, grain, bucket, value))`;

/** An index of the log's pages: what is asked for, then the time; only of rows that have it. */
const logIndex = (column: string): string =>
  `CREATE INDEX request_records_by_${column} ON request_records (organization_id, ${column}, started_at) WHERE ${column} IS NOT NULL`;

/**
 * Whose requests they were, what they were part of, and what they would have cost otherwise; sums by
 * day that outlive the records. Each filter of the log has an index that is in the order of its pages.
 */
export const REPORTS: Step = [
  addColumn("organization_id TEXT NOT NULL DEFAULT 'org_default'"),
  addColumn("team_id TEXT"),
  addColumn("project_id TEXT"),
  addColumn("task_class TEXT"),
  addColumn("conversation TEXT"),
  addColumn("in_tool_loop INTEGER NOT NULL DEFAULT 0"),
  addColumn("charge_nano_usd INTEGER"),
  addColumn("provider_reported_nano_usd INTEGER"),
  addColumn("cache_saved_nano_usd INTEGER NOT NULL DEFAULT 0"),
  addColumn("baseline_nano_usd INTEGER"),
  addColumn("policy TEXT"),
  "UPDATE request_records SET project_id = 'proj_default', charge_nano_usd = cost_nano_usd",
  "CREATE INDEX request_records_by_organization ON request_records (organization_id, started_at)",
  ...[
    "key_id",
    "team_id",
    "project_id",
    "model_used",
    "provider",
    "end_user",
    "task_class",
    "conversation",
  ].map(logIndex),
  "CREATE INDEX request_records_failed ON request_records (organization_id, started_at) WHERE failure IS NOT NULL",
  {
    sqlite: `CREATE TABLE request_tags (
      organization_id TEXT NOT NULL, tag TEXT NOT NULL, started_at INTEGER NOT NULL,
      request_id TEXT NOT NULL, PRIMARY KEY (organization_id, tag, started_at, request_id)
    ) STRICT, WITHOUT ROWID`,
    postgres: `CREATE TABLE request_tags (
      organization_id TEXT NOT NULL, tag TEXT NOT NULL, started_at BIGINT NOT NULL,
      request_id TEXT NOT NULL, PRIMARY KEY (organization_id, tag, started_at, request_id)
    )`,
  },
  "CREATE TABLE rollup_months (month INTEGER PRIMARY KEY) STRICT",
  "CREATE TABLE record_deletions (organization_id TEXT PRIMARY KEY, deleted_before INTEGER NOT NULL) STRICT",
  { sqlite: `${ROLLUPS} STRICT, WITHOUT ROWID`, postgres: ROLLUPS.replaceAll("INTEGER", "BIGINT") },
  // Of one value's days, and of the second halves of a pair.
  "CREATE INDEX usage_rollups_by_value ON usage_rollups (organization_id, dimension, value, bucket)",
];

/**
 * Sums by week; an index of one value's rows that begins at a time. The value comes before the grain:
 * behind it, Postgres would take this index also for all values of some months, a row a page.
 */
export const ROLLUP_WEEKS: Step = [
  "CREATE TABLE rollup_weeks (week INTEGER PRIMARY KEY) STRICT",
  "CREATE INDEX usage_rollups_of_value ON usage_rollups (organization_id, dimension, value, grain, bucket)",
  "DROP INDEX usage_rollups_by_value",
];
