/** Runs at most so many pieces of work at once. */
export interface ConcurrencyLimit {
  /** `undefined` at once when too many are waiting already. */
  run<Result>(work: () => Promise<Result>): Promise<Result> | undefined;
}

export function limitConcurrency(atOnce: number, maxWaiting: number): ConcurrencyLimit {
  const waiting: (() => void)[] = [];
  let running = 0;
  /** The place goes to whoever waits longest, and is not free in between. */
  const leave = (): void => {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  };
  return {
    run(work) {
      if (running < atOnce) {
        running += 1;
        return work().finally(leave);
      }
      if (waiting.length >= maxWaiting) return undefined;
      const turn = new Promise<void>((resolve) => waiting.push(resolve));
      return turn.then(work).finally(leave);
    },
  };
}
