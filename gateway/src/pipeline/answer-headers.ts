import { failureKind, type Failure } from "#canonical/failure.ts";
import { formatUsd } from "#lib/money.ts";
import { limitHeaders } from "#limits/limit-headers.ts";
import type { Answer, Call } from "#pipeline/call.ts";
import { MAX_NAME } from "#pipeline/read-preferences.ts";
import type { Loss } from "#protocols/codec.ts";

type Headers = Record<string, string>;

/** Both SDK families look for their request id under their own name. */
export function baseHeaders(call: Call): Headers {
  const { requestId } = call.exchange;
  const headers = { "x-request-id": requestId, "request-id": requestId, ...receiptHeaders(call) };
  return call.limitStatus === undefined ? headers : { ...headers, ...statusHeaders(call) };
}

/** What was paid by whoever has no key. Kept by nobody on the way: it is good for one reader. */
const receiptHeaders = ({ payment }: Call): Headers =>
  payment === undefined
    ? {}
    : {
        "payment-response": payment.receipt,
        "x-payment-id": payment.id,
        "cache-control": "private, no-store",
      };

/** In the words of the client's dialect; nothing for keys without limits. */
function statusHeaders({ exchange, limitStatus = {} }: Call): Headers {
  const isAnthropic = exchange.protocol === "anthropic-messages";
  return limitHeaders(limitStatus, { isAnthropic, nowMs: exchange.startedAt });
}

/** What an answer tells about how it came to be. A stream's cost is not known yet when its head goes out. */
export function answerHeaders(call: Call, answer: Answer, costNanoUsd?: bigint | null): Headers {
  const { endpoint, reason } = answer.route;
  const headers = baseHeaders(call);
  headers["x-turnpike-model"] = headerValue(endpoint.upstreamModel.slice(0, MAX_NAME));
  headers["x-turnpike-provider"] = endpoint.provider;
  headers["x-turnpike-route-reason"] = headerValue(reason);
  headers["x-turnpike-attempts"] = String(call.attempts.length);
  headers["x-turnpike-cache"] = "off";
  headers["x-turnpike-overhead-ms"] = overheadMs(call).toFixed(2);
  if (costNanoUsd !== undefined) {
    headers["x-turnpike-cost-usd"] = costNanoUsd === null ? "unknown" : formatUsd(costNanoUsd);
  }
  if (call.clampedTo !== undefined) {
    headers["x-turnpike-budget-clamped"] = String(call.clampedTo);
  }
  if (answer.losses.length > 0) headers["x-turnpike-warnings"] = warningsValue(answer.losses);
  return headers;
}

/** Milliseconds so far that no provider was waited for. */
export function overheadMs(call: Call): number {
  const waited = call.attempts.reduce((sum, attempt) => sum + attempt.durationMs, 0);
  const passed = call.gateway.tick() - call.exchange.startedTick;
  return Math.max(0, passed - waited - call.waitedMs);
}

/** Headers of a failure: its id, and when a retry makes sense. */
export function failureHeaders(call: Call, failure: Failure): Headers {
  const { attempts } = call;
  const headers = baseHeaders(call);
  const last = attempts.at(-1);
  if (last !== undefined) {
    headers["x-turnpike-provider"] = last.provider;
    headers["x-turnpike-attempts"] = String(attempts.length);
  }
  const { clientRetry = failureKind(failure).clientRetry } = failure;
  // An SDK that repeats a paid request signs, and pays, again: what is left is credit instead.
  if (clientRetry === false || call.payer !== undefined) headers["x-should-retry"] = "false";
  if (failure.retryAfterMs !== undefined) {
    headers["retry-after"] = String(Math.ceil(failure.retryAfterMs / 1000));
    headers["retry-after-ms"] = String(Math.round(failure.retryAfterMs));
  }
  Object.assign(headers, failure.terms?.headers);
  return headers;
}

const MAX_WARNINGS_LENGTH = 1_500;

function warningsValue(losses: readonly Loss[]): string {
  const text = losses.map(({ field, reason }) => `${field}: ${reason}`).join("; ");
  return headerValue(
    text.length > MAX_WARNINGS_LENGTH ? `${text.slice(0, MAX_WARNINGS_LENGTH)}…` : text,
  );
}

/** Printable ASCII only: header values take nothing else, and wire text gets into some of them. */
const headerValue = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, "?");
