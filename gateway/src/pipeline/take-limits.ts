import { estimateTokens } from "#canonical/estimate-tokens.ts";
import { GatewayError, type Failure } from "#canonical/failure.ts";
import type { Claim, Standing } from "#limits/claim.ts";
import { claimsOf, type Limited } from "#limits/claims-of.ts";
import { limitStatus } from "#limits/limit-headers.ts";
import type { Call, ParsedCall } from "#pipeline/call.ts";

/** Output that is reckoned with where a chat request sets no bound. */
const TYPICAL_OUTPUT_TOKENS = 1_000;
/** The SDKs wait no longer than this, and repeat at once instead. */
const LONGEST_WAIT_MS = 60_000;
/** When places that running requests hold come free, nobody knows. */
const BUSY_WAIT_MS = 1_000;

/** Whether the call's key has limits at all: nothing is worked out for those that have none. */
export const isLimited = ({ access, exchange }: Call): boolean =>
  // Counting tokens is free, and agents ask for it two dozen times at once.
  access !== undefined && access.limits.length > 0 && exchange.operation !== "count-tokens";

/**
 * Takes what the request needs of every limit of its key, all together or nothing. It gives back when
 * the call ends, whatever its end. Throws `rate_limited` naming the limit in the way.
 */
export async function takeLimits(call: Call, parsed: ParsedCall): Promise<void> {
  const { access, gateway, exchange } = call;
  const { limiter } = gateway;
  if (access === undefined || limiter === undefined) return;
  const claims = claimsOf(access, limitedOf(call, parsed));
  if (claims.length === 0) return;
  const taking = limiter.take(exchange.requestId, claims);
  const verdict = taking instanceof Promise ? await taking : taking;
  call.limitStatus = limitStatus(claims, verdict);
  const { refused, release } = verdict;
  if (release !== undefined) call.releaseLimits = release;
  if (refused === undefined) return;
  const [claim, standing] = [claims[refused], verdict.standings[refused]];
  if (claim !== undefined) throw new GatewayError(limitFailure(claim, standing));
}

function limitedOf(call: Call, { needs, model }: ParsedCall): Limited {
  const isChat = needs.operation === "chat";
  const inputTokens = isChat ? needs.inputTokens : estimateTokens(call.body?.text ?? "");
  const output = isChat ? (needs.maxOutputTokens ?? TYPICAL_OUTPUT_TOKENS) : 0;
  return {
    endUser: call.endUser,
    models: modelNames(call, model),
    inputTokens: Math.ceil(inputTokens),
    boundTokens: Math.ceil(inputTokens + output),
  };
}

/** The model that is to answer first; it and not the asked name has the limit. */
function modelNames({ plan }: Call, asked: string): readonly string[] {
  const [first] = plan?.routes ?? [];
  if (first === undefined) return [asked];
  const { model, endpoint } = first;
  return [model.id, `${endpoint.provider}/${model.id}`, endpoint.upstreamModel];
}

const NAMES = {
  requests: ["requests a minute", "requestsPerMinute"],
  tokens: ["tokens a minute", "tokensPerMinute"],
  concurrent: ["requests at once", "concurrent"],
} as const;

function limitWords({ kind, limit, level, targetId, source, of }: Claim): string {
  const [unit, field] = NAMES[kind];
  const whose = level === "key" ? "the key" : `${level} ${targetId}`;
  const each = of === undefined ? "" : ` for each ${of}`;
  const by = source === "plan" ? "of its plan" : `of policy ${source}`;
  return `The limit of ${whose} is ${limit} ${unit}${each} (${field} ${by})`;
}

function limitFailure(claim: Claim, standing: Standing | undefined): Failure {
  const { limit, amount } = claim;
  const what = limitWords(claim);
  if (amount > limit) {
    const words = limit === 0 ? "nothing is let through" : `this request needs about ${amount}`;
    return {
      code: "rate_limited",
      message: `${what}, and ${words}. Waiting does not help: send less at once, or ask whoever administers the limit.`,
      clientRetry: false,
    };
  }
  const waitMs = standing?.waitMs ?? BUSY_WAIT_MS;
  const frees =
    standing?.waitMs === undefined
      ? "It frees when a running request ends"
      : `Enough of it is free in ${Math.ceil(waitMs / 1000)} s`;
  return {
    code: "rate_limited",
    message: `${what}, and ${standing?.used ?? limit} are used. ${frees}.`,
    retryAfterMs: waitMs,
    ...(waitMs > LONGEST_WAIT_MS && { clientRetry: false }),
  };
}
