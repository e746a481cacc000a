import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { Worker } from "node:worker_threads";

import { GatewayError } from "#canonical/failure.ts";
import type {
  BatchMessage,
  BatchReply,
  OpenFile,
  StatementMessage,
  StatementResult,
} from "#store/sqlite-worker.ts";

interface Waiting {
  readonly statement: StatementMessage;
  resolve(result: StatementResult): void;
  reject(error: Error): void;
}

/** The SQLite files behind their thread. */
export interface Sqlite {
  /** Runs one statement; those asked for while the thread is busy go together as its next transaction. */
  run(
    file: string,
    sql: string,
    parameters: StatementMessage["parameters"],
  ): Promise<StatementResult>;
  close(): Promise<void>;
}

const MAX_BATCH = 256;

/** Opens the files (made when absent). Calls fail with `store_unavailable` when a statement cannot be done. */
export const openSqlite = (files: readonly OpenFile[]): Sqlite => new SqliteThread(files);

class SqliteThread implements Sqlite {
  readonly #worker: Worker;
  /** Statements that wait, by file. */
  readonly #queues: ReadonlyMap<string, Waiting[]>;
  #inFlight: readonly Waiting[] | undefined;
  #dead: Error | undefined;
  #sending = false;
  #onIdle: (() => void) | undefined;
  readonly #settle = (replies: BatchReply): void => {
    const batch = this.#inFlight ?? [];
    this.#inFlight = undefined;
    for (const [at, waiting] of batch.entries()) {
      const reply = replies[at];
      if (reply === undefined || "error" in reply) waiting.reject(storeError(reply?.error));
      else waiting.resolve(reply);
    }
    this.#sendNext();
  };

  constructor(files: readonly OpenFile[]) {
    this.#queues = new Map(files.map(({ name }) => [name, []]));
    this.#worker = new Worker(workerUrl(), { workerData: files });
    this.#worker.on("message", this.#settle);
    this.#worker.on("error", (error) => this.#die(error));
    this.#worker.unref();
  }

  run(
    file: string,
    sql: string,
    parameters: StatementMessage["parameters"],
  ): Promise<StatementResult> {
    return new Promise((resolve, reject) => {
      const queue = this.#queues.get(file);
      if (this.#dead !== undefined || queue === undefined) {
        return reject(storeError(this.#dead?.message));
      }
      queue.push({ statement: { sql, parameters }, resolve, reject });
      return this.#sendSoon();
    });
  }

  async close(): Promise<void> {
    if (this.#dead !== undefined) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
      this.#sendNext();
    });
    this.#worker.ref();
    await new Promise<void>((resolve) => {
      this.#worker.once("exit", () => resolve());
      this.#worker.removeListener("message", this.#settle);
      this.#worker.postMessage("close");
    });
    this.#dead = new Error("closed");
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
    if (this.#inFlight !== undefined || this.#dead !== undefined) return;
    for (const [file, queue] of this.#queues) {
      if (queue.length === 0) continue;
      this.#inFlight = queue.splice(0, MAX_BATCH);
      const statements = this.#inFlight.map(({ statement }) => statement);
      // The thread keeps the process alive only while somebody waits for it.
      this.#worker.ref();
      this.#post({ file, statements });
      return;
    }
    this.#worker.unref();
    this.#onIdle?.();
  }

  /** A value that cannot go to another thread fails its batch; thrown here it would end the process. */
  #post(batch: BatchMessage): void {
    try {
      this.#worker.postMessage(batch);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#settle(batch.statements.map(() => ({ error: reason })));
    }
  }

  #die(error: unknown): void {
    this.#dead = error instanceof Error ? error : new Error(String(error));
    const waiting = [...(this.#inFlight ?? []), ...[...this.#queues.values()].flat()];
    for (const one of waiting) one.reject(storeError(this.#dead.message));
    this.#inFlight = undefined;
    this.#onIdle?.();
  }
}

const storeError = (reason = "closed"): GatewayError =>
  new GatewayError({
    code: "store_unavailable",
    message: `The gateway's data store failed: ${reason}`,
  });

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
