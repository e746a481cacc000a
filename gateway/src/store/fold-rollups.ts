import { sql, type Kysely } from "kysely";

import { lockRollups } from "#store/record-days.ts";
import { listFolded, periodAfter, periodOf, PERIODS, type Period } from "#store/rollup-periods.ts";
import type { RecordTables } from "#store/schema.ts";
import { ROLLUP_SUMS } from "#store/tables/record-tables.ts";

/** No request is settled so long after it began. */
const SETTLED_MS = 86_400_000;

/**
 * Sums up the days of each month and week that has ended; reports then read those. A dimension of an
 * organization at a time: one statement over all would keep everybody waiting.
 */
export async function foldRollups(
  records: Kysely<RecordTables>,
  now: number,
  dimensions: readonly string[],
): Promise<void> {
  const first = await firstDay(records, dimensions);
  if (first === undefined) return;
  const folded = await listFolded(records);
  for (const period of PERIODS) {
    const done = new Set(folded[period]);
    for (let began = periodOf(period, first); ; began = periodAfter(period, began)) {
      if (periodAfter(period, began) + SETTLED_MS > now) break;
      if (!done.has(began)) await foldPeriod(records, { period, began }, dimensions);
    }
  }
}

/** Makes the sums of periods that have any of these days anew, where there are some. */
export async function refoldDays(
  records: Kysely<RecordTables>,
  days: readonly number[],
  dimensions: readonly string[],
): Promise<void> {
  const folded = await listFolded(records);
  for (const period of PERIODS) {
    const touched = new Set(days.map((day) => periodOf(period, day)));
    for (const began of folded[period]) {
      if (touched.has(began)) await foldPeriod(records, { period, began }, dimensions);
    }
  }
}

interface Began {
  readonly period: Period;
  readonly began: number;
}

async function foldPeriod(
  records: Kysely<RecordTables>,
  { period, began }: Began,
  dimensions: readonly string[],
): Promise<void> {
  for await (const organization of organizations(records)) {
    for (const dimension of dimensions) {
      await foldOne(records, { period, began, organization, dimension });
    }
  }
  await sql`insert into ${sql.table(`rollup_${period}s`)} values (${began}) on conflict do nothing`.execute(
    records,
  );
}

interface FoldedSums extends Began {
  readonly organization: string;
  readonly dimension: string;
}

async function foldOne(
  records: Kysely<RecordTables>,
  { period, began, organization, dimension }: FoldedSums,
): Promise<void> {
  const columns = sql.join(ROLLUP_SUMS.map((name) => sql.ref(name)));
  const sums = sql.join(ROLLUP_SUMS.map((name) => sql`cast(sum(${sql.ref(name)}) as bigint)`));
  await records.transaction().execute(async (transaction) => {
    await lockRollups(transaction);
    await sql`delete from usage_rollups where organization_id = ${organization} and dimension = ${dimension} and grain = ${period} and bucket = ${began}`.execute(
      transaction,
    );
    await sql`insert into usage_rollups (organization_id, dimension, grain, bucket, value, ${columns})
      select ${organization}, ${dimension}, ${sql.lit(period)}, cast(${began} as bigint), value, ${sums} from usage_rollups
      where organization_id = ${organization} and dimension = ${dimension} and grain = 'day'
        and bucket >= ${began} and bucket < ${periodAfter(period, began)} group by value`.execute(
      transaction,
    );
  });
}

/** From one to the next by the primary key: DISTINCT would read all rows. */
async function* organizations(records: Kysely<RecordTables>): AsyncGenerator<string> {
  for (let after: string | undefined; ;) {
    let query = records.selectFrom("usage_rollups").select("organization_id");
    if (after !== undefined) query = query.where("organization_id", ">", after);
    const row = await query.orderBy("organization_id").limit(1).executeTakeFirst();
    if (row === undefined) return;
    after = row.organization_id;
    yield after;
  }
}

async function firstDay(
  records: Kysely<RecordTables>,
  dimensions: readonly string[],
): Promise<number | undefined> {
  const [total = ""] = dimensions;
  let first: number | undefined;
  for await (const organization of organizations(records)) {
    const row = await records
      .selectFrom("usage_rollups")
      .select("bucket")
      .where("organization_id", "=", organization)
      .where("dimension", "=", total)
      .where("grain", "=", "day")
      .orderBy("bucket")
      .limit(1)
      .executeTakeFirst();
    if (row !== undefined) first = Math.min(first ?? row.bucket, row.bucket);
  }
  return first;
}
