import { sql, type Kysely } from "kysely";

import { lockRollups } from "#store/record-days.ts";
import { listMonths, nextMonth } from "#store/rollup-sums.ts";
import type { RecordTables } from "#store/schema.ts";
import { ROLLUP_SUMS } from "#store/tables/record-tables.ts";

const monthOf = (time: number): number => {
  const date = new Date(time);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
};

/** No request is settled so long after it began. */
const SETTLED_MS = 86_400_000;

/**
 * Sums up the days of each month that has ended; reports over a year then read months. A dimension of
 * an organization at a time: one statement over all would keep everybody waiting.
 */
export async function foldMonths(
  records: Kysely<RecordTables>,
  now: number,
  dimensions: readonly string[],
): Promise<void> {
  const first = await firstDay(records, dimensions);
  if (first === undefined) return;
  const done = new Set(await listMonths(records));
  for (let month = monthOf(first); nextMonth(month) + SETTLED_MS <= now; month = nextMonth(month)) {
    if (!done.has(month)) await foldMonth(records, month, dimensions);
  }
}

/** Makes a month's sums, anew where there are some. */
export async function foldMonth(
  records: Kysely<RecordTables>,
  month: number,
  dimensions: readonly string[],
): Promise<void> {
  for await (const organization of organizations(records)) {
    for (const dimension of dimensions) {
      await foldOne(records, { month, organization, dimension });
    }
  }
  await records
    .insertInto("rollup_months")
    .values({ month })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

interface Folded {
  readonly month: number;
  readonly organization: string;
  readonly dimension: string;
}

async function foldOne(
  records: Kysely<RecordTables>,
  { month, organization, dimension }: Folded,
): Promise<void> {
  const columns = sql.join(ROLLUP_SUMS.map((name) => sql.ref(name)));
  const sums = sql.join(ROLLUP_SUMS.map((name) => sql`cast(sum(${sql.ref(name)}) as bigint)`));
  await records.transaction().execute(async (transaction) => {
    await lockRollups(transaction);
    await sql`delete from usage_rollups where organization_id = ${organization} and dimension = ${dimension} and grain = 'month' and bucket = ${month}`.execute(
      transaction,
    );
    await sql`insert into usage_rollups (organization_id, dimension, grain, bucket, value, ${columns})
      select ${organization}, ${dimension}, 'month', cast(${month} as bigint), value, ${sums} from usage_rollups
      where organization_id = ${organization} and dimension = ${dimension} and grain = 'day'
        and bucket >= ${month} and bucket < ${nextMonth(month)} group by value`.execute(
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
