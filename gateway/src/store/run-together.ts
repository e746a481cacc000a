import { CompiledQuery, type DatabaseConnection, type Kysely, type QueryResult } from "kysely";

import { ThreadConnection } from "#store/worker-dialect.ts";

/**
 * Does statements that are known beforehand as one transaction, all or nothing, on SQLite in one trip
 * to its thread. Kysely's own transactions send one after the other, and of several that were asked
 * for at once go on with the rest after the first has failed and all was undone.
 */
export function runTogether<Tables>(
  database: Kysely<Tables>,
  queries: readonly CompiledQuery[],
): Promise<readonly QueryResult<unknown>[]> {
  return database
    .getExecutor()
    .provideConnection((connection) =>
      connection instanceof ThreadConnection
        ? inOneTrip(connection, queries)
        : oneByOne(connection, queries),
    );
}

async function inOneTrip(
  connection: ThreadConnection,
  queries: readonly CompiledQuery[],
): Promise<readonly QueryResult<unknown>[]> {
  await connection.begin();
  const results = Promise.allSettled(queries.map((query) => connection.executeQuery(query)));
  // It goes along. Where a statement before it fails it is not done, and all is undone.
  const [committed] = await Promise.allSettled([connection.end("COMMIT")]);
  const done = (await results).map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
  if (committed.status === "rejected") throw committed.reason;
  return done;
}

async function oneByOne(
  connection: DatabaseConnection,
  queries: readonly CompiledQuery[],
): Promise<readonly QueryResult<unknown>[]> {
  const results: QueryResult<unknown>[] = [];
  try {
    await connection.executeQuery(CompiledQuery.raw("BEGIN"));
    for (const query of queries) results.push(await connection.executeQuery(query));
    await connection.executeQuery(CompiledQuery.raw("COMMIT"));
    return results;
  } catch (error) {
    await connection.executeQuery(CompiledQuery.raw("ROLLBACK")).catch(() => undefined);
    throw error;
  }
}
