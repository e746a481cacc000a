import { setTimeout } from "node:timers/promises";

import { sql } from "kysely";

import { StoreError } from "#store/store-error.ts";
import type { Store } from "#store/store.ts";

const ERASED_TABLES = ["content_log", "content_words", "request_records", "feedback"] as const;

/**
 * Empties what a database keeps of removed rows: SQLite's log is written into the file, whose freed
 * parts are overwritten; Postgres frees the rows, its own log is kept as long as it is set to.
 */
async function compactStore({ dialect, core, records }: Store): Promise<void> {
  if (dialect === "sqlite") {
    for (const database of [core, records]) await emptyLog(database);
    return;
  }
  for (const table of ERASED_TABLES) await sql`VACUUM ${sql.table(table)}`.execute(records);
  for (const table of ["encryption_keys", "stored_responses"]) {
    await sql`VACUUM ${sql.table(table)}`.execute(core);
  }
}

/** It cannot be emptied while a report reads what is in it. */
async function emptyLog(database: Store["core" | "records"]): Promise<void> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const { rows } = await sql<{ busy: number }>`PRAGMA wal_checkpoint(TRUNCATE)`.execute(database);
    if (rows[0]?.busy !== 1) return;
    await setTimeout(RETRY_MS);
  }
  throw new StoreError(
    "unavailable",
    "the log could not be emptied: it is being read all the time",
  );
}

const RETRY_MS = 250;
const MOST_TRIES = 40;

/**
 * How to compact a store: many who ask at once share one run, which begins after they asked. Each by
 * itself would take all connections that there are.
 */
export function createCompactor(store: Store): () => Promise<void> {
  let current: Promise<void> = Promise.resolve();
  let queued: Promise<void> | undefined;
  const run = async (): Promise<void> => {
    await current.catch(() => undefined);
    queued = undefined;
    current = compactStore(store);
    return current;
  };
  return () => (queued ??= run());
}
