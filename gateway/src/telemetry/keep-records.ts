import { setTimeout as sleep } from "node:timers/promises";

import type { Kysely } from "kysely";

import { foldRollups } from "#store/fold-rollups.ts";
import { deleteRecordBatch } from "#store/record-retention.ts";
import type { RecordTables } from "#store/schema.ts";
import { DAY_MS, dayOf, DIMENSIONS } from "#telemetry/rollup-rows.ts";

/** How long an organization's records are kept. */
export interface RecordRetention {
  readonly organizationId: string;
  readonly recordDays: number;
}

/** Between two batches: whoever waits for the store comes in between. */
const PAUSE_MS = 20;

/**
 * Deletes what is older than each organization keeps, whole UTC days only, and sums up months
 * and weeks that have ended. `isStopped` ends it between two batches. Resolves with how many batches were deleted.
 */
export async function keepRecords(
  records: Kysely<RecordTables>,
  {
    now,
    retentions,
    isStopped,
  }: {
    readonly now: number;
    readonly retentions: readonly RecordRetention[];
    readonly isStopped: () => boolean;
  },
): Promise<number> {
  await foldRollups(records, now, DIMENSIONS);
  let batches = 0;
  for (const { organizationId, recordDays } of retentions) {
    const before = dayOf(now - recordDays * DAY_MS);
    while (!isStopped() && (await deleteRecordBatch(records, organizationId, before))) {
      batches += 1;
      await sleep(PAUSE_MS);
    }
  }
  return batches;
}
