/**
 * A minute is counted in buckets of a second. A bucket counts until all of it is a minute old: never
 * are more than the limit admitted in any sixty seconds, and an amount is free at most a second later
 * than it could be. (A token bucket would admit twice the limit in the minute after a pause.)
 */
export const WINDOW_SECONDS = 60;

/** Counts amounts of the last minute. */
export class SlidingWindow {
  /** Ascending; parallel to `#amounts`. */
  readonly #seconds: number[] = [];
  readonly #amounts: number[] = [];
  #used = 0;

  used(nowMs: number): number {
    this.#forget(nowMs);
    return this.#used;
  }

  /** Adds an amount to a second's bucket: that of now, or of earlier where an estimate is corrected. */
  add(amount: number, second: number): void {
    const last = this.#seconds.length - 1;
    const at = this.#seconds[last] === second ? last : this.#seconds.lastIndexOf(second);
    if (at !== -1) this.#amounts[at] = (this.#amounts[at] ?? 0) + amount;
    else if (second > (this.#seconds[last] ?? -Infinity)) {
      this.#seconds.push(second);
      this.#amounts.push(amount);
    } else return;
    this.#used += amount;
  }

  /** Milliseconds until the amount fits under the limit. */
  waitMs(amount: number, { limit, nowMs }: { limit: number; nowMs: number }): number {
    this.#forget(nowMs);
    let left = this.#used;
    for (const [at, second] of this.#seconds.entries()) {
      if (left + amount <= limit) break;
      left -= this.#amounts[at] ?? 0;
      if (left + amount <= limit) return (second + WINDOW_SECONDS + 1) * 1000 - nowMs;
    }
    return 0;
  }

  #forget(nowMs: number): void {
    const oldest = Math.floor(nowMs / 1000) - WINDOW_SECONDS;
    while (this.#seconds.length > 0 && (this.#seconds[0] ?? oldest) < oldest) {
      this.#seconds.shift();
      this.#used -= this.#amounts.shift() ?? 0;
    }
  }
}
