import type { Failure } from "#canonical/failure.ts";
import type { Obeys } from "#health/health-tracker.ts";
import { attemptTimeouts, type Attempt } from "#pipeline/attempt.ts";
import {
  costAt,
  type Answer,
  type Answering,
  type AttemptResult,
  type Call,
  type ParsedCall,
} from "#pipeline/call.ts";
import { remainingMs } from "#pipeline/deadline.ts";
import { endpointIdentity } from "#pipeline/endpoint-identity.ts";
import { callsProvider, faultFor } from "#pipeline/inject-fault.ts";
import { AttemptAborted } from "#pipeline/network-failure.ts";
import type { Route } from "#routing/route.ts";
import type { AttemptRecord } from "#telemetry/request-record.ts";

/** How an attempt came out: an answer whose first content is here, or why there is none. */
export type AttemptEnd =
  | { readonly answer: Answer; readonly answering: Answering }
  | { readonly failure: Failure };

/** An attempt under way. */
export interface RunningAttempt {
  readonly route: Route;
  /** Rejects only for faults of the request or of the gateway itself. */
  readonly end: Promise<AttemptEnd>;
  /** Ends it because another one has won. */
  lose(): Promise<void>;
}

const SUPERSEDED: Failure = { code: "superseded", message: "Another attempt answered first." };

/** Calls a route; `undefined` when its endpoint takes nothing now. */
export function startAttempt(
  { call, parsed }: { readonly call: Call; readonly parsed: ParsedCall },
  route: Route,
  { hedge = false, obeys = "gates-and-limits" }: { hedge?: boolean; obeys?: Obeys } = {},
): RunningAttempt | undefined {
  const { gateway } = call;
  const { inputTokens } = parsed.needs;
  const tracked = gateway.health.begin(endpointIdentity(route), { obeys, inputTokens });
  if (tracked === undefined) return undefined;
  const abort = new AbortController();
  // Only hedged attempts end one by one: joining signals is dear for all the others.
  const hedging = gateway.market().policy.hedge !== undefined;
  const signal = hedging ? AbortSignal.any([call.signal, abort.signal]) : call.signal;
  const fault = faultFor(call.faults, route);
  const timeouts = attemptTimeouts(gateway.timeouts(), {
    route,
    stream: parsed.stream,
    maxOutputTokens: parsed.needs.maxOutputTokens,
    remainingMs: remainingMs(call),
  });
  const attempt: Attempt = {
    route,
    signal,
    tracked,
    timeouts,
    ...(fault !== undefined && { fault }),
  };
  call.pending = { route, inputTokens };
  const began: Began = { call, parsed, attempt, hedge, startedTick: gateway.tick() };
  const end = run(began);
  return { route, end, lose: () => lose(began, end, abort) };
}

interface Began {
  readonly call: Call;
  readonly parsed: ParsedCall;
  readonly attempt: Attempt;
  readonly hedge: boolean;
  readonly startedTick: number;
}

async function run(began: Began): Promise<AttemptEnd> {
  const { call, parsed, attempt, startedTick } = began;
  const { tracked } = attempt;
  let result: AttemptResult;
  try {
    result = await guarded(parsed, attempt);
  } catch (error) {
    tracked.end({ aborted: true, durationMs: 0, inputTokens: 0 });
    throw error;
  }
  const durationMs = call.gateway.tick() - startedTick;
  if ("failure" in result) return failed(began, result, durationMs);
  if (result.kind === "stream") tracked.content(durationMs);
  const place = call.attempts.push(recordOf(began, { lane: result.lane, durationMs })) - 1;
  return { answer: result, answering: { route: attempt.route, tracked, startedTick, place } };
}

/** The request is bounded in depth: what is too deep to be written again has come from the provider. */
async function guarded(parsed: ParsedCall, attempt: Attempt): Promise<AttemptResult> {
  try {
    return await parsed.attempt(attempt);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const message = "The provider's answer is too large or nested too deep to be passed on.";
    return { failure: { code: "upstream_malformed", message } };
  }
}

const OUR_WILL: ReadonlySet<string> = new Set(["client_closed", "superseded", "guardrail_blocked"]);

function failed(
  began: Began,
  { failure, lane = "translated" }: Extract<AttemptResult, { readonly failure: Failure }>,
  durationMs: number,
): AttemptEnd {
  const { call, parsed, attempt } = began;
  const { inputTokens } = parsed.needs;
  // What ended by our own will says nothing about the endpoint.
  const ours = OUR_WILL.has(failure.code);
  // A rehearsal must not keep others from a sound endpoint.
  const injected = attempt.fault !== undefined;
  const aborted = ours || injected || isHasty(began, failure, durationMs);
  attempt.tracked.end({ failure, aborted, durationMs, inputTokens });
  // Whoever leaves now leaves no provider that is at work.
  if (!aborted && call.pending?.route === attempt.route) delete call.pending;
  call.attempts.push(recordOf(began, { lane, durationMs, failure }));
  call.gateway.log.debug(
    { requestId: call.exchange.requestId, endpoint: attempt.route.key, failure: failure.code },
    "an attempt failed",
  );
  return { failure };
}

/** Who gives an endpoint less than this share of its time cannot tell a slow one from a dead one. */
const FAIR_SHARE = 0.5;

/** Whether the client's own deadline was too short to blame the endpoint: others must not lose it. */
const isHasty = ({ call, attempt }: Began, { code }: Failure, durationMs: number): boolean =>
  code === "upstream_timeout" &&
  remainingMs(call) <= 1 &&
  durationMs < attempt.timeouts.ownHeadMs * FAIR_SHARE;

/** Both may have answered in the same moment: the one that is not used is ended all the same. */
async function lose(began: Began, end: Promise<AttemptEnd>, abort: AbortController): Promise<void> {
  abort.abort(new AttemptAborted(SUPERSEDED));
  const ended = await end.catch(() => undefined);
  if (ended === undefined || "failure" in ended) return;
  const { call, attempt, startedTick } = began;
  const durationMs = call.gateway.tick() - startedTick;
  attempt.tracked.end({ aborted: true, durationMs, inputTokens: began.parsed.needs.inputTokens });
  const { lane } = ended.answer;
  call.attempts[ended.answering.place] = recordOf(began, { lane, durationMs, failure: SUPERSEDED });
}

interface AttemptFacts {
  readonly lane: AttemptRecord["lane"];
  readonly durationMs: number;
  readonly failure?: Failure;
}

function recordOf(began: Began, { lane, durationMs, failure }: AttemptFacts): AttemptRecord {
  const { call, attempt, hedge, startedTick } = began;
  const { endpoint, configured, reason } = attempt.route;
  return {
    provider: endpoint.provider,
    model: endpoint.upstreamModel,
    credential: configured.credentialId,
    reason,
    lane,
    startedMs: startedTick - call.exchange.startedTick,
    durationMs,
    status: failure === undefined ? 200 : (failure.upstreamStatus ?? null),
    failure: failure?.code ?? null,
    lossNanoUsd: failure === undefined ? 0 : lossOf(began, failure),
    ...(hedge && { hedge }),
    ...(attempt.fault !== undefined && { injected: attempt.fault.kind }),
  };
}

/** Failures after which the provider may have read the request, and may ask to be paid for it. */
const MAYBE_BILLED: ReadonlySet<string> = new Set([
  "upstream_timeout",
  "upstream_truncated",
  "upstream_malformed",
  "superseded",
]);

/** Connections that broke: nobody knows how much of the request had been read. */
const BROKEN: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"]);

/** A status of its own says that the provider has not answered, whatever it is about. */
const mayBeBilled = ({ code, upstreamStatus = 200, upstreamCode = "" }: Failure): boolean =>
  upstreamStatus < 300 &&
  (MAYBE_BILLED.has(code) || (code === "upstream_unreachable" && BROKEN.has(upstreamCode)));

/** What an attempt without an answer may have cost: its input. Ours, not the caller's. `null`: unknown. */
function lossOf({ parsed, attempt }: Began, failure: Failure): number | null {
  const called = attempt.fault === undefined || callsProvider(attempt.fault);
  // With a key of the tenant's own it is the tenant who is asked to pay.
  const isOwn = attempt.route.configured.own !== undefined;
  if (!called || isOwn || !mayBeBilled(failure)) return 0;
  const usage = { inputTokens: parsed.needs.inputTokens, outputTokens: 0, estimated: true };
  const { nanoUsd } = costAt(attempt.route, usage, "default");
  return nanoUsd === null ? null : Number(nanoUsd);
}
