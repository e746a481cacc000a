import {
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
} from "kysely";
import type { SQLInputValue } from "node:sqlite";

import { StoreError, TRANSACTION_ENDED } from "#store/store-error.ts";
import type { Sqlite, TransactionId } from "#store/sqlite.ts";

/**
 * The thread orders statements itself. Kysely's own adapter would hold each back until the one before
 * is done: no two would ever share a transaction.
 */
class ThreadAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

/** One user of the file: plain statements, or those of the transaction that it has begun. */
export class ThreadConnection implements DatabaseConnection {
  readonly #sqlite: Sqlite;
  readonly #file: string;
  #transaction: TransactionId | undefined;
  /** Statements that come after its transaction would be done outside of any. */
  #hasEnded = false;

  constructor(sqlite: Sqlite, file: string) {
    this.#sqlite = sqlite;
    this.#file = file;
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    if (this.#hasEnded) throw new StoreError("unavailable", TRANSACTION_ENDED);
    const statement = { sql, parameters: parameters as readonly SQLInputValue[] };
    const result = await this.#sqlite.run(this.#file, statement, this.#transaction);
    return {
      rows: result.rows as Row[],
      numAffectedRows: BigInt(result.changes),
      insertId: result.lastInsertRowid,
    };
  }

  // eslint-disable-next-line require-yield -- the interface wants a generator; nothing here streams
  async *streamQuery(): AsyncGenerator<never> {
    throw new Error("the SQLite thread does not stream");
  }

  async begin(): Promise<void> {
    this.#transaction = await this.#sqlite.begin(this.#file);
    this.#hasEnded = false;
  }

  async end(how: "COMMIT" | "ROLLBACK"): Promise<void> {
    const id = this.#transaction;
    this.#transaction = undefined;
    this.#hasEnded = true;
    if (id !== undefined) await this.#sqlite.end(this.#file, id, how);
  }
}

/**
 * Kysely over one file of the SQLite thread. Statements outside of transactions stand alone: the
 * thread mixes those of many requests.
 */
export function workerDialect(sqlite: Sqlite, file: string): Dialect {
  const driver: Driver = {
    init: async () => {},
    acquireConnection: async () => new ThreadConnection(sqlite, file),
    beginTransaction: (connection) => (connection as ThreadConnection).begin(),
    commitTransaction: (connection) => (connection as ThreadConnection).end("COMMIT"),
    rollbackTransaction: (connection) => (connection as ThreadConnection).end("ROLLBACK"),
    releaseConnection: async () => {},
    destroy: async () => {},
  };
  return {
    createAdapter: () => new ThreadAdapter(),
    createDriver: () => driver,
    createIntrospector: (database) => new SqliteIntrospector(database),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}
