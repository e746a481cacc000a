import {
  Kysely,
  PostgresDialect,
  PostgresDriver,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
} from "kysely";
import pg from "pg";
import type { Socket } from "node:net";

import type { MigrationTarget } from "#store/migrations/migrate.ts";
import type { CoreTables, RecordTables } from "#store/schema.ts";
import { postgresError, StoreError, TRANSACTION_ENDED } from "#store/store-error.ts";
import { postgresTransact, type Transact } from "#store/transact.ts";

/** One pool for money and settings, one for records, one for reports: those must not keep a request waiting. */
const CONNECTIONS = { core: 10, records: 10, reports: 4 } as const;
const CONNECT_TIMEOUT_MS = 3_000;
/** Who comes within this after a failed connection need not wait for another one to fail. */
const DOWN_MS = 1_000;
/** A database that does not answer for so long is a failed one: callers are told 503. */
const STATEMENT_TIMEOUT_MS = 8_000;
/** A gateway that died within a transaction must not hold the ledger's lock. */
const IDLE_IN_TRANSACTION_MS = 10_000;

const INT8 = 20;
const NUMERIC = 1_700;

/** Integers as the SQLite thread gives them: numbers as long as those are exact. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: "text" | "binary") =>
    oid === INT8 || oid === NUMERIC ? readInteger : pg.types.getTypeParser(oid, format),
};

function readInteger(text: string): number | bigint {
  const number = Number(text);
  return Number.isSafeInteger(number) || text.includes(".") ? number : BigInt(text);
}

/** Kysely's own, with failures in the store's words. */
class Dialect extends PostgresDialect {
  readonly #config: ConstructorParameters<typeof PostgresDriver>[0];
  constructor(config: ConstructorParameters<typeof PostgresDriver>[0]) {
    super(config);
    this.#config = config;
  }
  override createDriver(): Driver {
    return new WordedDriver(this.#config);
  }
}

/**
 * One user's turn with a connection. Statements that come after its transaction has ended (of
 * several that were asked for at once, the first had failed) would be done outside of any
 * transaction, or within another user's.
 */
class Turn implements DatabaseConnection {
  readonly connection: DatabaseConnection;
  hasEnded = false;

  constructor(connection: DatabaseConnection) {
    this.connection = connection;
  }

  async executeQuery<Row>(
    ...query: Parameters<DatabaseConnection["executeQuery"]>
  ): Promise<QueryResult<Row>> {
    if (this.hasEnded) throw new StoreError("unavailable", TRANSACTION_ENDED);
    return inWords(this.connection.executeQuery<Row>(...query));
  }

  streamQuery<Row>(
    ...query: Parameters<DatabaseConnection["streamQuery"]>
  ): AsyncIterableIterator<QueryResult<Row>> {
    return this.connection.streamQuery<Row>(...query);
  }
}

async function inWords<T>(done: Promise<T>): Promise<T> {
  try {
    return await done;
  } catch (error) {
    throw postgresError(error);
  }
}

/** Kysely's driver has a type of its own for connections that it has made, and takes no other. */
type OwnConnection = Parameters<PostgresDriver["releaseConnection"]>[0];
type Settings = Parameters<PostgresDriver["beginTransaction"]>[1];

class WordedDriver extends PostgresDriver {
  #downUntil = 0;

  override async acquireConnection(
    ...options: Parameters<PostgresDriver["acquireConnection"]>
  ): Promise<DatabaseConnection> {
    if (performance.now() < this.#downUntil) throw new StoreError("unavailable", "no connection");
    try {
      return new Turn(await super.acquireConnection(...options));
    } catch (error) {
      this.#downUntil = performance.now() + DOWN_MS;
      throw postgresError(error);
    }
  }

  override async beginTransaction(turn: DatabaseConnection, settings: Settings): Promise<void> {
    await inWords(super.beginTransaction(heldBy(turn, { hasEnded: false }), settings));
  }

  override async commitTransaction(turn: DatabaseConnection): Promise<void> {
    await inWords(super.commitTransaction(heldBy(turn, { hasEnded: true })));
  }

  override async rollbackTransaction(turn: DatabaseConnection): Promise<void> {
    await inWords(super.rollbackTransaction(heldBy(turn, { hasEnded: true })));
  }

  override async releaseConnection(turn: DatabaseConnection): Promise<void> {
    await super.releaseConnection(heldBy(turn, { hasEnded: true }));
  }
}

function heldBy(turn: DatabaseConnection, { hasEnded }: Pick<Turn, "hasEnded">): OwnConnection {
  if (!(turn instanceof Turn)) throw new TypeError("not a connection of this driver");
  turn.hasEnded = hasEnded;
  return turn.connection as OwnConnection;
}

/** Both halves of the store in one Postgres database. */
export interface Postgres {
  readonly core: Kysely<CoreTables>;
  readonly records: Kysely<RecordTables>;
  readonly reports: Kysely<RecordTables>;
  readonly transact: Transact;
  readonly target: MigrationTarget;
  readonly close: () => Promise<void>;
}

export interface PostgresOptions {
  /** Indexes of large tables are made in minutes: migrations wait for them. */
  readonly patient?: boolean;
}

/** Opens pools; connections are made when they are needed. */
export function openPostgres(url: string, { patient = false }: PostgresOptions = {}): Postgres {
  const open = (max: number, more: pg.PoolConfig = {}): pg.Pool =>
    openPool({ connectionString: url, max, ...(patient ? {} : TIMEOUTS), ...more });
  const corePool = open(CONNECTIONS.core);
  const core = new Kysely<CoreTables>({ dialect: new Dialect({ pool: corePool }) });
  const recordPool = open(CONNECTIONS.records);
  const records = new Kysely<RecordTables>({ dialect: new Dialect({ pool: recordPool }) });
  const reportPool = open(CONNECTIONS.reports, { onConnect: planReports });
  const reports = new Kysely<RecordTables>({ dialect: new Dialect({ pool: reportPool }) });
  return {
    core,
    records,
    reports,
    transact: postgresTransact(corePool),
    target: migrationTarget(corePool),
    close: async () => {
      await Promise.all([core.destroy(), records.destroy(), reports.destroy()]);
    },
  };
}

/**
 * How reports are planned. Compiling their 28 sums takes longer than reading their rows; with a
 * disk's price for a page out of order, a month of pairs would be found by reading the whole table;
 * and workers beside the one would take the processors of those who write.
 */
const planReports = async (client: pg.ClientBase): Promise<void> => {
  await client.query(
    "SET jit = off; SET random_page_cost = 1.1; SET max_parallel_workers_per_gather = 0; SET work_mem = '32MB'",
  );
};

const TIMEOUTS: pg.PoolConfig = {
  statement_timeout: STATEMENT_TIMEOUT_MS,
  query_timeout: STATEMENT_TIMEOUT_MS + 500,
  idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
};

function openPool(config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool({
    ...config,
    types,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: "turnpike",
    allowExitOnIdle: true,
    Client: ClosingClient,
  });
  // A connection that breaks while nobody uses it is replaced; unheard, its error would end the process.
  pool.on("error", () => undefined);
  return pool;
}

/**
 * A connection on which a statement was not answered in time is closed. Kept, it would let the
 * ROLLBACK behind that statement wait as long again, and whoever gets it next.
 */
class ClosingClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    // A connection that breaks while a request has it tells that request; unheard, it would end the process.
    this.on("error", () => undefined);
    const query = this.query.bind(this) as (...given: unknown[]) => unknown;
    const closing = (...given: unknown[]): unknown => {
      const result = query(...given);
      if (result instanceof Promise)
        void result.catch((error: unknown) => this.#closeIfLate(error));
      return result;
    };
    this.query = closing as typeof this.query;
  }

  #closeIfLate(error: unknown): void {
    if (error instanceof Error && error.message === "Query read timeout") {
      (this as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
    }
  }
}

/** Steps are counted in a table; whoever migrates holds a lock that keeps a second one away. */
function migrationTarget(pool: pg.Pool): MigrationTarget {
  return {
    dialect: "postgres",
    version: async (part) => {
      const found = await pool.query("SELECT to_regclass('schema_versions') IS NOT NULL AS known");
      if (found.rows[0]?.known !== true) return 0;
      const { rows } = await pool.query("SELECT version FROM schema_versions WHERE part = $1", [
        part,
      ]);
      return Number(rows[0]?.version ?? 0);
    },
    apply: async (part, statements, version) => {
      const client = await pool.connect();
      try {
        await client.query("BEGIN");
        await client.query("SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
        await client.query(
          "CREATE TABLE IF NOT EXISTS schema_versions (part TEXT PRIMARY KEY, version BIGINT NOT NULL)",
        );
        for (const statement of statements) await client.query(statement);
        const noted = await client.query(
          "INSERT INTO schema_versions VALUES ($1, $2) ON CONFLICT (part) DO UPDATE SET version = $2 WHERE schema_versions.version = $2 - 1",
          [part, version],
        );
        if (noted.rowCount !== 1) throw new Error("another process is migrating this database");
        await client.query("COMMIT");
      } catch (error) {
        await client.query("ROLLBACK");
        throw error;
      } finally {
        client.release();
      }
    },
  };
}

/** Any number that is nobody else's. */
const MIGRATION_LOCK = 8_402_001;
