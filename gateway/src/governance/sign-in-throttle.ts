import { GatewayError } from "#canonical/failure.ts";

const WINDOW_MS = 15 * 60_000;
/** Failures within the window, by whom and what for. */
const MAX_OF_ACCOUNT_FROM_ADDRESS = 8;
const MAX_OF_ADDRESS = 40;
/** Higher than for one address: nobody can keep somebody else out from a single place. */
const MAX_OF_ACCOUNT = 60;
/** Forgetting the oldest is better than growing with every address that somebody makes up. */
const MAX_COUNTERS = 50_000;

interface Counter {
  failures: number;
  readonly since: number;
}

/** Counts failed sign-ins on this gateway, and refuses further ones for a while. */
export interface SignInThrottle {
  /**
   * Begins an attempt; it counts as failed until `succeeded` is called, so that a thousand at once
   * are not a thousand guesses. Throws `rate_limited`.
   */
  begin(account: string, address: string): { succeeded(): void };
}

export function createSignInThrottle(now: () => number): SignInThrottle {
  const counters = new Map<string, Counter>();
  const counterOf = (name: string): Counter => {
    const known = counters.get(name);
    if (known !== undefined && now() - known.since < WINDOW_MS) return known;
    counters.delete(name);
    const fresh = { failures: 0, since: now() };
    counters.set(name, fresh);
    const [oldest] = counters.size > MAX_COUNTERS ? counters.keys() : [];
    if (oldest !== undefined) counters.delete(oldest);
    return fresh;
  };
  return {
    begin(account, address) {
      const bounds = [
        { counter: counterOf(`pair ${address} ${account}`), most: MAX_OF_ACCOUNT_FROM_ADDRESS },
        { counter: counterOf(`address ${address}`), most: MAX_OF_ADDRESS },
        { counter: counterOf(`account ${account}`), most: MAX_OF_ACCOUNT },
      ];
      const full = bounds.find(({ counter, most }) => counter.failures >= most);
      if (full !== undefined) throw tooMany(full.counter.since + WINDOW_MS - now());
      for (const { counter } of bounds) counter.failures += 1;
      return {
        succeeded() {
          for (const { counter } of bounds) counter.failures -= 1;
        },
      };
    },
  };
}

const tooMany = (retryAfterMs: number): GatewayError =>
  new GatewayError({
    code: "rate_limited",
    message: `Too many failed sign-ins. Try again in ${Math.ceil(retryAfterMs / 60_000)} minutes.`,
    retryAfterMs,
  });
