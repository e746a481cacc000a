/**
 * The thread that owns the SQLite files: an fsync here does not stall anybody's stream. Takes
 * batches of statements; each batch is one transaction a file, so that a hundred requests that end
 * in the same millisecond cost one commit (group commit).
 */
import { parentPort, workerData } from "node:worker_threads";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";

export interface StatementMessage {
  readonly sql: string;
  readonly parameters: readonly SQLInputValue[];
}

export interface BatchMessage {
  readonly file: string;
  readonly statements: readonly StatementMessage[];
  /**
   * The statements belong to a transaction that they themselves open and end: they run in order as
   * they are, and after one that fails none of the others does.
   */
  readonly inTransaction?: boolean;
}

export interface StatementResult {
  readonly rows: readonly Record<string, unknown>[];
  readonly changes: number;
  readonly lastInsertRowid: bigint;
}

/** One result or error message a statement, in the batch's order. */
export type BatchReply = readonly (StatementResult | { readonly error: string })[];

export interface OpenFile {
  readonly name: string;
  readonly path: string;
  /** FULL for what must survive power loss, NORMAL for what must survive a killed process. */
  readonly synchronous: "FULL" | "NORMAL";
  /** What is deleted is overwritten: erased text and keys must not be found in free pages. */
  readonly secureDelete?: boolean;
}

interface Prepared {
  readonly statement: StatementSync;
  readonly returnsRows: boolean;
}

interface OpenDatabase {
  readonly database: DatabaseSync;
  readonly statements: Map<string, Prepared>;
}

const MAX_PREPARED = 200;
/** 16 MiB of log. A checkpoint waits for the disk, and everybody whose record comes then waits with it. */
const CHECKPOINT_PAGES = 4_096;

const port = parentPort;
if (port === null) throw new Error("sqlite-worker runs as a worker thread only");

const databases = new Map<string, OpenDatabase>();
for (const file of workerData as readonly OpenFile[]) {
  databases.set(file.name, { database: openDatabase(file), statements: new Map() });
}

function openDatabase({ path, synchronous, secureDelete = false }: OpenFile): DatabaseSync {
  try {
    const database = new DatabaseSync(path, { timeout: 5_000 });
    database.exec(
      `PRAGMA journal_mode=WAL; PRAGMA synchronous=${synchronous}; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA secure_delete=${secureDelete ? "ON" : "OFF"}; PRAGMA cache_size=-8000; PRAGMA wal_autocheckpoint=${CHECKPOINT_PAGES};`,
    );
    return database;
  } catch (error) {
    throw new Error(`${path}: ${errorText(error)}`, { cause: error });
  }
}

port.on("message", (message: BatchMessage | "close") => {
  if (message === "close") {
    for (const { database } of databases.values()) database.close();
    port.postMessage("closed");
    port.close();
    return;
  }
  port.postMessage(runBatch(message));
});

function runBatch({ file, statements, inTransaction = false }: BatchMessage): BatchReply {
  const open = databases.get(file);
  if (open === undefined) return statements.map(() => ({ error: `no such file: ${file}` }));
  if (inTransaction) return runInOrder(open, statements);
  if (statements.length === 1) return statements.map((statement) => runOne(open, statement));
  try {
    open.database.exec("BEGIN IMMEDIATE");
  } catch (error) {
    return statements.map(() => ({ error: errorText(error) }));
  }
  // A failed statement changes nothing and leaves the transaction open: the others still count.
  const replies = statements.map((statement) => runOne(open, statement));
  try {
    open.database.exec("COMMIT");
    return replies;
  } catch (error) {
    if (open.database.isTransaction) open.database.exec("ROLLBACK");
    return statements.map(() => ({ error: errorText(error) }));
  }
}

const NOT_RUN = { error: "not run: an earlier statement of its transaction failed" } as const;

function runInOrder(open: OpenDatabase, statements: readonly StatementMessage[]): BatchReply {
  let failed = false;
  return statements.map((statement) => {
    if (failed) return NOT_RUN;
    const reply = runOne(open, statement);
    failed = "error" in reply;
    return reply;
  });
}

function runOne(open: OpenDatabase, { sql, parameters }: StatementMessage): BatchReply[number] {
  try {
    const { statement, returnsRows } = prepared(open, sql);
    if (returnsRows) {
      const rows = statement.all(...parameters) as Record<string, unknown>[];
      for (const row of rows) narrowIntegers(row);
      return { rows, changes: rows.length, lastInsertRowid: 0n };
    }
    const { changes, lastInsertRowid } = statement.run(...parameters);
    return { rows: [], changes: Number(changes), lastInsertRowid: BigInt(lastInsertRowid) };
  } catch (error) {
    return { error: errorText(error) };
  }
}

/** Integers are numbers as long as a number holds them exactly; money beyond that stays a bigint. */
function narrowIntegers(row: Record<string, unknown>): void {
  for (const name in row) {
    const value = row[name];
    if (typeof value !== "bigint") continue;
    const number = Number(value);
    if (Number.isSafeInteger(number)) row[name] = number;
  }
}

function prepared({ database, statements }: OpenDatabase, sql: string): Prepared {
  const known = statements.get(sql);
  if (known !== undefined) return known;
  if (statements.size >= MAX_PREPARED) statements.clear();
  const statement = database.prepare(sql);
  statement.setReadBigInts(true);
  const made = { statement, returnsRows: statement.columns().length > 0 };
  statements.set(sql, made);
  return made;
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
