import { estimateTokens } from "#canonical/estimate-tokens.ts";
import { GatewayError, type Failure } from "#canonical/failure.ts";
import type { Access } from "#governance/access.ts";
import type { Claim, LimitEnd, Standing } from "#limits/claim.ts";
import { entryClaims, modelClaims, requestClaims, type Limited } from "#limits/claims-of.ts";
import { limitStatus, tighterStatus } from "#limits/limit-headers.ts";
import type { Call, ParsedCall } from "#pipeline/call.ts";
import type { Gateway } from "#pipeline/gateway.ts";
import type { Route } from "#routing/route.ts";

/** Output that is reckoned with where a chat request sets no bound. */
const TYPICAL_OUTPUT_TOKENS = 1_000;
/** The SDKs wait no longer than this, and repeat at once instead. */
const LONGEST_WAIT_MS = 60_000;
/** When places that running requests hold come free, nobody knows. */
const BUSY_WAIT_MS = 1_000;

/**
 * Takes what every request needs, whatever is in it: places and requests a minute. Nothing of it has
 * been read then, so that whoever is over a limit costs no parsing and no guardrail. Throws
 * `rate_limited` naming the limit in the way; `releaseLimits` gives back when the call ends.
 */
export async function takeEntryLimits(call: Call): Promise<void> {
  const access = limitedAccess(call);
  if (access === undefined) return;
  await takeOrThrow(call, call.exchange.requestId, entryClaims(access));
}

/** The same for what is no inference. Resolves with what gives back. Throws `rate_limited`. */
export async function takeLimitsOf(
  { limiter }: Pick<Gateway, "limiter">,
  access: Access,
  id: string,
): Promise<() => void> {
  const claims = entryClaims(access);
  if (limiter === undefined || claims.length === 0) return () => undefined;
  const { refused, standings, release } = await limiter.take(id, claims);
  const claim = refused === undefined ? undefined : claims[refused];
  if (claim !== undefined) throw new GatewayError(limitFailure(claim, standings[refused ?? 0]));
  return () => release?.(0);
}

/**
 * Takes a place among the requests of one payer that are paid after their answers: whoever empties its
 * wallet meanwhile owes them all. Throws `rate_limited`.
 */
export async function takeTabPlace(call: Call, limit: number): Promise<void> {
  const { access, exchange } = call;
  if (access === undefined) return;
  const { organization, wallet = "" } = access;
  const taken = await take(call, `${exchange.requestId}:tab`, [
    {
      key: `tp:{${organization.id}}:upto:${wallet}`,
      kind: "concurrent",
      limit,
      amount: 1,
      level: "key",
      targetId: wallet,
      source: "payments",
    },
  ]);
  if (taken.failure === undefined) {
    (call.heldLimits ??= []).push(taken.release);
    return;
  }
  throw new GatewayError({
    code: "rate_limited",
    message: `The wallet has ${limit} requests under way that it pays for after their answers (payments.x402.uptoAtOnce is ${limit}). Send this one with the same PAYMENT-SIGNATURE again when they have ended, or pay before the answer: accept an offer of the scheme exact, or spend credit (SIGN-IN-WITH-X).`,
    retryAfterMs: BUSY_WAIT_MS,
  });
}

/** Takes what the request needs of tokens, and of its end user's limits. Throws `rate_limited`. */
export async function takeRequestLimits(call: Call, parsed: ParsedCall): Promise<void> {
  const access = limitedAccess(call);
  if (access === undefined) return;
  const claims = requestClaims(access, limitedOf(call, parsed));
  await takeOrThrow(call, `${call.exchange.requestId}:request`, claims);
}

/**
 * Takes what an attempt needs of the limits of its model, once for all attempts of that model.
 * Resolves with the failure where a limit is in the way: another model may have room.
 */
export async function takeModelLimits(
  call: Call,
  parsed: ParsedCall,
  { model, endpoint }: Route,
): Promise<Failure | undefined> {
  const access = limitedAccess(call);
  if (access === undefined || call.modelLimits?.has(model.id) === true) return undefined;
  const names = [model.id, `${endpoint.provider}/${model.id}`, endpoint.upstreamModel];
  const claims = modelClaims(access, names, limitedOf(call, parsed));
  if (claims.length === 0) return undefined;
  const taken = await take(call, `${call.exchange.requestId}:${model.id}`, claims);
  if (taken.failure !== undefined) return taken.failure;
  (call.modelLimits ??= new Map()).set(model.id, taken.release);
  return undefined;
}

/** Gives back what models hold that are not asked any more. */
export function leaveOtherModels({ modelLimits }: Call, { model }: Route): void {
  for (const [id, release] of modelLimits ?? []) {
    if (id === model.id) continue;
    release(0);
    modelLimits?.delete(id);
  }
}

/** Gives back all that a call holds, and counts the tokens that it has used. */
export function releaseLimits(call: Call): void {
  const { usedTokens = 0, heldLimits = [], modelLimits = [] } = call;
  const end = call.isOverLimit === true ? "refused" : usedTokens;
  for (const release of heldLimits) release(end);
  const asked = askedModel(call);
  for (const [id, release] of modelLimits) release(id === asked ? usedTokens : 0);
}

/** The model that used the tokens of a call: whose answer it was given, or was waiting for. */
const askedModel = ({ answering, pending }: Call): string | undefined =>
  (answering ?? pending)?.route.model.id;

/**
 * Counting tokens is free, and agents ask for it two dozen times at once. Who has no key is nobody
 * whom the operator knows, and a provider may be asked: its limits hold there, too.
 */
function limitedAccess({ access, exchange, payer }: Call): Access | undefined {
  const isFree = exchange.operation === "count-tokens" && payer === undefined;
  return access !== undefined && access.limits.length > 0 && !isFree ? access : undefined;
}

async function takeOrThrow(call: Call, id: string, claims: readonly Claim[]): Promise<void> {
  if (claims.length === 0) return;
  const taken = await take(call, id, claims);
  if (taken.failure !== undefined) {
    call.isOverLimit = true;
    throw new GatewayError(taken.failure);
  }
  (call.heldLimits ??= []).push(taken.release);
}

type Taken =
  | { readonly failure: Failure }
  | { readonly failure?: undefined; readonly release: (end: LimitEnd) => void };

async function take(call: Call, id: string, claims: readonly Claim[]): Promise<Taken> {
  const { limiter } = call.gateway;
  if (limiter === undefined) return { release: () => undefined };
  const taking = limiter.take(id, claims);
  const verdict = taking instanceof Promise ? await taking : taking;
  const { refused, release = () => undefined } = verdict;
  const claim = refused === undefined ? undefined : claims[refused];
  const isModel = claim?.of === "model";
  // Another model may answer yet: then a limit that was in the way of one says nothing of the answer.
  if (!isModel) call.limitStatus = tighterStatus(call.limitStatus, limitStatus(claims, verdict));
  if (claim === undefined) return { release };
  return { failure: limitFailure(claim, verdict.standings[refused ?? 0]) };
}

function limitedOf(call: Call, { needs }: ParsedCall): Limited {
  const isChat = needs.operation === "chat";
  const inputTokens = isChat ? needs.inputTokens : estimateTokens(call.body?.text ?? "");
  const output = isChat ? (needs.maxOutputTokens ?? TYPICAL_OUTPUT_TOKENS) : 0;
  return {
    endUser: call.endUser,
    inputTokens: Math.ceil(inputTokens),
    boundTokens: Math.ceil(inputTokens + output),
  };
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
