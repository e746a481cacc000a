import type { Charge, Command, Ended, Expire } from "#ledger/commands.ts";
import type { Ledger } from "#ledger/open-ledger.ts";
import type { LedgerStore } from "#store/ledger.ts";

/** How far the answer to a held request has come. */
export interface Progress {
  readonly deliveredTokens: number;
  readonly fallback: Charge;
}

/** The holds of this process, and those that processes left behind. */
export interface OpenHolds {
  /** The name under which this process holds money. */
  readonly owner: string;
  /** A request is about to be held. Rejects when this process cannot say that it is there. */
  begin(id: string): Promise<void>;
  /** Looks once a second how far its answer is. */
  meter(id: string, progress: () => Progress): void;
  /** It was settled or released. */
  end(id: string): void;
  /** Does a command in the background until it succeeds: what must be booked although the store fails. */
  doLater(command: Command): void;
  /** Ends what nobody settles. Resolves with how many. */
  sweep(): Promise<number>;
  close(): Promise<void>;
}

export interface OpenHoldsOptions {
  readonly ledger: Ledger;
  readonly store: LedgerStore;
  readonly owner: string;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Told of holds that nobody settled, and of failures. */
  readonly onSwept?: (ended: readonly Ended[]) => void;
  readonly timing?: Partial<HoldTiming>;
}

export interface HoldTiming {
  readonly meterMs: number;
  /** How often a process with holds says that it is there. */
  readonly beatMs: number;
  /** A process that has not said so for so long is taken for dead at the second look. */
  readonly deadMs: number;
  readonly sweepMs: number;
  /** How long after its deadline a hold of this process may still be settled. */
  readonly graceMs: number;
  readonly retryMs: number;
}

/** All holds are resolved within their deadline and 60 s: 15 + 15 + 15 s after their process died. */
const TIMING: HoldTiming = {
  meterMs: 1_000,
  beatMs: 4_000,
  deadMs: 15_000,
  sweepMs: 15_000,
  graceMs: 30_000,
  retryMs: 1_000,
};

/** What is still to be booked when the process ends has this long. */
const CLOSE_MS = 5_000;

export const openHolds = (options: OpenHoldsOptions): OpenHolds => new HoldKeeper(options);

class HoldKeeper implements OpenHolds {
  readonly owner: string;
  readonly #options: OpenHoldsOptions;
  readonly #timing: HoldTiming;
  readonly #open = new Map<string, (() => Progress) | undefined>();
  /** What each metered hold had delivered when it was noted last. */
  readonly #noted = new Map<string, number>();
  readonly #later: Command[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  /** Holds whose process seemed dead at the last look. */
  #suspected = new Set<string>();
  #beatTick = -Infinity;
  #beat: Promise<void> | undefined;
  #retrying: Promise<void> | undefined;

  constructor(options: OpenHoldsOptions) {
    this.#options = options;
    this.owner = options.owner;
    this.#timing = { ...TIMING, ...options.timing };
    const { meterMs, beatMs, sweepMs, retryMs } = this.#timing;
    this.#every(meterMs, () => this.#meterAll());
    this.#every(beatMs, () => (this.#open.size > 0 ? this.#sayHere() : Promise.resolve()));
    this.#every(sweepMs, async () => void (await this.sweep()));
    this.#every(retryMs, () => this.#retry());
  }

  async begin(id: string): Promise<void> {
    this.#open.set(id, undefined);
    // The first hold after a pause: others must not take this process for dead.
    if (performance.now() - this.#beatTick < this.#timing.deadMs / 2) return;
    try {
      await this.#sayHere();
    } catch (error) {
      this.#open.delete(id);
      throw error;
    }
  }

  meter(id: string, progress: () => Progress): void {
    if (this.#open.has(id)) this.#open.set(id, progress);
  }

  end(id: string): void {
    this.#open.delete(id);
    this.#noted.delete(id);
  }

  doLater(command: Command): void {
    this.#later.push(command);
    // At once: who was told to come again soon is not to find what is still to be undone.
    this.#retry().catch(() => undefined);
  }

  async sweep(): Promise<number> {
    const { store, ledger, now, onSwept } = this.#options;
    const { deadMs, graceMs } = this.#timing;
    const [abandoned, overdue] = await Promise.all([
      store.abandonedHolds(this.owner, deadMs),
      store.overdueHolds(this.owner, graceMs),
    ]);
    // Seen dead twice: a database that stood still makes everybody look dead for a moment.
    const dead = abandoned.filter(({ id }) => this.#suspected.has(id)).map(({ id }) => id);
    this.#suspected = new Set(abandoned.map(({ id }) => id));
    const lost = overdue.map(({ id }) => id).filter((id) => !this.#open.has(id));
    const at = now();
    const expired = await Promise.all(
      [...dead, ...lost].map((id) => ledger.run<Expire>({ type: "expire", id, at })),
    );
    if (expired.length > 0) onSwept?.(expired);
    return expired.length;
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    const until = performance.now() + CLOSE_MS;
    while (this.#later.length > 0 && performance.now() < until) await this.#retry();
    await this.#options.ledger.idle();
  }

  #every(ms: number, work: () => Promise<void>): void {
    let busy = false;
    const timer = setInterval(() => {
      if (busy) return;
      busy = true;
      // A store that fails now is told to whoever asks for something; the next turn does it all.
      void work()
        .catch(() => undefined)
        .finally(() => (busy = false));
    }, ms);
    timer.unref();
    this.#timers.push(timer);
  }

  #sayHere(): Promise<void> {
    this.#beat ??= this.#options.store
      .beat(this.owner)
      .then(() => void (this.#beatTick = performance.now()))
      .finally(() => (this.#beat = undefined));
    return this.#beat;
  }

  async #meterAll(): Promise<void> {
    const notes: Promise<unknown>[] = [];
    for (const [id, progress] of this.#open) {
      if (progress === undefined) continue;
      const { deliveredTokens, fallback } = progress();
      if (this.#noted.get(id) === deliveredTokens) continue;
      this.#noted.set(id, deliveredTokens);
      notes.push(this.#options.ledger.run({ type: "meter", id, deliveredTokens, fallback }));
    }
    await Promise.all(notes);
  }

  /** In their order, one turn at a time; what fails stays. */
  #retry(): Promise<void> {
    this.#retrying ??= this.#retryAll().finally(() => (this.#retrying = undefined));
    return this.#retrying;
  }

  async #retryAll(): Promise<void> {
    const { ledger } = this.#options;
    const waiting = [...this.#later];
    const done = await Promise.allSettled(waiting.map((command) => ledger.run(command)));
    const failed = waiting.filter((_command, at) => done[at]?.status === "rejected");
    this.#later.splice(0, waiting.length, ...failed);
    if (failed.length > 0 && failed.length === waiting.length) await pause(this.#timing.retryMs);
  }
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
