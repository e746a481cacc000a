import type { Claim, Lease, LimitEnd } from "#limits/claim.ts";
import { once, takeAlone, type Limiter, type Taking } from "#limits/limiter.ts";
import type { LocalLimits } from "#limits/local-limits.ts";
import type { ValkeyLimits } from "#limits/valkey-limits.ts";

interface SharedLimiterOptions {
  readonly local: LocalLimits;
  readonly shared: ValkeyLimits;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Told once each time: `false`, the gateway's own limits are in force. */
  readonly onShared?: (isShared: boolean, reason?: string) => void;
}

/** A server that takes longer is as good as gone: requests do not wait for it. */
const SLOWEST_MS = 50;
/** After that it is left alone for so long. */
const PAUSE_MS = 1_000;

/** Limits that all gateways of one Valkey share, and this one's own while that is away. */
export class SharedLimiter implements Limiter {
  readonly #options: SharedLimiterOptions;
  #isShared = true;
  #pausedUntil = 0;

  constructor(options: SharedLimiterOptions) {
    this.#options = options;
  }

  take(id: string, claims: readonly Claim[]): Taking | Promise<Taking> {
    return this.#options.now() < this.#pausedUntil
      ? takeAlone(claims, this.#options)
      : this.#takeShared(id, claims);
  }

  async #takeShared(id: string, claims: readonly Claim[]): Promise<Taking> {
    const asked = this.#options.shared.take(id, claims);
    try {
      const { second, ...verdict } = await within(SLOWEST_MS, asked);
      this.#note(true);
      if (verdict.refused !== undefined) return verdict;
      return { ...verdict, release: this.#counted({ id, claims, second }) };
    } catch (error) {
      this.#note(false, error instanceof Error ? error.message : "");
      const late = asked.then(
        ({ second, refused }) => (refused === undefined ? { id, claims, second } : undefined),
        // A server that is gone has taken nothing.
        () => undefined,
      );
      return this.#takenLate(takeAlone(claims, this.#options), late);
    }
  }

  /** Counted here too, so that the gateway knows what was used when Valkey goes. */
  #counted(lease: Lease): (end: LimitEnd) => void {
    const { local, now } = this.#options;
    const own = { claims: lease.claims, second: Math.floor(now() / 1000) };
    local.count(lease.claims);
    return once((end) => {
      local.release(own, end);
      this.#giveBack(lease, end);
    });
  }

  /** What a slow server took after all is held as long as the request, or given back at once. */
  #takenLate({ release, ...verdict }: Taking, late: Promise<Lease | undefined>): Taking {
    const giveBackLate = (end: LimitEnd): void => {
      void late.then((lease) => lease && this.#giveBack(lease, end));
    };
    if (release === undefined) {
      giveBackLate("refused");
      return verdict;
    }
    return {
      ...verdict,
      release: once((end) => {
        release(end);
        giveBackLate(end);
      }),
    };
  }

  #giveBack(lease: Lease, end: LimitEnd): void {
    // A place that is not given back is over with its lease.
    this.#options.shared.release(lease, end).catch(() => undefined);
  }

  #note(works: boolean, reason?: string): void {
    if (!works) this.#pausedUntil = this.#options.now() + PAUSE_MS;
    if (works === this.#isShared) return;
    this.#isShared = works;
    this.#options.onShared?.(works, reason);
  }
}

/** So many turns of the event loop share the time. */
const TURNS = 5;

/**
 * Rejects when the answer takes longer. A process that is busy itself finds the timer over before it
 * has read what came in long ago: so the time is waited in several turns, each of which reads.
 */
function within<Value>(ms: number, promise: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    let turns = TURNS;
    const turn = (): void => {
      turns--;
      if (turns > 0) timer = setTimeout(turn, ms / TURNS);
      else reject(new Error(`no answer within ${ms} ms`));
    };
    let timer = setTimeout(turn, ms / TURNS);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
