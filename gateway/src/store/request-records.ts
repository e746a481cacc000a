import { sql, type CompiledQuery, type Kysely } from "kysely";

import type { RecordTables } from "#store/schema.ts";

export type RecordRow = Omit<RecordTables["request_records"], "seq"> & { readonly seq?: number };

type NewRecord = Omit<RecordTables["request_records"], "seq">;

/** Built once, with the order of its columns: building the statement costs more than running it. */
let insert:
  | { readonly query: CompiledQuery; readonly columns: readonly (keyof NewRecord)[] }
  | undefined;

/** Resolves once the row survives a killed process. */
export async function insertRecord(records: Kysely<RecordTables>, row: NewRecord): Promise<void> {
  insert ??= {
    query: records.insertInto("request_records").values(row).compile(),
    columns: Object.keys(row) as (keyof NewRecord)[],
  };
  const { query, columns } = insert;
  await records.executeQuery({ ...query, parameters: columns.map((column) => row[column]) });
}

export const findRecord = (
  records: Kysely<RecordTables>,
  id: string,
): Promise<RecordRow | undefined> =>
  records.selectFrom("request_records").selectAll().where("id", "=", id).executeTakeFirst();

export interface UsageRow {
  readonly group: string;
  readonly requests: number;
  readonly failed: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costNanoUsd: number;
  readonly unpriced: number;
}

export const USAGE_GROUPS = {
  model: "model_used",
  provider: "provider",
  key: "key_id",
} as const;

/** Sums of the requests since a time (Unix ms), the dearest group first. */
export async function sumUsage(
  records: Kysely<RecordTables>,
  since: number,
  by: keyof typeof USAGE_GROUPS,
): Promise<readonly UsageRow[]> {
  const column = USAGE_GROUPS[by];
  const rows = await records
    .selectFrom("request_records")
    .where("started_at", ">=", since)
    .groupBy(column)
    .select(({ fn }) => [
      sql<string>`coalesce(${sql.ref(column)}, '-')`.as("group"),
      fn.countAll<number>().as("requests"),
      sql<number>`sum(failure is not null)`.as("failed"),
      sql<number>`coalesce(sum(input_tokens), 0)`.as("inputTokens"),
      sql<number>`coalesce(sum(output_tokens), 0)`.as("outputTokens"),
      sql<number>`coalesce(sum(cost_nano_usd), 0)`.as("costNanoUsd"),
      sql<number>`sum(cost_nano_usd is null)`.as("unpriced"),
    ])
    .orderBy("costNanoUsd", "desc")
    .execute();
  return rows;
}
