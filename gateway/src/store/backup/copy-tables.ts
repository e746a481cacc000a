import { sql, type Kysely } from "kysely";

/** Any half of a store; which tables it has is read from itself. */
export type AnyTables = Kysely<Record<string, Record<string, unknown>>>;

interface Table {
  readonly name: string;
  readonly columns: readonly string[];
  /** What its pages are told apart by. */
  readonly primaryKey: readonly string[];
}

export interface Copying {
  readonly from: AnyTables;
  readonly to: AnyTables;
  /** Whichever of the two is SQLite: the schema is the same in both, and it can be asked. */
  readonly sqlite: AnyTables;
}

const PAGE = 500;

/**
 * Copies all rows of one half into one that has the schema and nothing else than what its migrations
 * put there; resolves with how many.
 */
export async function copyTables({ from, to, sqlite }: Copying): Promise<number> {
  const tables = await tablesOf(sqlite);
  // In their order of making, so that what rows refer to is there before them.
  for (const { name } of tables.toReversed()) await emptyTable(to, name);
  let copied = 0;
  for (const table of tables) copied += await copyTable({ from, to }, table);
  return copied;
}

async function tablesOf(sqlite: AnyTables): Promise<readonly Table[]> {
  const { rows } = await sql<{ name: string }>`
    select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by rowid
  `.execute(sqlite);
  return Promise.all(rows.map(({ name }) => describeTable(sqlite, name)));
}

async function describeTable(sqlite: AnyTables, name: string): Promise<Table> {
  const { rows } = await sql<{ name: string; pk: number }>`
    select name, pk from pragma_table_info(${name}) order by cid
  `.execute(sqlite);
  const keyed = rows.filter(({ pk }) => pk > 0).toSorted((a, b) => a.pk - b.pk);
  return {
    name,
    columns: rows.map((column) => column.name),
    primaryKey: keyed.map((column) => column.name),
  };
}

/** An append-only table cannot be emptied, and needs not: migrations put nothing there. */
async function emptyTable(to: AnyTables, name: string): Promise<void> {
  const first = await to.selectFrom(name).selectAll().limit(1).executeTakeFirst();
  if (first !== undefined) await to.deleteFrom(name).execute();
}

async function copyTable(
  { from, to }: Pick<Copying, "from" | "to">,
  { name, columns, primaryKey }: Table,
): Promise<number> {
  let copied = 0;
  for (let last: Record<string, unknown> | undefined; ;) {
    let page = from
      .selectFrom(name)
      .select([...columns])
      .limit(PAGE);
    for (const column of primaryKey) page = page.orderBy(column);
    if (last !== undefined) page = page.where(isBehind(primaryKey, last));
    const rows = await page.execute();
    if (rows.length > 0) await to.insertInto(name).values(rows).execute();
    copied += rows.length;
    if (rows.length < PAGE) return copied;
    last = rows.at(-1);
  }
}

function isBehind(primaryKey: readonly string[], row: Record<string, unknown>) {
  const names = sql.join(primaryKey.map((column) => sql.ref(column)));
  const values = sql.join(primaryKey.map((column) => row[column]));
  return sql<boolean>`(${names}) > (${values})`;
}

/** Rows brought their own numbers: Postgres goes on counting behind them. */
export async function continueSequences(postgres: AnyTables): Promise<void> {
  const { rows } = await sql<{ table: string; column: string }>`
    select table_name as "table", column_name as "column" from information_schema.columns
    where is_identity = 'YES' and table_schema = current_schema()
  `.execute(postgres);
  for (const { table, column } of rows) {
    await sql`select setval(pg_get_serial_sequence(${table}, ${column}), greatest(1, (select coalesce(max(${sql.ref(column)}), 0) from ${sql.table(table)})))`.execute(
      postgres,
    );
  }
}
