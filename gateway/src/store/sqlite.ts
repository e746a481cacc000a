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

/** Opens the files (made when absent). Fails with `store_unavailable` when a statement cannot be done. */
export function openSqlite(files: readonly OpenFile[]): Sqlite {
  const worker = new Worker(workerUrl(), { workerData: files });
  const queues = new Map<string, Waiting[]>(files.map(({ name }) => [name, []]));
  let inFlight: Waiting[] | undefined;
  let dead: Error | undefined;
  let closed: (() => void) | undefined;

  const sendNext = (): void => {
    if (inFlight !== undefined || dead !== undefined) return;
    for (const [file, queue] of queues) {
      if (queue.length === 0) continue;
      inFlight = queue.splice(0, MAX_BATCH);
      const statements = inFlight.map(({ statement }) => statement);
      // The thread keeps the process alive only while somebody waits for it.
      worker.ref();
      worker.postMessage({ file, statements } satisfies BatchMessage);
      return;
    }
    worker.unref();
    closed?.();
  };

  const settle = (replies: BatchReply): void => {
    const batch = inFlight ?? [];
    inFlight = undefined;
    for (const [at, waiting] of batch.entries()) {
      const reply = replies[at];
      if (reply === undefined || "error" in reply) waiting.reject(storeError(reply?.error));
      else waiting.resolve(reply);
    }
    sendNext();
  };

  const die = (error: Error): void => {
    dead = error;
    for (const waiting of [...(inFlight ?? []), ...[...queues.values()].flat()]) {
      waiting.reject(storeError(error.message));
    }
    inFlight = undefined;
    closed?.();
  };

  worker.on("message", settle);
  worker.on("error", (error) => die(error instanceof Error ? error : new Error(String(error))));
  worker.unref();

  return {
    run: (file, sql, parameters) =>
      new Promise((resolve, reject) => {
        const queue = queues.get(file);
        if (dead !== undefined || queue === undefined) return reject(storeError(dead?.message));
        queue.push({ statement: { sql, parameters }, resolve, reject });
        // Once this turn of the event loop is over: what else ends in it shares the transaction.
        return queueMicrotask(sendNext);
      }),
    close: async () => {
      if (dead !== undefined) return;
      await new Promise<void>((resolve) => {
        closed = resolve;
        sendNext();
      });
      worker.ref();
      await new Promise<void>((resolve) => {
        worker.once("exit", () => resolve());
        worker.removeListener("message", settle);
        worker.postMessage("close");
      });
    },
  };
}

const storeError = (reason = "closed"): GatewayError =>
  new GatewayError({
    code: "store_unavailable",
    message: `The gateway's data store failed: ${reason}`,
  });

/**
 * The thread's program. Its types are stripped here: a thread that does so itself loads a compiler
 * of its own, 22 MB that are never used again.
 */
function workerUrl(): URL {
  const file = new URL("./sqlite-worker.ts", import.meta.url);
  const program = stripTypeScriptTypes(readFileSync(file, "utf8"));
  return new URL(`data:text/javascript,${encodeURIComponent(program)}`);
}
