import {
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type DatabaseConnection,
  type Dialect,
  type Driver,
} from "kysely";
import type { SQLInputValue } from "node:sqlite";

import type { Sqlite } from "#store/sqlite.ts";

/**
 * The thread orders statements itself. Kysely's own adapter would hold each back until the one before
 * is done: no two would ever share a transaction.
 */
class ThreadAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

/**
 * Kysely over one file of the SQLite thread. Every statement stands alone: what must happen
 * together is written as one statement, for the thread mixes the statements of many requests.
 */
export function workerDialect(sqlite: Sqlite, file: string): Dialect {
  const connection: DatabaseConnection = {
    executeQuery: async ({ sql, parameters }) => {
      const result = await sqlite.run(file, sql, parameters as readonly SQLInputValue[]);
      return {
        rows: result.rows as never[],
        numAffectedRows: BigInt(result.changes),
        insertId: result.lastInsertRowid,
      };
    },
    // eslint-disable-next-line require-yield -- the interface wants a generator; nothing here streams
    async *streamQuery() {
      throw new Error("the SQLite thread does not stream");
    },
  };
  const refuse = async (): Promise<never> => {
    throw new Error("the SQLite thread has no interactive transactions");
  };
  const driver: Driver = {
    init: async () => {},
    acquireConnection: async () => connection,
    releaseConnection: async () => {},
    beginTransaction: refuse,
    commitTransaction: refuse,
    rollbackTransaction: refuse,
    destroy: async () => {},
  };
  return {
    createAdapter: () => new ThreadAdapter(),
    createDriver: () => driver,
    createIntrospector: (database) => new SqliteIntrospector(database),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}
