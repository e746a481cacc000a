import type { ChatRequest } from "#canonical/chat-request.ts";
import type { Tool } from "#canonical/tool.ts";
import type { ServiceTier } from "#canonical/usage.ts";
import type { AnswerContext, ClientCodec, Loss } from "#protocols/codec.ts";
import { createArrayStreamRenderer } from "#protocols/gemini/render-stream.ts";
import { CLIENT_CODECS } from "#protocols/registry.ts";
import type { Speech } from "#providers/provider.ts";
import type { Attempt } from "#pipeline/attempt.ts";
import type { Call, ParsedCall } from "#pipeline/call.ts";
import { chargeUsd } from "#pipeline/call-money.ts";
import { chatSpending } from "#pipeline/chat-spending.ts";
import { capabilitiesUsed } from "#pipeline/capabilities-used.ts";
import { attemptNative, nativeBody } from "#pipeline/chat-native.ts";
import { attemptTranslated } from "#pipeline/chat-translated.ts";
import type { Exchange } from "#pipeline/exchange.ts";
import { withoutGatewayFields } from "#pipeline/gateway-options.ts";
import type { JsonBody } from "#pipeline/read-body.ts";
import { assessInputOf, chatNeeds, conversationOf, tierOf } from "#routing/auto-request.ts";
import { outputBoundFor, withOutputBound } from "#pipeline/write-output-bound.ts";
import type { Route } from "#routing/route.ts";

/** What the attempts of one chat request have in common. */
export interface ChatCall {
  readonly call: Call;
  readonly client: ClientCodec;
  readonly request: ChatRequest;
  readonly body: JsonBody;
  readonly tier: ServiceTier;
}

/** One attempt's surroundings for the codecs. */
export interface ChatAttempt extends ChatCall {
  readonly attempt: Attempt;
  readonly route: Route;
  readonly speech: Speech;
  readonly losses: Loss[];
  readonly context: AnswerContext;
}

/** Reads a chat request of any dialect. Throws `GatewayError` naming the field at fault. */
export function parseChat(call: Call, body: JsonBody): ParsedCall {
  const { exchange } = call;
  const client = clientCodec(exchange);
  const request = client.parseRequest({
    body: withoutGatewayFields(body.object),
    headers: exchange.headers,
    ...(exchange.pathModel !== undefined && { pathModel: exchange.pathModel }),
    ...(exchange.pathVerb !== undefined && { pathVerb: exchange.pathVerb }),
  });
  const needs = chatNeeds(request, exchange.protocol);
  const chat: ChatCall = { call, client, request, body, tier: tierOf(request.serviceTier) };
  return {
    model: request.model,
    stream: request.stream,
    needs,
    spending: chatSpending(request, { needs, tier: chat.tier }),
    sideEffects: (request.tools ?? []).some(actsOnTheWorld),
    capabilities: () => capabilitiesUsed(request),
    assessInput: () => assessInputOf(request, needs),
    isContinued: request.messages.some(({ role }) => role === "assistant"),
    sessionKey: (ids) => conversationOf(request, ids),
    ...(request.user !== undefined && { endUser: request.user }),
    attempt: (attempt) => callRoute(chat, attempt),
    renderStreamFailure: (failure) =>
      client.createStreamRenderer(answerContext(chat, undefined, [])).fail(failure),
  };
}

/** A provider's own tools of other kinds may be somebody's connectors, with the rights to change things. */
const actsOnTheWorld = (tool: Tool): boolean =>
  tool.type === "server" && (tool.kind === "other" || tool.kind === "code-execution");

function clientCodec({ protocol, streamFormat }: Exchange): ClientCodec {
  const codec = CLIENT_CODECS[protocol];
  return streamFormat === "json-array"
    ? { ...codec, createStreamRenderer: createArrayStreamRenderer }
    : codec;
}

function callRoute(chat: ChatCall, attempt: Attempt): ReturnType<ParsedCall["attempt"]> {
  const { route } = attempt;
  const losses: Loss[] = [];
  const speech = route.speech as Speech;
  const context = answerContext(chat, route, losses);
  const bound = outputBoundFor(chat.call, route);
  const request = bound === undefined ? chat.request : withOutputBound(chat.request, bound);
  const surroundings: ChatAttempt = { ...chat, request, attempt, route, speech, losses, context };
  const native = nativeBody(surroundings);
  return native === undefined
    ? attemptTranslated(surroundings)
    : attemptNative(surroundings, native);
}

function answerContext(chat: ChatCall, route: Route | undefined, losses: Loss[]): AnswerContext {
  const { exchange } = chat.call;
  return {
    request: chat.request,
    requestId: exchange.requestId,
    model: route?.endpoint.upstreamModel ?? chat.request.model,
    created: Math.floor(exchange.startedAt / 1000),
    costUsd: (usage) =>
      route === undefined ? null : chargeUsd(chat.call, route, { usage, tier: chat.tier }),
    reportLoss: lossReporter(losses),
  };
}

/** A client is told so many losses; a body of 200,000 unknown fields must not fill its record with them. */
const MAX_LOSSES = 100;

/** The same field of many messages is one loss, not a hundred. */
function lossReporter(losses: Loss[]): AnswerContext["reportLoss"] {
  return (field, reason) => {
    if (losses.length >= MAX_LOSSES) return;
    if (losses.some((loss) => loss.field === field && loss.reason === reason)) return;
    losses.push({ field, reason });
  };
}
