import type { Claim, LimitKind, Verdict } from "#limits/claim.ts";
import { WINDOW_SECONDS } from "#limits/sliding-window.ts";

/** What an answer tells of the limits of its key: the tightest of each kind. */
export interface LimitStatus {
  readonly requests?: KindStatus;
  readonly tokens?: KindStatus;
}

interface KindStatus {
  readonly limit: number;
  readonly remaining: number;
}

/** The tightest limits after a verdict. */
export function limitStatus(claims: readonly Claim[], verdict: Verdict): LimitStatus {
  const tightest = (wanted: LimitKind): KindStatus | undefined => {
    let found: KindStatus | undefined;
    for (const [at, { kind, limit, amount }] of claims.entries()) {
      if (kind !== wanted) continue;
      const taken = verdict.refused === undefined ? amount : 0;
      const remaining = Math.max(0, limit - (verdict.standings[at]?.used ?? 0) - taken);
      if (found === undefined || remaining < found.remaining) found = { limit, remaining };
    }
    return found;
  };
  const requests = tightest("requests");
  const tokens = tightest("tokens");
  return {
    ...(requests !== undefined && { requests }),
    ...(tokens !== undefined && { tokens }),
  };
}

/** Of two the tighter one of each kind. */
export function tighterStatus(one: LimitStatus | undefined, other: LimitStatus): LimitStatus {
  if (one === undefined) return other;
  const tighter = (kind: keyof LimitStatus): LimitStatus => {
    const [a, b] = [one[kind], other[kind]];
    const found = a === undefined || (b !== undefined && b.remaining < a.remaining) ? b : a;
    return found === undefined ? {} : { [kind]: found };
  };
  return { ...tighter("requests"), ...tighter("tokens") };
}

/**
 * Headers in the names that the dialect's SDKs and agents look for. All of a limit is free again when
 * the last minute has passed: both vendors' `reset` is that moment, as a duration and as a time.
 */
export function limitHeaders(
  status: LimitStatus,
  { isAnthropic, nowMs }: { readonly isAnthropic: boolean; readonly nowMs: number },
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const kind of ["requests", "tokens"] as const) {
    const known = status[kind];
    if (known === undefined) continue;
    const { limit, remaining } = known;
    const isFull = remaining === limit;
    const name = (part: string): string =>
      isAnthropic ? `anthropic-ratelimit-${kind}-${part}` : `x-ratelimit-${part}-${kind}`;
    headers[name("limit")] = String(limit);
    headers[name("remaining")] = String(remaining);
    const afterMs = isFull ? 0 : WINDOW_SECONDS * 1000;
    headers[name("reset")] = isAnthropic
      ? new Date(nowMs + afterMs).toISOString().replace(/\.\d+Z$/, "Z")
      : isFull
        ? "0s"
        : "1m0s";
  }
  return headers;
}
