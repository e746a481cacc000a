import type { Claim, LimitEnd, Standing, Verdict } from "#limits/claim.ts";
import type { LocalLimits } from "#limits/local-limits.ts";

/** Takes what requests need of their limits. */
export interface Limiter {
  /** Resolves at once where no other gateway is asked. Never rejects. */
  take(id: string, claims: readonly Claim[]): Taking | Promise<Taking>;
}

export interface Taking extends Verdict {
  /** Gives back places and unused tokens; absent where nothing was taken. Only the first call counts. */
  readonly release?: (end: LimitEnd) => void;
}

/** The limits of this gateway alone. `now` in Unix milliseconds. */
export const localLimiter = (local: LocalLimits, now: () => number): Limiter => ({
  take: (_id, claims) => takeAlone(claims, { local, now }),
});

/**
 * How limits stand now; nothing is taken. One claim more, which nothing can ever fit, makes sure of it:
 * all claims are taken, or none.
 */
export async function standingsOf(
  limiter: Limiter,
  id: string,
  claims: readonly Claim[],
): Promise<readonly Standing[]> {
  const [first] = claims;
  if (first === undefined) return [];
  const never: Claim = {
    ...first,
    key: `${first.key}:never`,
    kind: "requests",
    limit: 0,
    amount: 1,
  };
  const { standings } = await limiter.take(id, [...claims, never]);
  return standings.slice(0, claims.length);
}

interface Own {
  readonly local: LocalLimits;
  readonly now: () => number;
}

export function takeAlone(claims: readonly Claim[], { local, now }: Own): Taking {
  const second = Math.floor(now() / 1000);
  const verdict = local.take(claims);
  if (verdict.refused !== undefined) return verdict;
  return { ...verdict, release: once((end) => local.release({ claims, second }, end)) };
}

/** However often an end is told. */
export function once(act: (end: LimitEnd) => void): (end: LimitEnd) => void {
  let done = false;
  return (end) => {
    if (done) return;
    done = true;
    act(end);
  };
}
