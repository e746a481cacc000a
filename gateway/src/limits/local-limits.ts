import type { Claim, Lease, LimitEnd, Standing, Verdict } from "#limits/claim.ts";
import { SlidingWindow } from "#limits/sliding-window.ts";

/** Counters that nobody asked for so long are forgotten. */
const SWEEP_MS = 61_000;

/** The limits of one gateway, exact: it takes all claims of a request within one turn of the loop. */
export class LocalLimits {
  readonly #now: () => number;
  readonly #windows = new Map<string, SlidingWindow>();
  readonly #running = new Map<string, number>();
  #sweptAt: number;

  /** `now` in Unix milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
    this.#sweptAt = now();
  }

  /** Takes all claims or none. */
  take(claims: readonly Claim[]): Verdict {
    this.#sweep();
    const nowMs = this.#now();
    const standings = claims.map((claim) => this.#standing(claim, nowMs));
    const refused = claims.findIndex(
      ({ amount, limit }, at) => (standings[at]?.used ?? 0) + amount > limit,
    );
    if (refused !== -1) return { standings, refused };
    this.count(claims);
    return { standings };
  }

  /** Counts what was admitted elsewhere. */
  count(claims: readonly Claim[]): void {
    const second = Math.floor(this.#now() / 1000);
    for (const { key, kind, amount } of claims) {
      if (kind === "concurrent") this.#running.set(key, (this.#running.get(key) ?? 0) + amount);
      else this.#window(key).add(amount, second);
    }
  }

  /** Gives back what is not used any more; tokens are corrected to what was used. */
  release({ claims, second }: Pick<Lease, "claims" | "second">, end: LimitEnd): void {
    const tokens = end === "refused" ? 0 : end;
    for (const { key, kind, amount } of claims) {
      if (kind === "concurrent") {
        const left = (this.#running.get(key) ?? 0) - amount;
        if (left > 0) this.#running.set(key, left);
        else this.#running.delete(key);
      } else if (kind === "tokens") this.#correct(key, { by: tokens - amount, second });
      else if (end === "refused") this.#correct(key, { by: -amount, second });
    }
  }

  /** Too much goes back to where it was taken; too little counts from now. */
  #correct(key: string, { by, second }: { by: number; second: number }): void {
    if (by < 0) this.#windows.get(key)?.add(by, second);
    else if (by > 0) this.#window(key).add(by, Math.floor(this.#now() / 1000));
  }

  #standing({ key, kind, amount, limit }: Claim, nowMs: number): Standing {
    if (kind === "concurrent") return { used: this.#running.get(key) ?? 0 };
    const window = this.#windows.get(key);
    if (window === undefined) return { used: 0 };
    const used = window.used(nowMs);
    if (used + amount <= limit || amount > limit) return { used };
    return { used, waitMs: window.waitMs(amount, { limit, nowMs }) };
  }

  #window(key: string): SlidingWindow {
    let window = this.#windows.get(key);
    if (window === undefined) this.#windows.set(key, (window = new SlidingWindow()));
    return window;
  }

  #sweep(): void {
    const nowMs = this.#now();
    if (nowMs - this.#sweptAt < SWEEP_MS) return;
    this.#sweptAt = nowMs;
    for (const [key, window] of this.#windows) {
      if (window.used(nowMs) === 0) this.#windows.delete(key);
    }
  }
}
