import { GatewayError, invalidRequest, type Failure } from "#canonical/failure.ts";
import { beginAnswer, type Reply } from "#pipeline/reply.ts";
import type { Call } from "#pipeline/call.ts";
import { identify } from "#pipeline/identify.ts";
import { checkCapabilities, checkOperation, withDefaultModel } from "#pipeline/check-permission.ts";
import { headerText, type Exchange } from "#pipeline/exchange.ts";
import type { Gateway } from "#pipeline/gateway.ts";
import { readGatewayOptions } from "#pipeline/gateway-options.ts";
import { checkLoop } from "#pipeline/loop-guard.ts";
import { AttemptAborted } from "#pipeline/network-failure.ts";
import { captureContent, type Capture } from "#pipeline/content-capture.ts";
import { guardRequest } from "#pipeline/guardrails/guard-request.ts";
import { OPERATIONS } from "#pipeline/operations.ts";
import { clientTimeout } from "#pipeline/deadline.ts";
import { FAULT_HEADER, readFaults } from "#pipeline/inject-fault.ts";
import { MAX_NAME } from "#pipeline/read-preferences.ts";
import { claimIdempotency, endIdempotency } from "#pipeline/claim-idempotency.ts";
import { holdMoney } from "#pipeline/hold-money.ts";
import { useProof } from "#pipeline/pay-for-request.ts";
import { planCall } from "#pipeline/plan-call.ts";
import { runAttempts } from "#pipeline/run-attempts.ts";
import { readBody } from "#pipeline/read-body.ts";
import { settleFailure } from "#pipeline/settle.ts";
import { abandonHold } from "#pipeline/settle-money.ts";
import { releaseLimits, takeEntryLimits, takeRequestLimits } from "#pipeline/take-limits.ts";
import { refuseKeeping } from "#pipeline/zero-retention.ts";
import { errorFacts } from "#telemetry/log.ts";
import { expandStoredInput } from "#pipeline/stored-responses.ts";

/**
 * The path of every request, whatever its dialect and operation: who asks, what, where it may be
 * answered, the attempts, the answer, and what it cost. Never rejects; always ends the exchange.
 */
export async function handleRequest(exchange: Exchange, gateway: Gateway): Promise<void> {
  const abort = new AbortController();
  const call = openCall(exchange, gateway, abort.signal);
  const leave = gateway.retries.enter();
  const stop = endWith(abort, call);
  call.cut = (failure) => abort.abort(new AttemptAborted(failure));
  let reply: Reply | undefined;
  let capture: Capture | undefined;
  try {
    checkLoop(call);
    call.access = await identify(call);
    checkOperation(call);
    await takeEntryLimits(call);
    capture = captureContent(call);
    refuseEncoded(exchange);
    const named = withDefaultModel(call, readBody(exchange.body));
    const asked = await expandStoredInput(call, named);
    const options = (call.options = readGatewayOptions(asked.object, exchange.headers));
    refuseKeeping(call, asked);
    call.body = await guardRequest(call, asked);
    call.faults = faultsOf(call);
    const parsed = OPERATIONS[exchange.operation](call, call.body);
    call.modelAsked = checkedModel(parsed.model);
    call.streamed = parsed.stream;
    call.endUser ??= parsed.endUser;
    call.needs = parsed.needs;
    call.sideEffects = parsed.sideEffects === true;
    checkCapabilities(call, parsed);
    if (exchange.headers["idempotency-key"] !== undefined) {
      await useProof(call);
      await claimIdempotency(call);
    }
    await takeRequestLimits(call, parsed);
    const plan = (call.plan = planCall(call, parsed, options));
    reply = beginAnswer(call, parsed);
    const paid = (call.plan = await holdMoney(call, parsed, plan));
    const answer = await runAttempts(call, parsed, paid);
    await ("code" in answer ? reply.fail(answer) : reply.send(answer));
  } catch (error) {
    const failure = failureOf(error, call);
    await (reply === undefined ? settleFailure(call, failure) : reply.fail(failure));
  } finally {
    releaseLimits(call);
    abandonHold(call);
    if (call.lease !== undefined) await endIdempotency(call);
    stop();
    leave();
    capture?.end();
  }
}

/** A body that was compressed would read as broken JSON. Throws `unsupported_media_type`. */
function refuseEncoded({ headers }: Exchange): void {
  const encoding = headerText(headers, "content-encoding")?.toLowerCase() ?? "identity";
  if (encoding === "identity" || encoding === "") return;
  throw new GatewayError({
    code: "unsupported_media_type",
    field: "content-encoding",
    message: `Bodies are taken as they are, not compressed (content-encoding: ${encoding.slice(0, 40)}). Send JSON without it.`,
  });
}

/** The Responses API allows to leave it out; here nobody could know which one is meant. */
function checkedModel(model: string): string {
  if (model === "") throw invalidRequest("model", NO_MODEL);
  if (model.length > MAX_NAME) throw invalidRequest("model", LONG_MODEL);
  return model;
}

const NO_MODEL = '"model" is missing. Name a model, or "auto"; GET /v1/models lists all of them.';

const LONG_MODEL = `"model" is longer than ${MAX_NAME} characters. GET /v1/models lists all names.`;

/** What the operator rehearses, where that is allowed. */
function faultsOf({ exchange, gateway }: Call): Call["faults"] {
  const { policy, providers } = gateway.market();
  const known = { allowed: policy.allowFaultHeader, providers: new Set(providers.keys()) };
  return exchange.headers[FAULT_HEADER] === undefined ? [] : readFaults(exchange.headers, known);
}

function openCall(exchange: Exchange, gateway: Gateway, signal: AbortSignal): Call {
  const { totalMs } = gateway.timeouts();
  const told = clientTimeout(exchange.headers);
  return {
    exchange,
    gateway,
    signal,
    deadlineTick: exchange.startedTick + Math.min(totalMs, told?.ms ?? totalMs),
    deadlineForStreams: told?.untilBegun !== true,
    modelAsked: "",
    streamed: false,
    faults: [],
    sideEffects: false,
    waitedMs: 0,
    attempts: [],
  };
}

/** Ends all work on a request when its client leaves or its time is up. */
function endWith(abort: AbortController, call: Call): () => void {
  const { exchange, gateway, deadlineTick } = call;
  const end = (code: "client_closed" | "upstream_timeout", message: string): void =>
    abort.abort(new AttemptAborted({ code, message }));
  const onGone = (): void => end("client_closed", "The client closed the connection.");
  const endAt = (tick: number, onTime: () => void): NodeJS.Timeout =>
    setTimeout(onTime, Math.max(1, tick - gateway.tick()));
  const expire = (): void => {
    const ms = gateway.tick() - exchange.startedTick;
    end(
      "upstream_timeout",
      `The request took longer than ${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s.`,
    );
  };
  let timer = endAt(deadlineTick, () => {
    const goesOn = call.streamed && call.answering !== undefined && !call.deadlineForStreams;
    if (!goesOn) return expire();
    timer = endAt(exchange.startedTick + gateway.timeouts().totalMs, expire);
    return undefined;
  });
  if (exchange.clientGone.aborted) onGone();
  else exchange.clientGone.addEventListener("abort", onGone);
  return () => {
    clearTimeout(timer);
    exchange.clientGone.removeEventListener("abort", onGone);
  };
}

function failureOf(error: unknown, { exchange, gateway }: Call): Failure {
  if (error instanceof GatewayError) return error.failure;
  // The message of an unexpected error may hold anything: it goes neither to the client nor to the log.
  gateway.log.error(
    { requestId: exchange.requestId, ...errorFacts(error) },
    "a request failed unexpectedly",
  );
  return {
    code: "internal",
    message: "The gateway failed at this request. Its log says where, under the request id.",
  };
}
