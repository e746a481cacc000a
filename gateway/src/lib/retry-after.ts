/** Response headers by lower-case name. */
type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** A longer pause is a mistake of the provider or a quota that no one waits for. */
const MAX_MS = 24 * 60 * 60 * 1000;

/**
 * How long a provider asks to wait, in milliseconds: `retry-after-ms`, `x-ms-retry-after-ms` (Azure),
 * or `retry-after` in seconds or as an HTTP date (RFC 9110 §10.2.3). A date is measured against the
 * response's own `date` header: the provider's clock, not ours. `undefined` where none can be read.
 */
export function retryAfterMs(headers: Headers): number | undefined {
  const milliseconds =
    asCount(first(headers, "retry-after-ms")) ?? asCount(first(headers, "x-ms-retry-after-ms"));
  // Azure sends `retry-after: 1` with `retry-after-ms: 0`: zero says nothing, the other one does.
  if (milliseconds !== undefined && milliseconds > 0) return bounded(milliseconds);
  const after = first(headers, "retry-after");
  if (after === undefined) return milliseconds;
  const seconds = asCount(after);
  if (seconds !== undefined) return bounded(seconds * 1000);
  return untilDate(after, first(headers, "date")) ?? milliseconds;
}

function untilDate(after: string, now: string | undefined): number | undefined {
  const difference = Date.parse(after) - Date.parse(now ?? "");
  return Number.isNaN(difference) ? undefined : bounded(difference);
}

function first(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return (typeof value === "string" ? value : value?.[0])?.trim();
}

const asCount = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;

const bounded = (ms: number): number => Math.min(MAX_MS, Math.max(0, Math.ceil(ms)));
