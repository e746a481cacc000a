import { PostgresAdapter, sql, type Kysely, type RawBuilder } from "kysely";

/** Whether it is Postgres that the statements are for. */
export const isPostgres = <Tables>(database: Kysely<Tables>): boolean =>
  database.getExecutor().adapter instanceof PostgresAdapter;

/** The text at a path in a column of JSON; NULL where there is none. Names are the program's own. */
export const jsonText = <Tables>(
  database: Kysely<Tables>,
  column: string,
  path: readonly string[],
): RawBuilder<string | null> =>
  isPostgres(database)
    ? sql`(${sql.ref(column)}::json #>> ${sql.lit(`{${path.join(",")}}`)})`
    : sql`json_extract(${sql.ref(column)}, ${sql.lit(`$.${path.join(".")}`)})`;

/** The number at a path in a column of JSON; NULL where there is none. */
export const jsonNumber = <Tables>(
  database: Kysely<Tables>,
  column: string,
  path: readonly string[],
): RawBuilder<number | null> =>
  isPostgres(database)
    ? sql`(${jsonText(database, column, path)})::double precision`
    : sql`json_extract(${sql.ref(column)}, ${sql.lit(`$.${path.join(".")}`)})`;
