import { FAILURES, type Failure, type FailureCode } from "#canonical/failure.ts";
import type { FinishReason } from "#canonical/chat-response.ts";
import type { Usage } from "#canonical/usage.ts";
import { costOfUsage } from "#ledger/cost-of-usage.ts";
import { failureHeaders, overheadMs } from "#pipeline/answer-headers.ts";
import type { Answer, Call, StreamAnswer, WholeAnswer } from "#pipeline/call.ts";
import type { StreamEnd } from "#pipeline/relay-stream.ts";
import { keepResponse } from "#pipeline/stored-responses.ts";
import { CLIENT_CODECS } from "#protocols/registry.ts";

interface Outcome {
  readonly status: number;
  readonly failure: FailureCode | null;
  readonly answer?: Answer;
  readonly usage?: Usage;
  readonly finish?: FinishReason | null;
  readonly upstreamId?: string | null;
}

/** Puts a whole answer on record, before it is sent. Resolves with its cost. */
export async function settleAnswer(call: Call, answer: WholeAnswer): Promise<bigint | null> {
  const { usage, finish, upstreamId } = answer;
  await keepResponse(call, answer.body);
  return record(call, { status: 200, failure: null, answer, usage, finish, upstreamId });
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
  if (complete) await keepResponse(call, end.tail.map(String).join(""));
  await record(call, {
    status: 200,
    failure: end.failure?.code ?? null,
    answer,
    usage,
    finish: end.failure === undefined ? (state.finish ?? null) : "error",
    upstreamId: state.upstreamId ?? null,
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

/** Puts a failure on record and sends it in the client's dialect. */
export async function settleFailure(
  call: Call,
  failure: Failure,
  { send } = { send: true },
): Promise<void> {
  const { exchange } = call;
  const kind = FAILURES[failure.code];
  await record(call, { status: kind.status, failure: failure.code }).catch((error: unknown) => {
    // A broken store must not turn every error into another one; the log has both.
    process.emitWarning(error instanceof Error ? error : String(error), {
      code: "TURNPIKE_RECORD",
    });
  });
  if (!send) return;
  const body = CLIENT_CODECS[exchange.protocol].renderError(failure, exchange.requestId);
  exchange.sink.json(kind.status, failureHeaders(call, failure), JSON.stringify(body));
}

async function record(call: Call, outcome: Outcome): Promise<bigint | null> {
  const { exchange, gateway } = call;
  const { answer } = outcome;
  const cost = costOf(outcome);
  const last = call.attempts.at(-1);
  await gateway.writeRecord({
    id: exchange.requestId,
    startedAt: exchange.startedAt,
    keyId: call.key?.id ?? null,
    operation: exchange.operation,
    protocol: exchange.protocol,
    modelAsked: call.modelAsked.slice(0, 200),
    modelUsed: answer?.route.endpoint.upstreamModel ?? null,
    provider: answer?.route.endpoint.provider ?? last?.provider ?? null,
    upstreamId: outcome.upstreamId ?? null,
    streamed: call.streamed,
    status: outcome.status,
    failure: outcome.failure,
    finishReason: outcome.finish ?? null,
    attempts: call.attempts,
    usage: outcome.usage ?? null,
    costNanoUsd: cost.nanoUsd,
    costReason: "reason" in cost ? cost.reason : null,
    firstContentMs:
      answer === undefined || last === undefined ? null : last.startedMs + last.durationMs,
    totalMs: gateway.tick() - exchange.startedTick,
    overheadMs: answer?.kind === "stream" ? (call.overheadToContentMs ?? 0) : overheadMs(call),
    sessionId: call.options?.sessionId ?? null,
    endUser: call.endUser?.slice(0, 200) ?? null,
    tags: call.options?.tags ?? [],
    warnings: answer?.losses ?? [],
  });
  return cost.nanoUsd;
}

function costOf({ answer, usage }: Outcome): ReturnType<typeof costOfUsage> {
  // Nothing was answered: whatever a failed attempt cost is not the caller's.
  if (answer === undefined || usage === undefined) return { nanoUsd: 0n };
  return costOfUsage(usage, answer.route.endpoint.prices, { tier: answer.tier });
}
