import type { Failure } from "#canonical/failure.ts";
import { parseObject } from "#lib/json.ts";
import { AwsEventFramer } from "#protocols/bedrock-converse/frames.ts";
import { UPSTREAM_CODECS } from "#protocols/registry.ts";
import type { FormatTarget } from "#protocols/codec.ts";
import { composeAdaptations, restoringParser, type Adaptation } from "#pipeline/adapt-request.ts";
import type { AttemptResult } from "#pipeline/call.ts";
import type { ChatAttempt } from "#pipeline/chat.ts";
import { answerBase, foldedAnswer } from "#pipeline/chat-answer.ts";
import { mustNotStore } from "#pipeline/chat-native.ts";
import { emulateStructuredOutput } from "#pipeline/emulate-structured-output.ts";
import { headerText } from "#pipeline/exchange.ts";
import { released, streamGuardOf } from "#pipeline/guardrails/stream-guard.ts";
import { StreamRelay } from "#pipeline/relay-stream.ts";
import { withSafeToolNames } from "#pipeline/safe-tool-names.ts";
import { isAnswer, isStream, malformed, readText, sendAttempt } from "#pipeline/send-attempt.ts";
import { sseEventFramer, TranslatedLane, type EventFramer } from "#pipeline/translated-lane.ts";
import type { UpstreamAnswer } from "#upstream/answer.ts";

/** Calls a route whose protocol or dialect is not the client's. */
export async function attemptTranslated(attempt: ChatAttempt): Promise<AttemptResult> {
  const { call, route, request, speech, losses, context } = attempt;
  const codec = UPSTREAM_CODECS[speech.protocol];
  const { endpoint } = route;
  const target = { upstreamModel: endpoint.upstreamModel, dialect: speech.dialect };
  const adaptation = adaptationFor(attempt, target);
  const rendered = codec.renderRequest(adaptation?.request ?? request, {
    ...target,
    reportLoss: context.reportLoss,
    ...(endpoint.maxOutputTokens !== undefined && { maxOutputTokens: endpoint.maxOutputTokens }),
  });
  if (call.options?.provider.requireParameters === true && losses.length > 0) {
    return { failure: parametersRefused(attempt), lane: "translated" };
  }
  const answer = await sendAttempt(call, attempt.attempt, {
    body: JSON.stringify(
      mustNotStore(attempt) ? { ...rendered.body, store: false } : rendered.body,
    ),
    headers: rendered.headers ?? {},
    stream: request.stream,
  });
  if (!isAnswer(answer)) return { failure: answer, lane: "translated" };
  return request.stream && isStream(answer)
    ? openStream(attempt, answer, adaptation)
    : readWhole(attempt, answer, adaptation);
}

/** What must change in the request, whatever its protocol, for this provider to take it. */
function adaptationFor(
  { request, speech, context }: ChatAttempt,
  target: FormatTarget,
): Adaptation | undefined {
  const codec = UPSTREAM_CODECS[speech.protocol];
  return composeAdaptations(request, [
    withSafeToolNames,
    (adapted) =>
      codec.lacksFormat?.(adapted, target) === true
        ? emulateStructuredOutput(adapted, context.reportLoss)
        : undefined,
  ]);
}

async function openStream(
  attempt: ChatAttempt,
  answer: UpstreamAnswer,
  adaptation: Adaptation | undefined,
): Promise<AttemptResult> {
  const { speech, client, context } = attempt;
  const parser = UPSTREAM_CODECS[speech.protocol].createStreamParser(speech.dialect);
  const renderer = client.createStreamRenderer(context);
  const guard = streamGuardOf(attempt.call);
  const lane = new TranslatedLane({
    framer: framerFor(answer),
    parser: adaptation === undefined ? parser : restoringParser(parser, adaptation),
    renderer,
    guard,
  });
  const relay = new StreamRelay(answer, lane, attempt.attempt.timeouts);
  const failure = await relay.opened();
  if (failure !== undefined) return { failure, lane: "translated" };
  return {
    kind: "stream",
    ...answerBase(attempt, "translated"),
    relay,
    ...released(guard, renderer),
  };
}

function framerFor(answer: UpstreamAnswer): EventFramer {
  const type = headerText(answer.headers, "content-type") ?? "";
  return type.includes("vnd.amazon.eventstream") ? new AwsEventFramer() : sseEventFramer();
}

async function readWhole(
  attempt: ChatAttempt,
  answer: UpstreamAnswer,
  adaptation: Adaptation | undefined,
): Promise<AttemptResult> {
  const { speech } = attempt;
  const codec = UPSTREAM_CODECS[speech.protocol];
  const text = await readText(answer);
  if (typeof text !== "string") return { failure: text, lane: "translated" };
  if (answer.status >= 300) {
    const { status, headers } = answer;
    return { failure: codec.parseError({ status, headers, text }), lane: "translated" };
  }
  const object = parseObject(text);
  if (object === undefined) return { failure: malformed(answer, text), lane: "translated" };
  const response = codec.parseResponse(object, speech.dialect);
  if ("code" in response) return { failure: response, lane: "translated" };
  const restored = adaptation?.restoreResponse(response) ?? response;
  return foldedAnswer(attempt, restored, "translated");
}

function parametersRefused({ losses, route }: ChatAttempt): Failure {
  const lost = losses.slice(0, 5).map(({ field, reason }) => `${field} (${reason})`);
  const first = losses[0];
  return {
    code: "unsupported_parameter",
    message: `${route.endpoint.provider} cannot do all that the request asks: ${lost.join("; ")}. Leave these out, or do not set provider.require_parameters.`,
    ...(first !== undefined && { field: first.field }),
  };
}
