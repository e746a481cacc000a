import type { Kysely } from "kysely";

import { insertRecords, insertTags, type NewRecord } from "#store/request-records.ts";
import { runTogether } from "#store/run-together.ts";
import type { RecordTables } from "#store/schema.ts";
import { isUnavailable, isUnique } from "#store/store-error.ts";
import { addToRollups } from "#store/usage-rollups.ts";
import { loadKnownValues, type LoadedValues } from "#telemetry/known-values.ts";
import { recordRow } from "#telemetry/record-row.ts";
import type { RequestRecord } from "#telemetry/request-record.ts";
import { rollupRows, tagsOf } from "#telemetry/rollup-rows.ts";

/** Keeps a record; resolves when it would survive a killed process. */
export type WriteRecord = (record: RequestRecord) => Promise<void>;

interface Waiting {
  readonly row: NewRecord;
  resolve(): void;
  reject(error: unknown): void;
}

/** So many records go into one transaction: a longer one would keep those behind it waiting. */
const MAX_BATCH = 256;

/**
 * Writes records and the sums of the reports, together or not at all. Records that come while others
 * are written go together as the next transaction: what a hundred requests that end in the same
 * moment add to a sum is added up here and written once.
 */
export function createRecordWriter(records: Kysely<RecordTables>): WriteRecord {
  const known = loadKnownValues(records);
  const waiting: Waiting[] = [];
  let isWriting = false;

  const writeAll = async (): Promise<void> => {
    while (waiting.length > 0) await writeBatch(waiting.splice(0, MAX_BATCH), { records, known });
    isWriting = false;
  };

  return (record) =>
    new Promise((resolve, reject) => {
      waiting.push({ row: recordRow(record), resolve, reject });
      if (isWriting) return;
      isWriting = true;
      // Whoever ends in the same turn of the event loop comes along.
      setImmediate(() => void writeAll());
    });
}

interface Target {
  readonly records: Kysely<RecordTables>;
  readonly known: LoadedValues;
}

/** Never rejects: tells each of them. */
async function writeBatch(
  batch: readonly Waiting[],
  target: Target,
  { isRetry } = { isRetry: false },
): Promise<void> {
  try {
    await writeRows(
      batch.map(({ row }) => row),
      target,
    );
    for (const one of batch) one.resolve();
  } catch (error) {
    const [only] = batch;
    // One that cannot be stored must not take the others with it; where nothing can be, nobody waits on.
    if (batch.length > 1 && !isUnavailable(error))
      for (const one of batch) await writeBatch([one], target, { isRetry: true });
    // The first try did arrive: only its answer was lost.
    else if (isRetry && isUnique(error)) only?.resolve();
    else for (const one of batch) one.reject(error);
  }
}

async function writeRows(rows: readonly NewRecord[], { records, known }: Target): Promise<void> {
  await known.load(rows);
  const sums = rollupRows(rows, known);
  const tags = rows.flatMap(({ tags, organization_id, started_at, id }) =>
    [...tagsOf(tags)].map((tag) => ({ organization_id, tag, started_at, request_id: id })),
  );
  await runTogether(records, [
    ...insertRecords(records, rows),
    ...insertTags(records, tags),
    ...addToRollups(records, sums),
  ]);
}
