import { FAILURES, type Failure, type FailureCode } from "#canonical/failure.ts";
import type { FinishReason } from "#canonical/chat-response.ts";
import type { Usage } from "#canonical/usage.ts";
import { failureHeaders, overheadMs } from "#pipeline/answer-headers.ts";
import type { Answer, Call, StreamAnswer, WholeAnswer } from "#pipeline/call.ts";
import { payAfterwards } from "#pipeline/pay-for-request.ts";
import {
  bookSettlement,
  owedFor,
  refundUnanswered,
  settlementOf,
  type Settlement,
  type Spent,
} from "#pipeline/settle-money.ts";
import type { StreamEnd } from "#pipeline/relay-stream.ts";
import type { AttemptOutcome } from "#health/health-tracker.ts";
import { checkToolCalls } from "#health/tool-call-validity.ts";
import type { SeenToolCall } from "#pipeline/stream-state.ts";
import { askedFor } from "#pipeline/asked-for.ts";
import { comparisonCosts } from "#pipeline/comparison-costs.ts";
import { decisionOf } from "#pipeline/decision-record.ts";
import type { Answered } from "#pipeline/shadow.ts";
import type { Route } from "#routing/route.ts";
import { keepResponse } from "#pipeline/stored-responses.ts";
import { errorFacts } from "#telemetry/log.ts";
import { CLIENT_CODECS } from "#protocols/registry.ts";

interface Outcome {
  readonly status: number;
  readonly failure: FailureCode | null;
  readonly answer?: Answer;
  /** Where a request was on its way to that got no answer. */
  readonly route?: Route;
  readonly usage?: Usage;
  readonly finish?: FinishReason | null;
  readonly upstreamId?: string | null;
  /** About what was used, for when the provider's own count cannot be. */
  readonly estimate?: () => Usage;
  /** Its client has seen it already. */
  readonly isDelivered?: boolean;
}

/** Settles what a whole answer cost that is paid after it. Resolves with why it must not be given. */
export const collectFor = (call: Call, answer: WholeAnswer): Promise<Failure | undefined> =>
  collect(call, wholeOutcome(answer));

async function collect(call: Call, outcome: Outcome): Promise<Failure | undefined> {
  return call.tab === undefined ? undefined : payAfterwards(call, owedFor(call, spentOf(outcome)));
}

function wholeOutcome(answer: WholeAnswer) {
  const { usage, finish, upstreamId } = answer;
  const estimate = (): Usage => answer.estimateUsage(usage.outputTokens);
  return { status: 200, failure: null, answer, usage, finish, upstreamId, estimate };
}

/** Puts a whole answer on record, before it is sent. Resolves with its cost. */
export async function settleAnswer(call: Call, answer: WholeAnswer): Promise<bigint | null> {
  const { usage, finish } = answer;
  noteEnd(call, { answer, usage, finish, calls: answer.toolCalls });
  await keepResponse(call, answer.body);
  return record(call, wholeOutcome(answer));
}

/** Puts a stream on record, before its last bytes are sent. */
export async function settleStream(
  call: Call,
  answer: StreamAnswer,
  end: StreamEnd,
): Promise<void> {
  const { state } = answer.relay;
  const complete = end.failure === undefined;
  const usage = complete && state.usage !== undefined ? state.usage : partialUsage(call, answer);
  noteEnd(call, {
    answer,
    usage,
    finish: state.finish ?? null,
    calls: state.toolCalls === undefined ? undefined : [...state.toolCalls.values()],
    ...(end.failure !== undefined && { failure: end.failure }),
  });
  if (complete) await keepResponse(call, end.tail.map(String).join(""));
  await record(call, {
    status: 200,
    failure: end.failure?.code ?? null,
    answer,
    usage,
    finish: end.failure === undefined ? (state.finish ?? null) : "error",
    upstreamId: state.upstreamId ?? null,
    estimate: () => partialUsage(call, answer),
    isDelivered: true,
  });
}

/**
 * What a stream that broke off has used: the provider's own input count if it came, and about what
 * was delivered. Where closing the connection does not stop the provider, it goes on to bill up to
 * the bound that the request set. A disconnect is never free: that was a way around budgets
 * (llmgateway GHSA-724j-f2pf-phf7).
 */
function partialUsage(call: Call, answer: StreamAnswer): Usage {
  const { state } = answer.relay;
  const estimate = answer.estimateUsage(state.deliveredTokens);
  const goesOn = answer.route.configured.provider.cancelStopsBilling === false;
  const bound = goesOn && call.signal.aborted ? (answer.outputBound ?? 0) : 0;
  return {
    ...state.usage,
    inputTokens: state.usage?.inputTokens ?? estimate.inputTokens,
    outputTokens: Math.max(state.usage?.outputTokens ?? 0, estimate.outputTokens, bound),
    estimated: true,
  };
}

/** A call that was cut in the middle, by its bound or on the way, is no wrong call. */
function judged({ calls, answer, finish, failure }: End): Pick<AttemptOutcome, "toolCalls"> {
  const { tools } = answer;
  if (failure !== undefined || finish === "length") return {};
  const whole = (calls ?? []).flatMap(({ name, arguments: text }) =>
    text === undefined ? [] : [{ name, arguments: text }],
  );
  return tools === undefined || whole.length === 0
    ? {}
    : { toolCalls: checkToolCalls(whole, tools) };
}

/** The next turn of the conversation finds its prompt in the provider's cache. */
function rememberTurn({ gateway, sessionKey }: Call, { key, model }: Route, usage: Usage): void {
  if (sessionKey === undefined) return;
  const cachedTokens = usage.inputTokens + usage.outputTokens;
  gateway.sessions.remember(sessionKey, { endpointKey: key, model: model.id, cachedTokens });
}

interface End {
  readonly answer: Answer;
  readonly calls: readonly SeenToolCall[] | undefined;
  readonly usage: Usage;
  readonly finish: FinishReason | null;
  readonly failure?: Failure;
}

/** Tells health and the attempt's own record how the answer that the client got came to its end. */
function noteEnd(call: Call, end: End): void {
  const { answer, usage, finish, failure } = end;
  const { answering } = call;
  if (answering === undefined) return;
  const { tracked, startedTick, place } = answering;
  const durationMs = call.gateway.tick() - startedTick;
  const ended = {
    empty: usage.outputTokens === 0 && finish === "stop",
    truncated: finish === "length",
    ...judged(end),
  };
  tracked.end({
    durationMs,
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens,
    // An answer that came and was cut by its client's side, or by the time that this one set.
    aborted: failure !== undefined && (CALLERS_OWN.has(failure.code) || call.signal.aborted),
    ...ended,
    ...(failure !== undefined && { failure }),
  });
  call.gateway.learner.noteEnd(call, answer.route, {
    ...ended,
    ...(failure !== undefined && { failure: failure.code }),
  });
  if (failure === undefined) rememberTurn(call, answer.route, usage);
  const attempt = call.attempts[place];
  if (failure !== undefined && attempt !== undefined) {
    call.attempts[place] = { ...attempt, failure: failure.code };
  }
}

interface FailureOptions {
  readonly send?: boolean;
  /** An answer that was given and must not reach its client: it is paid for all the same. */
  readonly answer?: WholeAnswer;
}

/** Puts a failure on record and sends it in the client's dialect. */
export async function settleFailure(
  call: Call,
  failure: Failure,
  { send = true, answer }: FailureOptions = {},
): Promise<void> {
  const { exchange, gateway } = call;
  const kind = FAILURES[failure.code];
  const used = answer === undefined ? abandoned(call, failure) : stopped(call, answer, failure);
  const outcome = { status: kind.status, failure: failure.code, ...used };
  // Whoever leaves has used what was read and written until then: where that cannot be had it is a loss.
  await collect(call, outcome);
  // A price that was told to nobody in particular is no request: anybody could fill the records.
  const isRecorded = failure.code !== "payment_required" || call.payer?.kind !== "stranger";
  const recorded = isRecorded ? record(call, outcome) : Promise.resolve();
  await recorded.catch((error: unknown) => {
    // A broken store must not turn every error into another one; the log has both.
    gateway.log.error(
      { requestId: exchange.requestId, ...errorFacts(error) },
      "a record was not stored",
    );
  });
  if (!send) return;
  const body = CLIENT_CODECS[exchange.protocol].renderError(failure, exchange.requestId);
  const told = failure.terms === undefined ? body : { ...failure.terms.body, ...body };
  exchange.sink.json(kind.status, failureHeaders(call, failure), JSON.stringify(told));
}

function stopped(call: Call, answer: WholeAnswer, failure: Failure): Partial<Outcome> {
  const { usage, finish, upstreamId } = answer;
  noteEnd(call, { answer, usage, finish, calls: answer.toolCalls, failure });
  return { answer, usage, finish, upstreamId };
}

/** Failures of the caller's side: the provider had begun to answer. */
const CALLERS_OWN: ReadonlySet<FailureCode> = new Set([
  "client_closed",
  "guardrail_blocked",
  "payment_required",
  "payment_pending",
  "payment_used",
]);

/** A client that leaves before the first content has used its input: the provider has read it. */
function abandoned({ pending }: Call, failure: Failure): Pick<Outcome, "route" | "usage"> {
  if (!CALLERS_OWN.has(failure.code) || pending === undefined) return {};
  const { route, inputTokens } = pending;
  return { route, usage: { inputTokens, outputTokens: 0, estimated: true } };
}

async function record(call: Call, outcome: Outcome): Promise<bigint | null> {
  const { exchange, gateway } = call;
  const { usage } = outcome;
  if (usage !== undefined) call.usedTokens = usage.inputTokens + usage.outputTokens;
  const settlement = settlementOf(call, spentOf(outcome));
  const { cost, charge } = settlement;
  noteAnswered(call, outcome, charge);
  const recorded = gateway.writeRecord({
    id: exchange.requestId,
    startedAt: exchange.startedAt,
    operation: exchange.operation,
    protocol: exchange.protocol,
    ...askedFor(call),
    ...answeredBy(call, outcome),
    status: outcome.status,
    failure: outcome.failure,
    usage: outcome.usage ?? null,
    costNanoUsd: cost.nanoUsd,
    costReason: "reason" in cost ? cost.reason : null,
    chargeNanoUsd: charge,
    ...comparisonCosts(call, answeredOf(outcome)),
    lossNanoUsd: call.attempts.reduce((sum, one) => sum + BigInt(one.lossNanoUsd ?? 0), 0n),
    decision: decisionOf(call, answeredOf(outcome)),
    totalMs: gateway.tick() - exchange.startedTick,
  });
  await bothWritten(call, { recorded, settlement, isDelivered: outcome.isDelivered === true });
  const { requestId } = exchange;
  const { status, failure } = outcome;
  gateway.log.info({ requestId, model: call.modelAsked, status, failure }, "request");
  return charge;
}

interface Writing {
  readonly recorded: Promise<void>;
  readonly settlement: Settlement;
  readonly isDelivered: boolean;
}

/** Record and ledger are written at once: an answer waits for the slower of them, not for both. */
async function bothWritten(call: Call, writing: Writing): Promise<void> {
  const { recorded, settlement, isDelivered } = writing;
  if (settlement.command === undefined) return recorded;
  const booked = bookSettlement(call, settlement, { isDelivered });
  const [record, booking] = await Promise.allSettled([recorded, booked]);
  if (booking.status === "rejected") throw booking.reason;
  if (record.status === "fulfilled") return undefined;
  if (!isDelivered) refundUnanswered(call, settlement);
  throw record.reason;
}

/** An answer without a word that ends in an error is nobody's to pay. */
function spentOf(outcome: Outcome): Spent {
  const { answer, usage, failure, estimate, isDelivered = false } = outcome;
  const route = answer?.route ?? outcome.route;
  const tier = answer?.tier ?? "default";
  return {
    ...(route !== undefined && { route }),
    ...(usage !== undefined && { used: { usage, tier } }),
    ...(estimate !== undefined && { estimate: () => ({ usage: estimate(), tier }) }),
    isEmpty: isEmpty(failure, usage),
    isDelivered,
  };
}

const answeredOf = ({ answer, usage }: Outcome): Answered | undefined =>
  answer && { route: answer.route, tier: answer.tier, usage };

/** The provider's side of a record. */
function answeredBy(call: Call, { answer, finish = null, upstreamId = null }: Outcome) {
  const { attempts } = call;
  const last = attempts.at(-1);
  const common = { attempts, overheadMs: call.overheadToContentMs ?? overheadMs(call) };
  if (answer === undefined || last === undefined) {
    return { ...common, ...NOT_ANSWERED, provider: last?.provider ?? null };
  }
  const { endpoint } = answer.route;
  return {
    ...common,
    modelUsed: endpoint.upstreamModel,
    provider: endpoint.provider,
    upstreamId,
    finishReason: finish,
    firstContentMs: last.startedMs + last.durationMs,
    warnings: answer.losses,
  };
}

const NOT_ANSWERED = {
  modelUsed: null,
  upstreamId: null,
  finishReason: null,
  firstContentMs: null,
  warnings: [],
} as const;

const isEmpty = (failure: FailureCode | null, usage: Usage | undefined): boolean =>
  failure !== null &&
  failure !== "client_closed" &&
  (usage === undefined || usage.outputTokens === 0);

/** What a repetition under the same idempotency key is told; what cost nothing may be done again. */
function noteAnswered(call: Call, { failure, usage }: Outcome, charge: bigint | null): void {
  if (call.lease === undefined || (failure !== null && (charge ?? 0n) === 0n)) return;
  call.answeredWith = {
    ...(charge !== null && { chargeNanoUsd: String(charge) }),
    ...(usage !== undefined && {
      inputTokens: usage.inputTokens,
      outputTokens: usage.outputTokens,
    }),
  };
}
