import type { Kysely, Transaction } from "kysely";

import { dayRows, lockRollups, recordDays } from "#store/record-days.ts";
import { refoldDays } from "#store/fold-rollups.ts";
import type { RecordTables } from "#store/schema.ts";
import { addToRollups, deleteRollupDay } from "#store/usage-rollups.ts";
import { DAY_MS, dayOf, DIMENSIONS, rollupRows, type KnownValues } from "#telemetry/rollup-rows.ts";

interface Rebuilt {
  readonly since: number;
  readonly until: number;
  /** Ends it between two days. */
  readonly isStopped?: () => boolean;
}

/**
 * Makes the sums of reports anew from the records, a UTC day at a time, the newest first; gateways
 * go on meanwhile. Days whose records an organization has deleted stay as they are. Resolves with the
 * number of days.
 */
export async function rebuildRollups(
  records: Kysely<RecordTables>,
  { since, until, isStopped = () => false }: Rebuilt,
): Promise<number> {
  const days = await recordDays(records, { since: dayOf(since), until });
  for (const day of days) {
    if (isStopped()) return 0;
    await records.transaction().execute((transaction) => rebuildDay(transaction, day));
  }
  await refoldDays(records, days, DIMENSIONS);
  return days.length;
}

async function rebuildDay(transaction: Transaction<RecordTables>, day: number): Promise<void> {
  await lockRollups(transaction);
  const kept = { since: day, until: day + DAY_MS };
  await deleteRollupDay(transaction, kept);
  const known = emptyValues();
  for await (const rows of dayRows(transaction, kept)) {
    for (const query of addToRollups(transaction, rollupRows(rows, known))) {
      await transaction.executeQuery(query);
    }
  }
}

function emptyValues(): KnownValues {
  const sets = new Map<string, Set<string>>();
  return {
    of: (organizationId, dimension, day) => {
      const name = `${organizationId} ${dimension} ${day}`;
      const known = sets.get(name) ?? new Set();
      sets.set(name, known);
      return known;
    },
  };
}
