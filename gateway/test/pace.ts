/**
 * Time, measured so that a busy machine does not decide: the least of some runs is what the code
 * needs, and how the need grows with the input is the same on every machine.
 */
async function timed(work: () => unknown): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

/** The least of what up to five runs measured; the first within the bound ends the search. */
export async function leastOf(within: number, measure: () => Promise<number>): Promise<number> {
  let least = Infinity;
  for (let run = 0; run < 5 && least >= within; run++) least = Math.min(least, await measure());
  return least;
}

/** The least milliseconds of up to five runs. */
export const leastMs = (within: number, work: () => unknown): Promise<number> =>
  leastOf(within, () => timed(work));

/**
 * How many times longer the work takes with ten times the input: about 10 where it is linear, about
 * 100 where it is quadratic. Least times of two runs each, in turns, after one that warms up.
 */
export async function growthOfTenfold(
  size: number,
  work: (size: number) => unknown,
): Promise<number> {
  await work(size);
  let [small, large] = [Infinity, Infinity];
  for (let run = 0; run < 2; run++) {
    small = Math.min(small, await timed(() => work(size)));
    large = Math.min(large, await timed(() => work(size * 10)));
  }
  return large / small;
}
