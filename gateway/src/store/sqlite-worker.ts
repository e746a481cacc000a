/**
 * The thread that owns a SQLite file: an fsync here does not stall anybody's stream. Takes batches of
 * statements; each batch is one transaction, so that a hundred requests that end in the same
 * millisecond cost one commit (group commit). And it runs procedures, where statements depend on
 * what others found: a hop to another thread costs more than a statement. Calls that have come while
 * it was busy go together, and it waits for nobody between two commits.
 */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";

import { monotonicMs } from "#lib/monotonic-ms.ts";

export interface StatementMessage {
  readonly sql: string;
  readonly parameters: readonly SQLInputValue[];
}

/** Values, as they go between threads. */
export type Sent = unknown;

/**
 * What a procedure's module exports as `procedure`: it does the calls that it is given in one
 * transaction, which it fails by throwing, and returns as many results.
 */
export type Procedure = (database: ProcedureDatabase, inputs: readonly never[]) => readonly Sent[];

export interface ProcedureDatabase {
  /** Rows; integers are numbers as long as those are exact. */
  all(sql: string, parameters: readonly SQLInputValue[]): readonly Record<string, unknown>[];
  run(sql: string, parameters: readonly SQLInputValue[]): void;
}

/** Makes a procedure known. Not told with every call: from source its program is in the address. */
export interface ImportMessage {
  readonly procedure: string;
  /** Of its module, as a thread can import it. */
  readonly address: string;
}

export interface CallMessage {
  /** The name under which it was made known. */
  readonly procedure: string;
  readonly calls: readonly Call[];
}

export interface Call {
  readonly input: readonly Sent[];
  /** Nobody waits for it any more then (`monotonicMs`): it is not begun. */
  readonly until?: number | undefined;
}

/** `isFault`: by the procedure, not by the database. */
export type CallReply =
  | { readonly result: Sent }
  | { readonly error: string; readonly isFault: boolean };

/** Of as many calls, in the order in which they came: those that were done together. */
export interface CallReplies {
  readonly calls: readonly CallReply[];
}

export interface BatchMessage {
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
  /** Nothing is written to it by this thread: a second one for what takes long to read. */
  readonly readOnly?: boolean;
}

interface Prepared {
  readonly statement: StatementSync;
  readonly returnsRows: boolean;
}

const MAX_PREPARED = 200;
/** 32 MiB of log: what `sqlite-checkpointer` has left of it is written here, and it begins anew. */
const CHECKPOINT_PAGES = 8_192;

const port = parentPort;
if (port === null) throw new Error("sqlite-worker runs as a worker thread only");

const database = openDatabase(workerData as OpenFile);
const statements = new Map<string, Prepared>();

function openDatabase({ path, synchronous, secureDelete, readOnly }: OpenFile): DatabaseSync {
  try {
    const opened = new DatabaseSync(path, { timeout: 5_000, readOnly: readOnly ?? false });
    if (readOnly === true) {
      // With SQLite's own 2 MB a page of the log reads the same pages of an index again and again.
      opened.exec("PRAGMA cache_size=-32000");
      return opened;
    }
    opened.exec(
      `PRAGMA journal_mode=WAL; PRAGMA synchronous=${synchronous}; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA secure_delete=${secureDelete === true ? "ON" : "OFF"}; PRAGMA cache_size=-8000; PRAGMA wal_autocheckpoint=${CHECKPOINT_PAGES};`,
    );
    return opened;
  } catch (error) {
    throw new Error(`${path}: ${errorText(error)}`, { cause: error });
  }
}

type Message = BatchMessage | ImportMessage | CallMessage | "close";

/** What has come and is not done: while a procedure is imported nothing is. */
const pending: Message[] = [];
let isImporting = false;

port.on("message", (message: Message) => {
  pending.push(message);
  if (!isImporting) handleAll(port);
});

function handleAll(from: MessagePort): void {
  for (let next = take(from); next !== undefined; next = isImporting ? undefined : take(from)) {
    handle(from, next);
  }
}

/** What is next; without waiting for the event loop, which would take as long as a small commit. */
function take(from: MessagePort): Message | undefined {
  const came: { readonly message: Message } | undefined =
    pending.length > 0 ? undefined : receiveMessageOnPort(from);
  return pending.shift() ?? came?.message;
}

function handle(from: MessagePort, message: Message): void {
  if (message === "close") {
    database.close();
    from.postMessage("closed");
    from.close();
  } else if ("address" in message) {
    void importProcedure(from, message);
  } else if ("procedure" in message) {
    callAll(from, message);
  } else {
    from.postMessage(runBatch(message));
  }
}

const procedures = new Map<string, Procedure>();

async function importProcedure(
  from: MessagePort,
  { procedure, address }: ImportMessage,
): Promise<void> {
  isImporting = true;
  try {
    const module = (await import(address)) as { readonly procedure: Procedure };
    procedures.set(procedure, module.procedure);
  } catch (error) {
    // Its calls are told.
    procedures.set(procedure, () => {
      throw new TypeError(errorText(error), { cause: error });
    });
  }
  isImporting = false;
  handleAll(from);
}

/** So many inputs in one transaction: who comes after them must not wait for all that is there. */
const MAX_TOGETHER = 256;

/** Does calls, and those that have come meanwhile, in one transaction. */
function callAll(from: MessagePort, { procedure: name, calls }: CallMessage): void {
  const together = [...calls];
  let inputs = inputsOf(calls);
  while (inputs < MAX_TOGETHER) {
    const next = take(from);
    if (next === undefined) break;
    if (!isCallOf(next, name)) {
      pending.unshift(next);
      break;
    }
    together.push(...next.calls);
    inputs += inputsOf(next.calls);
  }
  from.postMessage({ calls: call(procedureOf(name), together) } satisfies CallReplies);
}

const inputsOf = (calls: readonly Call[]): number =>
  calls.reduce((sum, { input }) => sum + input.length, 0);

const isCallOf = (message: Message, procedure: string): message is CallMessage =>
  message !== "close" && "calls" in message && message.procedure === procedure;

const procedureOf = (name: string): Procedure =>
  procedures.get(name) ??
  (() => {
    throw new TypeError(`no such procedure: ${name}`);
  });

const TOO_LATE: CallReply = { error: "its time was over before it was begun", isFault: false };

function call(procedure: Procedure, calls: readonly Call[]): readonly CallReply[] {
  const now = monotonicMs();
  const isDue = ({ until = Infinity }: Call): boolean => now < until;
  const done = transact(procedure, calls.filter(isDue)).values();
  return calls.map((one) => (isDue(one) ? (done.next().value ?? TOO_LATE) : TOO_LATE));
}

function transact(procedure: Procedure, calls: readonly Call[]): readonly CallReply[] {
  if (calls.length === 0) return [];
  try {
    prepared("BEGIN IMMEDIATE").statement.run();
    const results = procedure(procedureDatabase, calls.map(({ input }) => input) as never[]);
    prepared("COMMIT").statement.run();
    return results.map((result) => ({ result }));
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    const isFault = !isSqliteError(error);
    // The fault of one must not fail the others.
    if (calls.length > 1 && (isFault || isRefusedBySchema(error)))
      return calls.flatMap((one) => transact(procedure, [one]));
    const reply = { error: errorText(error), isFault };
    return calls.map(() => reply);
  }
}

const isSqliteError = (error: unknown): boolean =>
  (error as { code?: unknown }).code === "ERR_SQLITE_ERROR";

/** Of any kind: https://sqlite.org/rescode.html#constraint, extended codes have it in their low byte. */
const CONSTRAINT = 19;

const isRefusedBySchema = (error: unknown): boolean =>
  (((error as { errcode?: number }).errcode ?? 0) & 255) === CONSTRAINT;

const procedureDatabase: ProcedureDatabase = {
  all: (sql, parameters) => {
    const rows = prepared(sql).statement.all(...parameters) as Record<string, unknown>[];
    for (const row of rows) narrowIntegers(row);
    return rows;
  },
  run: (sql, parameters) => void prepared(sql).statement.run(...parameters),
};

function runBatch({ statements: batch, inTransaction = false }: BatchMessage): BatchReply {
  if (inTransaction) return runInOrder(batch);
  if (batch.length === 1) return batch.map(runOne);
  try {
    database.exec("BEGIN IMMEDIATE");
  } catch (error) {
    return batch.map(() => ({ error: errorText(error) }));
  }
  // A failed statement changes nothing and leaves the transaction open: the others still count.
  const replies = batch.map(runOne);
  try {
    database.exec("COMMIT");
    return replies;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    return batch.map(() => ({ error: errorText(error) }));
  }
}

const NOT_RUN = { error: "not run: an earlier statement of its transaction failed" } as const;

function runInOrder(batch: readonly StatementMessage[]): BatchReply {
  let failed = false;
  return batch.map((statement) => {
    if (failed) return NOT_RUN;
    const reply = runOne(statement);
    failed = "error" in reply;
    return reply;
  });
}

function runOne({ sql, parameters }: StatementMessage): BatchReply[number] {
  try {
    const { statement, returnsRows } = prepared(sql);
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

function prepared(sql: string): Prepared {
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
