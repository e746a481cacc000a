/** How many requests an actor may send to the admin API: a burst, refilled evenly. */
export interface AdminRate {
  readonly burst: number;
  readonly perMinute: number;
}

export const DEFAULT_ADMIN_RATE: AdminRate = { burst: 200, perMinute: 600 };

interface Bucket {
  tokens: number;
  at: number;
}

/** Buckets kept at most: full ones are forgotten first, which changes nothing for their owners. */
const MAX_BUCKETS = 10_000;

/**
 * A bucket an actor, on this gateway alone: it keeps a runaway script from taking the store for
 * itself. Tells how many milliseconds to wait; 0: go on.
 */
export function createAdminLimiter(
  { burst, perMinute }: AdminRate,
  now: () => number,
): (actor: string) => number {
  const buckets = new Map<string, Bucket>();
  const perMs = perMinute / 60_000;
  const level = ({ tokens, at }: Bucket): number => Math.min(burst, tokens + (now() - at) * perMs);
  return (actor) => {
    if (buckets.size > MAX_BUCKETS) {
      for (const [id, bucket] of buckets) if (level(bucket) >= burst) buckets.delete(id);
    }
    const tokens = level(buckets.get(actor) ?? { tokens: burst, at: now() });
    const isOpen = tokens >= 1;
    buckets.set(actor, { tokens: isOpen ? tokens - 1 : tokens, at: now() });
    return isOpen ? 0 : Math.ceil((1 - tokens) / perMs);
  };
}
