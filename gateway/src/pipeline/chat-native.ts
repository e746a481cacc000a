import { WRAPPED_SIGNATURE_PREFIX } from "#canonical/signature.ts";
import type { Usage } from "#canonical/usage.ts";
import { findLastObject, patchObject, scanObject } from "#lib/json-scan.ts";
import { isObject, parseObject, type JsonObject } from "#lib/json.ts";
import { chatForwardPatch } from "#protocols/openai-chat/forward-patch.ts";
import { insertCost } from "#protocols/native-stream.ts";
import { NATIVE_STREAMS, UPSTREAM_CODECS } from "#protocols/registry.ts";
import type { AttemptResult } from "#pipeline/call.ts";
import type { ChatAttempt } from "#pipeline/chat.ts";
import { answerBase, callsIn, foldedAnswer } from "#pipeline/chat-answer.ts";
import { clientProtocolHeaders } from "#pipeline/client-headers.ts";
import { NO_GATEWAY_FIELDS } from "#pipeline/gateway-options.ts";
import { answerTextsOf } from "#pipeline/guardrails/answer-texts.ts";
import type { AnswerText } from "#pipeline/guardrails/apply-guardrails.ts";
import { released, streamGuardOf, type StreamGuard } from "#pipeline/guardrails/stream-guard.ts";
import { NativeLane } from "#pipeline/native-lane.ts";
import { StreamRelay } from "#pipeline/relay-stream.ts";
import { outputBoundFor, outputBoundPatch } from "#pipeline/write-output-bound.ts";
import { isAnswer, isStream, malformed, readText, sendAttempt } from "#pipeline/send-attempt.ts";
import { sseEventFramer, TranslatedLane } from "#pipeline/translated-lane.ts";
import { isZeroRetention } from "#pipeline/zero-retention.ts";
import type { UpstreamAnswer } from "#upstream/answer.ts";

/**
 * The client's own bytes for the provider, with nothing changed but the model's name and the
 * gateway's own fields; `undefined` where the request has to be translated: another protocol, a
 * provider whose dialect differs, or opaque tokens that are another provider's.
 */
export function nativeBody(attempt: ChatAttempt): string | undefined {
  const { body, speech, route, call, request } = attempt;
  const { protocol, dialect } = speech;
  if (protocol !== call.exchange.protocol || dialect.answersDiffer === true) return undefined;
  if (request.stream && call.exchange.streamFormat === "json-array") return undefined;
  if (dialect.anthropicVersionInBody !== undefined) return undefined;
  if (body.text.includes(`"${WRAPPED_SIGNATURE_PREFIX}`)) return undefined;
  const forward = protocol === "openai-chat" ? chatForwardPatch(body.object, dialect) : {};
  if (forward === undefined) return undefined;
  const patch = { ...forward, ...boundPatch(attempt) };
  // Gemini names the model in the path, and so does its body when the client repeats it there.
  const model =
    "model" in body.object ? { model: JSON.stringify(route.endpoint.upstreamModel) } : {};
  const kept = mustNotStore(attempt) ? { store: "false" } : {};
  return patchObject(body.text, body.scan, { ...NO_GATEWAY_FIELDS, ...model, ...patch, ...kept });
}

/** The Responses API keeps answers unless it is told not to; a policy may say that nothing is kept. */
export const mustNotStore = ({ speech, call }: ChatAttempt): boolean =>
  speech.protocol === "openai-responses" &&
  (isZeroRetention(call) || call.access?.policy.deniedCapabilities.has("store") === true);

/** Nothing where nothing bounds the output, or the client's own bound is within it. */
function boundPatch({
  call,
  route,
  body,
  speech,
}: ChatAttempt): Record<string, string | undefined> {
  const bound = outputBoundFor(call, route);
  if (bound === undefined) return {};
  const { protocol } = call.exchange;
  return outputBoundPatch(body.object, { protocol, dialect: speech.dialect, bound });
}

export async function attemptNative(attempt: ChatAttempt, body: string): Promise<AttemptResult> {
  const { call, request } = attempt;
  const headers = clientProtocolHeaders(call.exchange.headers);
  const answer = await sendAttempt(call, attempt.attempt, {
    body,
    headers,
    stream: request.stream,
  });
  if (!isAnswer(answer)) return { failure: answer, lane: "native" };
  return request.stream && isStream(answer)
    ? nativeStream(attempt, answer)
    : nativeWhole(attempt, answer);
}

/** Of the streams with tools, as many are read in full: enough to know how well an endpoint calls them. */
const INSPECTED_SHARE = 0.1;

async function nativeStream(attempt: ChatAttempt, answer: UpstreamAnswer): Promise<AttemptResult> {
  const { call, client, request, speech, context } = attempt;
  const native = NATIVE_STREAMS[call.exchange.protocol];
  if (native === undefined) return { failure: malformed(answer, "") };
  const guard = streamGuardOf(call);
  // A policy that looks at answers gets the same bytes asked for and reads what answers them.
  if (guard !== undefined) return openGuarded(attempt, answer, guard);
  const parser = UPSTREAM_CODECS[speech.protocol].createStreamParser(speech.dialect);
  const lane = new NativeLane({
    native,
    parser,
    request,
    costUsd: context.costUsd,
    // All of them would be judged at the price of all streams being parsed.
    inspect: request.tools !== undefined && call.gateway.random() < INSPECTED_SHARE,
    renderer: () => client.createStreamRenderer(context),
  });
  const relay = new StreamRelay(answer, lane, attempt.attempt.timeouts);
  const failure = await relay.opened();
  if (failure !== undefined) return { failure, lane: "native" };
  return { kind: "stream", ...answerBase(attempt, "native"), relay };
}

async function openGuarded(
  attempt: ChatAttempt,
  answer: UpstreamAnswer,
  guard: StreamGuard,
): Promise<AttemptResult> {
  const { speech, client, context } = attempt;
  const parser = UPSTREAM_CODECS[speech.protocol].createStreamParser(speech.dialect);
  const renderer = client.createStreamRenderer(context);
  const lane = new TranslatedLane({ framer: sseEventFramer(), parser, renderer, guard });
  const relay = new StreamRelay(answer, lane, attempt.attempt.timeouts);
  const failure = await relay.opened();
  if (failure !== undefined) return { failure, lane: "native" };
  return { kind: "stream", ...answerBase(attempt, "native"), relay, ...released(guard, renderer) };
}

async function nativeWhole(attempt: ChatAttempt, answer: UpstreamAnswer): Promise<AttemptResult> {
  const { speech, request } = attempt;
  const codec = UPSTREAM_CODECS[speech.protocol];
  const text = await readText(answer);
  if (typeof text !== "string") return { failure: text, lane: "native" };
  if (answer.status >= 300) {
    const { status, headers } = answer;
    return { failure: codec.parseError({ status, headers, text }), lane: "native" };
  }
  const object = parseObject(text);
  if (object === undefined) return { failure: malformed(answer, text), lane: "native" };
  const response = codec.parseResponse(object, speech.dialect);
  if ("code" in response) return { failure: response, lane: "native" };
  // A whole answer to a client that asked for a stream: render it as one.
  if (request.stream) return foldedAnswer(attempt, response, "native");
  const base = answerBase(attempt, "native", response);
  const usage = response.usage ?? base.estimateUsage(0);
  const body = withUsageCost(text, object, { usage, costUsd: attempt.context.costUsd });
  const finish = response.candidates[0]?.finishReason ?? null;
  const upstreamId = response.id || null;
  const texts = (): readonly AnswerText[] => answerTextsOf(response);
  const toolCalls = callsIn(response);
  return { kind: "whole", ...base, usage, finish, upstreamId, toolCalls, texts, body };
}

/** The answer as it came, with `cost` put into its usage. */
function withUsageCost(
  text: string,
  object: JsonObject,
  cost: { readonly usage: Usage; readonly costUsd: (usage: Usage) => number | null },
): string {
  const key = "usageMetadata" in object ? "usageMetadata" : "usage";
  const usage = object[key];
  if (!isObject(usage)) return text;
  const costUsd = cost.costUsd(cost.usage);
  const span = findLastObject(text, key);
  if (span !== undefined && !("cost" in usage)) {
    return insertCost(text, { at: span.start + 1, usage, costUsd });
  }
  return patchObject(text, scanObject(text), {
    [key]: JSON.stringify({ ...usage, cost: costUsd }),
  });
}
