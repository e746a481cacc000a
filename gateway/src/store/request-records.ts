import { sql, type CompiledQuery, type Kysely } from "kysely";

import { asObjects, asString } from "#lib/json.ts";
import { inChunks } from "#store/in-chunks.ts";
import { isPostgres, jsonNumber, jsonText } from "#store/json-path.ts";
import type { RecordTables } from "#store/schema.ts";

export type RecordRow = NewRecord & { readonly seq?: number };

/** A record to be kept. */
export type NewRecord = Omit<RecordTables["request_records"], "seq">;

interface Insert {
  readonly query: CompiledQuery;
  /** In the order of the parameters of each row. */
  readonly columns: readonly (keyof NewRecord)[];
}

/** Built once for each number of rows: building costs more than running. */
const inserts = new Map<string, Insert>();

/** Statements that add records; a second one of a request fails. */
export const insertRecords = (
  records: Kysely<RecordTables>,
  rows: readonly NewRecord[],
): readonly CompiledQuery[] =>
  inChunks(rows, (chunk) => {
    const { query, columns } = insertOf(records, chunk);
    const parameters = chunk.flatMap((row) => columns.map((column) => row[column]));
    return { ...query, parameters };
  });

function insertOf(records: Kysely<RecordTables>, rows: readonly NewRecord[]): Insert {
  const name = `${isPostgres(records)} ${rows.length}`;
  const known = inserts.get(name);
  if (known !== undefined) return known;
  const query = records
    .insertInto("request_records")
    .values([...rows])
    .compile();
  const made = { query, columns: Object.keys(rows[0] ?? {}) as (keyof NewRecord)[] };
  inserts.set(name, made);
  return made;
}

/** Statements that note the tags of records, to find them by. */
export const insertTags = (
  records: Kysely<RecordTables>,
  rows: readonly RecordTables["request_tags"][],
): readonly CompiledQuery[] =>
  rows.map((row) =>
    records
      .insertInto("request_tags")
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .compile(),
  );

/** Which model answered a request, and by whose credential. */
export interface AnsweredBy {
  readonly model: string | null;
  readonly isOwnCredential: boolean;
}

/** Of these requests, as far as there are records of them. */
export async function answeredBy(
  records: Kysely<RecordTables>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, AnsweredBy>> {
  const pages = await Promise.all(
    inChunks(ids, (chunk) =>
      records
        .selectFrom("request_records")
        .select(["id", "model_used", "attempts"])
        .where("id", "in", chunk)
        .execute(),
    ),
  );
  return new Map(
    pages.flat().map(({ id, model_used: model, attempts }) => {
      // The one that answered is the last; own credentials are marked.
      const last = asObjects(JSON.parse(attempts)).at(-1);
      const isOwnCredential = asString(last?.["credential"])?.startsWith("byok:") === true;
      return [id, { model, isOwnCredential }];
    }),
  );
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
  project: "project_id",
  team: "team_id",
  user: "end_user",
  task: "task_class",
} as const;

export type UsageGroup = keyof typeof USAGE_GROUPS;

/** Groups that not every request is in. */
const OPTIONAL: ReadonlySet<string> = new Set(["team", "user", "task"]);

/** Sums of the requests of a time (Unix ms, its end excluded), the dearest group first. */
export async function sumUsage(
  records: Kysely<RecordTables>,
  { since, until }: { readonly since: number; readonly until: number },
  by: UsageGroup,
): Promise<readonly UsageRow[]> {
  const column = USAGE_GROUPS[by];
  const rows = await records
    .selectFrom("request_records")
    .where("started_at", ">=", since)
    .where("started_at", "<", until)
    .$if(OPTIONAL.has(by), (all) => all.where(column, "is not", null))
    .groupBy(column)
    .select(({ fn }) => [
      sql<string>`coalesce(${sql.ref(column)}, '-')`.as("group"),
      fn.countAll<number>().as("requests"),
      sql<number>`sum(case when failure is null then 0 else 1 end)`.as("failed"),
      sql<number>`coalesce(sum(input_tokens), 0)`.as("inputTokens"),
      sql<number>`coalesce(sum(output_tokens), 0)`.as("outputTokens"),
      sql<number>`coalesce(sum(cost_nano_usd), 0)`.as("costNanoUsd"),
      sql<number>`sum(case when cost_nano_usd is null then 1 else 0 end)`.as("unpriced"),
    ])
    .orderBy("costNanoUsd", "desc")
    .execute();
  return rows;
}

/** The columns that a request's routing can be judged by. */
export type DecisionRow = Pick<
  RecordRow,
  | "id"
  | "started_at"
  | "operation"
  | "protocol"
  | "model_asked"
  | "model_used"
  | "provider"
  | "failure"
  | "usage"
  | "cost_nano_usd"
  | "first_content_ms"
  | "decision"
>;

const PAGE = 1_000;

/** Requests since a time (Unix ms), oldest first, a page at a time: a month of them fits no memory. */
export async function* decisionPages(
  records: Kysely<RecordTables>,
  since: number,
): AsyncGenerator<readonly DecisionRow[]> {
  for (let after = 0; ;) {
    const rows = await records
      .selectFrom("request_records")
      .select(["seq", "id", "started_at", "operation", "protocol", "model_asked", "model_used"])
      .select(["provider", "failure", "usage", "cost_nano_usd", "first_content_ms", "decision"])
      .where("seq", ">", after)
      .where("started_at", ">=", since)
      .orderBy("seq")
      .limit(PAGE)
      .execute();
    if (rows.length > 0) yield rows;
    if (rows.length < PAGE) return;
    after = rows.at(-1)?.seq ?? after;
  }
}

/** What `auto` would have done beside a model that was named. */
export interface ShadowRow {
  readonly model: string;
  readonly requests: number;
  /** Requests of which both costs are known, and those costs. */
  readonly priced: number;
  readonly costNanoUsd: number;
  readonly autoNanoUsd: number;
  /** Mean predicted quality of both. */
  readonly quality: number;
  readonly autoQuality: number;
}

/** Shadow decisions since a time (Unix ms) by the model that answered, the dearest first. */
export async function sumShadows(
  records: Kysely<RecordTables>,
  since: number,
): Promise<readonly ShadowRow[]> {
  const shadow = (name: string) => jsonNumber(records, "decision", ["shadow", name]);
  const model = jsonText(records, "decision", ["model"]);
  const isPriced = sql`cost_nano_usd is not null and ${shadow("costNanoUsd")} is not null`;
  return records
    .selectFrom("request_records")
    .where("started_at", ">=", since)
    .where(shadow("answeredQuality"), "is not", null)
    .groupBy(model)
    .select(({ fn }) => [
      sql<string>`${model}`.as("model"),
      fn.countAll<number>().as("requests"),
      sql<number>`sum(case when ${isPriced} then 1 else 0 end)`.as("priced"),
      sql<number>`coalesce(sum(case when ${isPriced} then cost_nano_usd end), 0)`.as("costNanoUsd"),
      sql<number>`coalesce(sum(case when ${isPriced} then ${shadow("costNanoUsd")} end), 0)`.as(
        "autoNanoUsd",
      ),
      sql<number>`avg(${shadow("answeredQuality")})`.as("quality"),
      sql<number>`avg(${shadow("quality")})`.as("autoQuality"),
    ])
    .orderBy("costNanoUsd", "desc")
    .execute();
}
