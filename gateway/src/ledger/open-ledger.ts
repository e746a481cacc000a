import { GatewayError, type Failure } from "#canonical/failure.ts";
import type { Command, Reply, ReplyOf } from "#ledger/commands.ts";
import { ledgerBatch } from "#ledger/ledger-batch.ts";
import { monotonicMs } from "#lib/monotonic-ms.ts";
import type { LedgerProcedure, LedgerStore } from "#store/ledger.ts";
import { isUnavailable, StoreError } from "#store/store-error.ts";

/** The ledger of this process: commands go in, replies come when they would survive a power failure. */
export interface Ledger {
  /**
   * Does a command. Rejects with `store_unavailable` when the store fails or does not answer in time:
   * it may then have been done all the same, and doing it again is safe.
   */
  run<Kind extends Command>(command: Kind): Promise<ReplyOf<Kind>>;
  /** Commands that wait or are being written. */
  readonly waiting: number;
  /** Resolves when nothing waits. */
  idle(): Promise<void>;
}

export interface LedgerOptions {
  readonly store: LedgerStore;
  /** Milliseconds that a command may take. */
  readonly timeoutMs?: number;
  /** Told of each batch: how many commands, and how long they took. */
  readonly onBatch?: (commands: number, ms: number) => void;
  /** Told of what must not be: a command that breaks a rule of the ledger. */
  readonly onFault?: (error: unknown) => void;
}

const MAX_BATCH = 256;
/** Callers are told 503 before their own clients give up; a healthy database takes a millisecond or two. */
const TIMEOUT_MS = 10_000;

interface Waiting {
  readonly command: Command;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
  /** Nobody waits for it any more. */
  over: boolean;
  /** When that is, by `monotonicMs`. */
  readonly until: number;
  readonly timer: NodeJS.Timeout;
}

/**
 * Opens the ledger: commands that come while a batch is being written go together as the next one, so
 * that a hundred requests of the same millisecond cost one commit. A store that groups writes by
 * itself is given them at once.
 */
export const openLedger = (options: LedgerOptions): Ledger => new BatchedLedger(options);

class BatchedLedger implements Ledger {
  readonly #options: LedgerOptions;
  #queue: Waiting[] = [];
  #inFlight = 0;
  #running = false;
  #onIdle: (() => void)[] = [];

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#queue.length + this.#inFlight;
  }

  run<Kind extends Command>(command: Kind): Promise<ReplyOf<Kind>> {
    const timeoutMs = this.#options.timeoutMs ?? TIMEOUT_MS;
    return new Promise<Reply>((resolve, reject) => {
      const waiting: Waiting = {
        command,
        resolve,
        reject,
        over: false,
        until: monotonicMs() + timeoutMs,
        timer: setTimeout(() => {
          waiting.over = true;
          reject(new GatewayError(TOO_SLOW));
        }, timeoutMs),
      };
      this.#queue.push(waiting);
      if (!this.#running) void this.#work();
    }) as Promise<ReplyOf<Kind>>;
  }

  idle(): Promise<void> {
    if (this.waiting === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  async #work(): Promise<void> {
    this.#running = true;
    // What is asked for in the same turn of the event loop goes together.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      // Who was told 503 while waiting must not be charged afterwards.
      const batch = this.#queue.splice(0, MAX_BATCH).filter(({ over }) => !over);
      if (batch.length === 0) continue;
      const written = this.#track(batch);
      if (!this.#options.store.groups) await written;
    }
    this.#running = false;
    this.#tellIdle();
  }

  async #track(batch: readonly Waiting[]): Promise<void> {
    this.#inFlight += batch.length;
    await this.#write(batch);
    this.#inFlight -= batch.length;
    this.#tellIdle();
  }

  #tellIdle(): void {
    if (this.waiting > 0) return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const began = performance.now();
    try {
      const commands = batch.map(({ command }) => command);
      // One of them may have less time than the others, and none may be done when it is over.
      const until = Math.min(...batch.map((waiting) => waiting.until));
      const replies = await this.#options.store.write(BATCH, commands, until);
      for (const [at, waiting] of batch.entries()) {
        clearTimeout(waiting.timer);
        waiting.resolve(replies[at] as Reply);
      }
      this.#options.onBatch?.(batch.length, performance.now() - began);
    } catch (error) {
      // A fault of one command, or of ours, must not fail the others: each by itself finds the one.
      if (batch.length > 1 && isOfOne(error)) {
        for (const one of batch) await this.#write([one]);
        return;
      }
      const isStore = error instanceof GatewayError;
      if (!isStore) this.#options.onFault?.(error);
      const told = isStore ? error : new GatewayError(FAULTY);
      for (const waiting of batch) {
        clearTimeout(waiting.timer);
        waiting.reject(told);
      }
    }
  }
}

/** What the schema refuses is a fault of one, too; a database that failed would fail for each. */
const isOfOne = (error: unknown): boolean =>
  error instanceof StoreError ? !isUnavailable(error) : !(error instanceof GatewayError);

const BATCH: LedgerProcedure<Command, Reply> = {
  work: ledgerBatch,
  module: new URL("./ledger-procedure.ts", import.meta.url),
};

const TOO_SLOW: Failure = {
  code: "store_unavailable",
  message:
    "The ledger does not answer in time. Nothing is let through unaccounted; try again soon.",
  retryAfterMs: 1_000,
};

const FAULTY: Failure = {
  code: "store_unavailable",
  message: "The ledger could not book the request, and nothing was charged. The log says why.",
  retryAfterMs: 1_000,
};
