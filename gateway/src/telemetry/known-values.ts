import type { Kysely } from "kysely";

import type { NewRecord } from "#store/request-records.ts";
import type { RecordTables } from "#store/schema.ts";
import { listRollupValues } from "#store/usage-rollups.ts";
import { dayOf, DIMENSIONS, isBounded, type KnownValues } from "#telemetry/rollup-rows.ts";

/** Values by organization, day and dimension, read from the sums before the first record of a day. */
export interface LoadedValues extends KnownValues {
  load(rows: readonly NewRecord[]): Promise<void>;
}

/** So many organizations' days are held at once; the oldest are read anew when they are needed. */
const MAX_HELD = 2_000;
const MOST_VALUES = 10_000;

/** Each gateway counts for itself: several of them together may name that many times more values. */
export function loadKnownValues(records: Kysely<RecordTables>): LoadedValues {
  const held = new Map<string, ReadonlyMap<string, Set<string>>>();
  const nameOf = (organizationId: string, day: number): string => `${organizationId} ${day}`;
  const loadDay = async (organization_id: string, bucket: number): Promise<void> => {
    const values = await Promise.all(
      DIMENSIONS.filter(isBounded).map(async (dimension) => {
        const of = { organization_id, dimension, bucket };
        const known = await listRollupValues(records, of, MOST_VALUES);
        return [dimension, new Set(known)] as const;
      }),
    );
    held.set(nameOf(organization_id, bucket), new Map<string, Set<string>>(values));
    for (const oldest of held.keys()) {
      if (held.size <= MAX_HELD) break;
      held.delete(oldest);
    }
  };
  return {
    load: async (rows) => {
      const missing = new Map<string, () => Promise<void>>();
      for (const { organization_id, started_at } of rows) {
        const day = dayOf(started_at);
        const name = nameOf(organization_id, day);
        if (!held.has(name)) missing.set(name, () => loadDay(organization_id, day));
      }
      if (missing.size > 0) await Promise.all([...missing.values()].map((load) => load()));
    },
    of: (organizationId, dimension, day) =>
      held.get(nameOf(organizationId, day))?.get(dimension) ?? new Set(),
  };
}
