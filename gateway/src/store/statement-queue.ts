import type {
  BatchReply,
  Call,
  CallReply,
  StatementMessage,
  StatementResult,
} from "#store/sqlite-worker.ts";

interface Waiting {
  readonly statement: StatementMessage;
  resolve(result: StatementResult): void;
  reject(error: Error): void;
}

/** Statements that go to the thread together. */
export interface Batch {
  readonly message: {
    readonly statements: readonly StatementMessage[];
    readonly inTransaction: boolean;
  };
  /** Tells each of them how it went; a missing reply is a failure. */
  settle(replies: BatchReply, failure: (reason?: string) => Error): void;
}

/** A call of a procedure, which is named by its module. */
export interface WaitingCall {
  readonly procedure: string;
  readonly call: Call;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface OpenTransaction {
  readonly id: symbol;
  readonly waiting: Waiting[];
  /** Its BEGIN has gone to the thread. */
  begun: boolean;
  /** How one of its statements failed: then it can only be undone. */
  failed?: Error;
}

interface Turn {
  readonly id: symbol;
  grant(id: symbol): void;
  reject(error: Error): void;
}

const MAX_BATCH = 256;

const LONE = ["VACUUM", "PRAGMA"] as const;

/** What SQLite does outside of transactions only: copies, and emptying its log. */
const isLone = (one: Waiting | WaitingCall | Turn): boolean =>
  "statement" in one && LONE.some((word) => one.statement.sql.startsWith(word));

/** Whoever holds a transaction this long has lost it: everybody else waits meanwhile. */
const LONGEST_TRANSACTION_MS = 30_000;

/**
 * The statements of one file in their order. Plain ones go in batches; a transaction gets the file to
 * itself from its turn until its end.
 */
export class StatementQueue {
  /** Plain statements, and between them calls and the turns of transactions. */
  readonly #waiting: (Waiting | WaitingCall | Turn)[] = [];
  #open: OpenTransaction | undefined;
  #watchdog: NodeJS.Timeout | undefined;
  readonly #wake: () => void;

  /** `wake` is called whenever there is something to send. */
  constructor(wake: () => void) {
    this.#wake = wake;
  }

  get isIdle(): boolean {
    return this.#waiting.length === 0 && this.#open === undefined;
  }

  add(statement: StatementMessage, within?: symbol): Promise<StatementResult> {
    const open = this.#open;
    return new Promise((resolve, reject) => {
      if (within === undefined) this.#waiting.push({ statement, resolve, reject });
      else if (open?.id !== within) reject(new Error("the transaction is over"));
      else if (open.failed !== undefined) reject(open.failed);
      else open.waiting.push({ statement, resolve, reject });
      this.#wake();
    });
  }

  call(procedure: string, call: Call): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ procedure, call, resolve, reject });
      this.#wake();
    });
  }

  begin(): Promise<symbol> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ id: Symbol("transaction"), grant: resolve, reject });
      this.#wake();
    });
  }

  async end(id: symbol, how: "COMMIT" | "ROLLBACK"): Promise<void> {
    const open = this.#open;
    // Cut by the watchdog: it has been undone already.
    if (open?.id !== id) {
      if (how === "ROLLBACK") return;
      throw new Error("the transaction is over: it took too long");
    }
    if (how === "COMMIT" && open.failed !== undefined) throw open.failed;
    try {
      await new Promise<StatementResult>((resolve, reject) => {
        open.waiting.push({ statement: { sql: how, parameters: [] }, resolve, reject });
        this.#wake();
      });
    } catch (error) {
      // A commit that failed (a full disk) leaves SQLite's transaction open; a BEGIN that failed leaves none.
      if (how === "COMMIT") await this.#undo(open);
      else this.#close(open);
      throw error;
    }
    this.#close(open);
  }

  /** Calls that are next, all of one procedure; none: it is not their turn. */
  nextCalls(): readonly WaitingCall[] {
    const [first] = this.#waiting;
    if (this.#open !== undefined || first === undefined || !("call" in first)) return [];
    const end = this.#waiting.findIndex(
      (one) => !("call" in one) || one.procedure !== first.procedure,
    );
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end) as WaitingCall[];
  }

  /** Statements that are next; `undefined`: none, or a transaction that has nothing to say now. */
  next(): Batch | undefined {
    if (this.#open === undefined) this.#grantTurn();
    const open = this.#open;
    if (open !== undefined) {
      // BEGIN goes with the first statement: waking the thread for it alone would cost as much again.
      const isReady = open.waiting.length > (open.begun ? 0 : 1);
      return isReady ? transactionBatch(open) : undefined;
    }
    const first = this.#waiting[0];
    const end = this.#waiting.findIndex(
      (one, at) => !("statement" in one) || (at > 0 && isLone(one)),
    );
    const most = first !== undefined && isLone(first) ? 1 : MAX_BATCH;
    const count = Math.min(most, end === -1 ? this.#waiting.length : end);
    return count === 0 ? undefined : plainBatch(this.#waiting.splice(0, count) as Waiting[]);
  }

  fail(error: Error): void {
    for (const one of [...this.#waiting.splice(0), ...(this.#open?.waiting ?? [])])
      one.reject(error);
    if (this.#open !== undefined) this.#close(this.#open);
  }

  #grantTurn(): void {
    const [first] = this.#waiting;
    if (first === undefined || !("grant" in first)) return;
    this.#waiting.shift();
    const open: OpenTransaction = { id: first.id, waiting: [], begun: false };
    const begin = { sql: "BEGIN IMMEDIATE", parameters: [] };
    const noted = (error: Error): void => void (open.failed = error);
    open.waiting.push({ statement: begin, resolve: () => undefined, reject: noted });
    this.#open = open;
    this.#watchdog = setTimeout(() => void this.#undo(open), LONGEST_TRANSACTION_MS);
    this.#watchdog.unref();
    first.grant(first.id);
  }

  /** Resolves when SQLite has undone it, or had nothing to undo. */
  #undo(open: OpenTransaction): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#close(open);
        resolve();
      };
      const statement = { sql: "ROLLBACK", parameters: [] };
      open.waiting.push({ statement, resolve: done, reject: done });
      this.#wake();
    });
  }

  #close(open: OpenTransaction): void {
    if (this.#open !== open) return;
    clearTimeout(this.#watchdog);
    this.#open = undefined;
    // Those who waited for it can go on.
    this.#wake();
  }
}

function plainBatch(waiting: readonly Waiting[]): Batch {
  return {
    message: { statements: waiting.map(({ statement }) => statement), inTransaction: false },
    settle: (replies, failure) => void settleAll(waiting, replies, failure),
  };
}

function transactionBatch(open: OpenTransaction): Batch {
  const waiting = open.waiting.splice(0);
  open.begun = true;
  return {
    message: { statements: waiting.map(({ statement }) => statement), inTransaction: true },
    settle: (replies, failure) => {
      const failed = settleAll(waiting, replies, failure);
      if (failed !== undefined) open.failed ??= failed;
    },
  };
}

/** Tells a call how it went. */
export function settleCall(
  { resolve, reject }: WaitingCall,
  reply: CallReply,
  failure: (reason?: string) => Error,
): void {
  if ("result" in reply) resolve(reply.result);
  else reject(reply.isFault ? new Error(reply.error) : failure(reply.error));
}

function settleAll(
  waiting: readonly Waiting[],
  replies: BatchReply,
  failure: (reason?: string) => Error,
): Error | undefined {
  let first: Error | undefined;
  for (const [at, one] of waiting.entries()) {
    const reply = replies[at];
    if (reply !== undefined && !("error" in reply)) {
      one.resolve(reply);
      continue;
    }
    const error = failure(reply?.error);
    first ??= error;
    one.reject(error);
  }
  return first;
}
