import { stat } from "node:fs/promises";
import { Worker } from "node:worker_threads";

import { sqliteError } from "#store/store-error.ts";
import { settleCall, StatementQueue } from "#store/statement-queue.ts";
import type { Batch, WaitingCall } from "#store/statement-queue.ts";
import type {
  BatchReply,
  Call,
  CallMessage,
  CallReplies,
  OpenFile,
  StatementMessage,
  StatementResult,
} from "#store/sqlite-worker.ts";
import { threadModule } from "#store/thread-module.ts";

/** Names a transaction that is under way; its statements alone run on its file until it ends. */
export type TransactionId = symbol;

/** SQLite files, each behind a thread of its own: a report must not keep money waiting. */
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
  /**
   * Runs the procedure of a module (see `sqlite-worker.ts`) on its thread, in one transaction with
   * the calls of it that come while the thread is busy. Rejects with its own words when it throws:
   * then nothing was done.
   */
  call(file: string, module: URL, call: Call): Promise<unknown>;
  close(): Promise<void>;
}

/** Opens the files (made when absent). Calls fail with `store_unavailable` when a statement cannot be done. */
export function openSqlite(files: readonly OpenFile[]): Sqlite {
  const threads = new Map<string, SqliteThread>();
  const open = (file: OpenFile): SqliteThread => {
    const thread = new SqliteThread(file);
    threads.set(file.name, thread);
    return thread;
  };
  for (const file of files) if (file.readOnly !== true) open(file);
  const written = files.filter(({ readOnly }) => readOnly !== true);
  const stops = written.map(({ path }) => keepLogShort(path));
  let isClosed = false;
  const queueOf = (name: string): StatementQueue => {
    const file = files.find((one) => one.name === name);
    if (file === undefined) throw sqliteError(`no such file: ${name}`);
    // Those that only read begin when they are needed first: 5 MB each.
    const thread = threads.get(name) ?? (isClosed ? undefined : open(file));
    if (thread === undefined) throw sqliteError();
    return thread.queue();
  };
  return {
    run: async (file, statement, within) => queueOf(file).add(statement, within),
    begin: async (file) => queueOf(file).begin(),
    end: async (file, id, how) => queueOf(file).end(id, how),
    call: async (file, module, call) => queueOf(file).call(module.href, call),
    close: async () => {
      isClosed = true;
      await Promise.all(stops.map((stop) => stop()));
      await Promise.all([...threads.values()].map((thread) => thread.close()));
    },
  };
}

/** From source a module is put together once. */
const addresses = new Map<string, string>();

function addressOf(module: URL): string {
  let address = addresses.get(module.href);
  if (address === undefined) {
    address = threadModule(module).href;
    addresses.set(module.href, address);
  }
  return address;
}

/** Beyond this a busy file's log is written into it by a thread of its own. */
const BUSY_LOG_BYTES = 8 * 1024 * 1024;
const LOOK_MS = 1_000;

/** Looks once a second whether a file is busy, and begins to write its log into it where it is. */
function keepLogShort(path: string): () => Promise<void> {
  let worker: Worker | undefined;
  const look = async (): Promise<void> => {
    const { size } = await stat(`${path}-wal`);
    if (size < BUSY_LOG_BYTES || worker !== undefined) return;
    const program = new URL(addressOf(new URL("./sqlite-checkpointer.ts", import.meta.url)));
    worker = new Worker(program, { workerData: path, resourceLimits: SMALL });
    worker.unref();
    // Without it the owner of the file writes its log itself.
    worker.on("error", () => undefined);
    worker.once("exit", () => (worker = undefined));
  };
  // A log that is not there is short.
  const timer = setInterval(() => void look().catch(() => undefined), LOOK_MS);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await worker?.terminate();
  };
}

const SMALL = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 } as const;

class SqliteThread {
  readonly #worker: Worker;
  readonly #queue = new StatementQueue(() => this.#sendSoon());
  #inFlight: Batch | undefined;
  /** Calls that the thread has, in their order. */
  readonly #calls: WaitingCall[] = [];
  /** Procedures that it knows. */
  readonly #known = new Set<string>();
  #dead: Error | undefined;
  #sending = false;
  #closing = false;
  #onIdle: (() => void) | undefined;
  readonly #settle = (reply: BatchReply | CallReplies): void => {
    if ("calls" in reply) {
      const done = this.#calls.splice(0, reply.calls.length);
      for (const [at, one] of reply.calls.entries()) {
        const call = done[at];
        if (call !== undefined) settleCall(call, one, sqliteError);
      }
    } else {
      const batch = this.#inFlight;
      this.#inFlight = undefined;
      batch?.settle(reply, sqliteError);
    }
    this.#sendNext();
  };

  constructor(file: OpenFile) {
    const program = new URL(addressOf(new URL("./sqlite-worker.ts", import.meta.url)));
    this.#worker = new Worker(program, { workerData: file });
    this.#worker.on("message", this.#settle);
    this.#worker.on("error", (error) => this.#die(error));
    this.#worker.unref();
  }

  /** Where its statements wait. Throws when the thread is no more. */
  queue(): StatementQueue {
    if (this.#dead !== undefined) throw sqliteError(this.#dead.message);
    return this.#queue;
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
    // What was asked for since nothing waited any more is told, too: nobody else would.
    this.#die(new Error("closed"));
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
    if (this.#dead !== undefined || this.#closing) return;
    this.#sendCalls();
    if (this.#inFlight === undefined) {
      this.#sendStatements();
      this.#sendCalls();
    }
    if (this.#inFlight !== undefined || this.#calls.length > 0) return;
    this.#worker.unref();
    if (this.#queue.isIdle) this.#onIdle?.();
  }

  /** Calls go though the thread is busy: it does all that have come with its next commit, and never waits for us. */
  #sendCalls(): void {
    const calls = this.#queue.nextCalls();
    const [first] = calls;
    if (first === undefined) return;
    const { procedure } = first;
    if (!this.#known.has(procedure)) {
      this.#known.add(procedure);
      this.#worker.postMessage({ procedure, address: addressOf(new URL(procedure)) });
    }
    this.#calls.push(...calls);
    this.#post({ procedure, calls: calls.map(({ call }) => call) }, (error) => {
      for (const one of this.#calls.splice(-calls.length)) one.reject(error);
    });
  }

  /** Statements wait for those before them: so many go together. */
  #sendStatements(): void {
    const batch = this.#queue.next();
    if (batch === undefined) return;
    this.#inFlight = batch;
    this.#post(batch.message, (error) => {
      this.#inFlight = undefined;
      batch.settle([], () => error);
    });
  }

  /** A value that cannot go to another thread fails what it belongs to; thrown here it would end the process. */
  #post(message: Batch["message"] | CallMessage, fail: (error: Error) => void): void {
    // The thread keeps the process alive only while somebody waits for it.
    this.#worker.ref();
    try {
      this.#worker.postMessage(message);
    } catch (error) {
      fail(sqliteError(error instanceof Error ? error.message : String(error)));
      this.#sendSoon();
    }
  }

  #die(error: unknown): void {
    this.#dead = error instanceof Error ? error : new Error(String(error));
    const reason = sqliteError(this.#dead.message);
    this.#inFlight?.settle([], () => reason);
    for (const one of this.#calls.splice(0)) one.reject(reason);
    this.#queue.fail(reason);
    this.#inFlight = undefined;
    this.#onIdle?.();
  }
}
