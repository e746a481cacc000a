import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { Worker } from "node:worker_threads";

import { sqliteError, type StoreError } from "#store/store-error.ts";
import { StatementQueue, type Batch } from "#store/statement-queue.ts";
import type {
  BatchReply,
  OpenFile,
  StatementMessage,
  StatementResult,
} from "#store/sqlite-worker.ts";

/** Names a transaction that is under way; its statements alone run on its file until it ends. */
export type TransactionId = symbol;

/** The SQLite files behind their thread. */
export interface Sqlite {
  /**
   * Runs one statement; those asked for while the thread is busy go together as its next
   * transaction. With the id of a transaction that has begun, it runs within that one.
   */
  run(file: string, statement: StatementMessage, within?: TransactionId): Promise<StatementResult>;
  /** Begins a transaction of several statements: resolves when the file is its own. */
  begin(file: string): Promise<TransactionId>;
  /** Commits or undoes it, and lets the others go on. A transaction that has failed cannot be committed. */
  end(file: string, id: TransactionId, how: "COMMIT" | "ROLLBACK"): Promise<void>;
  close(): Promise<void>;
}

/** Opens the files (made when absent). Calls fail with `store_unavailable` when a statement cannot be done. */
export const openSqlite = (files: readonly OpenFile[]): Sqlite => new SqliteThread(files);

class SqliteThread implements Sqlite {
  readonly #worker: Worker;
  readonly #queues: ReadonlyMap<string, StatementQueue>;
  #inFlight: Batch | undefined;
  #dead: Error | undefined;
  #sending = false;
  #closing = false;
  #onIdle: (() => void) | undefined;
  readonly #settle = (replies: BatchReply): void => {
    const batch = this.#inFlight;
    this.#inFlight = undefined;
    batch?.settle(replies, sqliteError);
    this.#sendNext();
  };

  constructor(files: readonly OpenFile[]) {
    this.#queues = new Map(
      files.map(({ name }) => [name, new StatementQueue(() => this.#sendSoon())]),
    );
    this.#worker = new Worker(workerUrl(), { workerData: files });
    this.#worker.on("message", this.#settle);
    this.#worker.on("error", (error) => this.#die(error));
    this.#worker.unref();
  }

  run(file: string, statement: StatementMessage, within?: TransactionId): Promise<StatementResult> {
    const queue = this.#queueOf(file);
    if (queue instanceof Error) return Promise.reject(queue);
    return queue.add(statement, within);
  }

  begin(file: string): Promise<TransactionId> {
    const queue = this.#queueOf(file);
    if (queue instanceof Error) return Promise.reject(queue);
    return queue.begin();
  }

  async end(file: string, id: TransactionId, how: "COMMIT" | "ROLLBACK"): Promise<void> {
    const queue = this.#queueOf(file);
    if (queue instanceof Error) throw queue;
    await queue.end(id, how);
  }

  async close(): Promise<void> {
    if (this.#dead !== undefined) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
      this.#sendNext();
    });
    this.#closing = true;
    this.#worker.ref();
    await new Promise<void>((resolve) => {
      this.#worker.once("exit", () => resolve());
      this.#worker.removeListener("message", this.#settle);
      this.#worker.postMessage("close");
    });
    this.#dead = new Error("closed");
  }

  #queueOf(file: string): StatementQueue | StoreError {
    const queue = this.#queues.get(file);
    return this.#dead !== undefined || queue === undefined
      ? sqliteError(this.#dead?.message)
      : queue;
  }

  /** What is asked for in one turn of the event loop goes together: waking the thread and committing cost most. */
  #sendSoon(): void {
    if (this.#sending) return;
    this.#sending = true;
    setImmediate(() => {
      this.#sending = false;
      this.#sendNext();
    });
  }

  #sendNext(): void {
    if (this.#inFlight !== undefined || this.#dead !== undefined || this.#closing) return;
    for (const [file, queue] of this.#queues) {
      const batch = queue.next();
      if (batch === undefined) continue;
      this.#inFlight = batch;
      // The thread keeps the process alive only while somebody waits for it.
      this.#worker.ref();
      this.#post(file, batch);
      return;
    }
    this.#worker.unref();
    if ([...this.#queues.values()].every((queue) => queue.isIdle)) this.#onIdle?.();
  }

  /** A value that cannot go to another thread fails its batch; thrown here it would end the process. */
  #post(file: string, { statements, inTransaction }: Batch): void {
    try {
      this.#worker.postMessage({ file, statements, inTransaction });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#settle(statements.map(() => ({ error: reason })));
    }
  }

  #die(error: unknown): void {
    this.#dead = error instanceof Error ? error : new Error(String(error));
    const reason = sqliteError(this.#dead.message);
    this.#inFlight?.settle([], () => reason);
    for (const queue of this.#queues.values()) queue.fail(reason);
    this.#inFlight = undefined;
    this.#onIdle?.();
  }
}

/**
 * The thread's program. In a packed release it is JavaScript already. From source its types are
 * stripped here: a thread that does so itself loads a compiler of its own, 22 MB that are never
 * used again.
 */
function workerUrl(): URL {
  if (import.meta.url.endsWith(".js")) return new URL("./sqlite-worker.js", import.meta.url);
  const file = new URL("./sqlite-worker.ts", import.meta.url);
  const program = stripTypeScriptTypes(readFileSync(file, "utf8"));
  return new URL(`data:text/javascript,${encodeURIComponent(program)}`);
}
