import { sql, type CompiledQuery, type Kysely } from "kysely";

import { inChunks } from "#store/in-chunks.ts";
import { isPostgres } from "#store/json-path.ts";
import { deletedOf, type TimeRange } from "#store/record-days.ts";
import type { RecordTables } from "#store/schema.ts";
import { ROLLUP_SUMS, type RollupKey } from "#store/tables/record-tables.ts";

/** What is added to a row of the table: its key, and sums in the order of `ROLLUP_SUMS`. */
export interface RollupRow extends RollupKey {
  readonly sums: Float64Array;
}

const KEY = ["organization_id", "dimension", "grain", "bucket", "value"] as const;

const upserts = new Map<string, CompiledQuery>();

/**
 * Statements that add to the sums. In one order always, so that gateways that write at once do not
 * wait for each other in a circle.
 */
export const addToRollups = (
  records: Kysely<RecordTables>,
  rows: readonly RollupRow[],
): readonly CompiledQuery[] =>
  inChunks(rows.toSorted(compare), (chunk) => ({
    ...upsertOf(records, chunk.length),
    parameters: chunk.flatMap((row) => [...KEY.map((name) => row[name]), ...row.sums]),
  }));

function compare(a: RollupKey, b: RollupKey): number {
  for (const name of KEY) {
    if (a[name] < b[name]) return -1;
    if (a[name] > b[name]) return 1;
  }
  return 0;
}

/** Built once for each number of rows: building it costs more than running it. */
function upsertOf(records: Kysely<RecordTables>, count: number): CompiledQuery {
  const name = `${isPostgres(records)} ${count}`;
  const known = upserts.get(name);
  if (known !== undefined) return known;
  const row = Object.fromEntries([...KEY, ...ROLLUP_SUMS].map((column) => [column, 0]));
  const query = records
    .insertInto("usage_rollups")
    .values(Array.from({ length: count }, () => row as unknown as RecordTables["usage_rollups"]))
    .onConflict((conflict) =>
      conflict
        .columns([...KEY])
        .doUpdateSet(
          Object.fromEntries(
            ROLLUP_SUMS.map((sum) => [
              sum,
              sql`${sql.ref(`usage_rollups.${sum}`)} + ${sql.ref(`excluded.${sum}`)}`,
            ]),
          ),
        ),
    )
    .compile();
  upserts.set(name, query);
  return query;
}

/** The values that a dimension of an organization has on a day, at most `limit`. */
export async function listRollupValues(
  records: Kysely<RecordTables>,
  of: Pick<RollupKey, "organization_id" | "dimension" | "bucket">,
  limit: number,
): Promise<readonly string[]> {
  const rows = await records
    .selectFrom("usage_rollups")
    .select("value")
    .where("organization_id", "=", of.organization_id)
    .where("dimension", "=", of.dimension)
    .where("grain", "=", "day")
    .where("bucket", "=", of.bucket)
    .limit(limit)
    .execute();
  return rows.map(({ value }) => value);
}

/** Removes the sums of a day, to be made anew; not those whose records are gone. */
export async function deleteRollupDay(
  records: Kysely<RecordTables>,
  { since, until }: TimeRange,
): Promise<void> {
  await records
    .deleteFrom("usage_rollups")
    .where("grain", "in", ["hour", "day"])
    .where("bucket", ">=", since)
    .where("bucket", "<", until)
    .where("organization_id", "not in", deletedOf(records, since))
    .execute();
}
