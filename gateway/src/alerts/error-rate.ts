import type { EmitAlert } from "@turnpike/contract/alerts.ts";

/** What counts of a request. */
export interface Outcome {
  readonly organizationId: string;
  readonly status: number;
  /** Of a stream that broke off the status was good. */
  readonly failure: string | null;
}

const WINDOW_MS = 5 * 60_000;
/** An alert at most so often. */
const QUIET_MS = 15 * 60_000;
const MIN_REQUESTS = 20;
const MIN_SHARE = 0.25;
const MAX_ORGANIZATIONS = 10_000;

/**
 * Watches the share of failed requests by organization, in windows of five minutes. Faults of the
 * caller (4xx) do not count: those are its own to know.
 */
export function watchErrorRate(emit: EmitAlert, now: () => number): (outcome: Outcome) => void {
  let windowEnds = 0;
  const counts = new Map<string, { requests: number; failed: number; told: boolean }>();
  return ({ organizationId, status, failure }) => {
    const at = now();
    if (at >= windowEnds || counts.size > MAX_ORGANIZATIONS) {
      counts.clear();
      windowEnds = at + WINDOW_MS;
    }
    const count = counts.get(organizationId) ?? { requests: 0, failed: 0, told: false };
    counts.set(organizationId, count);
    count.requests += 1;
    if (failure === null || failure === "client_closed" || (status >= 400 && status < 500)) return;
    count.failed += 1;
    const share = count.failed / count.requests;
    if (count.told || count.requests < MIN_REQUESTS || share < MIN_SHARE) return;
    count.told = true;
    emit({
      kind: "error-rate",
      organizationId,
      once: String(Math.floor(at / QUIET_MS)),
      text: `${Math.round(share * 100)} % of the last ${count.requests} requests failed.`,
      facts: { requests: count.requests, failed: count.failed, window_minutes: 5 },
    });
  };
}
