import type { Claim, Verdict } from "#limits/claim.ts";
import type { LocalLimits } from "#limits/local-limits.ts";

/** Takes what requests need of their limits. */
export interface Limiter {
  /** Resolves at once where no other gateway is asked. Never rejects. */
  take(id: string, claims: readonly Claim[]): Taking | Promise<Taking>;
}

export interface Taking extends Verdict {
  /** Gives back places and unused tokens; absent where nothing was taken. Only the first call counts. */
  readonly release?: (tokens: number) => void;
}

/** The limits of this gateway alone. `now` in Unix milliseconds. */
export const localLimiter = (local: LocalLimits, now: () => number): Limiter => ({
  take: (_id, claims) => takeAlone(claims, { local, now }),
});

interface Own {
  readonly local: LocalLimits;
  readonly now: () => number;
}

export function takeAlone(claims: readonly Claim[], { local, now }: Own): Taking {
  const second = Math.floor(now() / 1000);
  const verdict = local.take(claims);
  if (verdict.refused !== undefined) return verdict;
  return { ...verdict, release: once((tokens) => local.release({ claims, second }, tokens)) };
}

/** However often an end is told. */
export function once(act: (tokens: number) => void): (tokens: number) => void {
  let done = false;
  return (tokens) => {
    if (done) return;
    done = true;
    act(tokens);
  };
}
