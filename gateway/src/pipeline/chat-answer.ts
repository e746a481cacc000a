import type { ChatResponse } from "#canonical/chat-response.ts";
import { estimateInputTokens, estimateTokens } from "#canonical/estimate-tokens.ts";
import { unfoldResponse } from "#canonical/unfold-response.ts";
import type { Usage } from "#canonical/usage.ts";
import type { AttemptResult } from "#pipeline/call.ts";
import type { ChatAttempt } from "#pipeline/chat.ts";
import { answerTextsOf } from "#pipeline/guardrails/answer-texts.ts";
import type { AnswerText } from "#pipeline/guardrails/apply-guardrails.ts";
import { released, streamGuardOf } from "#pipeline/guardrails/stream-guard.ts";
import { StreamRelay } from "#pipeline/relay-stream.ts";
import { newStreamState, noteEvent, type SeenToolCall } from "#pipeline/stream-state.ts";
import type { UpstreamAnswer } from "#upstream/answer.ts";

/** What every answer of an attempt has. */
export function answerBase<Lane extends "native" | "translated">(
  { route, losses, tier, request }: ChatAttempt,
  lane: Lane,
  response?: ChatResponse,
) {
  const { maxOutputTokens, tools } = request;
  return {
    route,
    lane,
    losses,
    tier,
    ...(maxOutputTokens !== undefined && { outputBound: maxOutputTokens }),
    ...(tools !== undefined && { tools }),
    /** Usage from lengths, for when a provider counted nothing; marked as an estimate. */
    estimateUsage: (deliveredTokens: number): Usage => ({
      inputTokens: estimateInputTokens(request),
      outputTokens: response === undefined ? deliveredTokens : answerTokens(response),
      estimated: true,
    }),
  };
}

function answerTokens(response: ChatResponse): number {
  const parts = response.candidates.flatMap((candidate) => candidate.parts);
  return parts.reduce((sum, part) => {
    if (part.type === "tool-call") return sum + estimateTokens(part.name + part.input);
    return "text" in part ? sum + estimateTokens(part.text) : sum;
  }, 0);
}

/** A whole response for the client: as one body, or as a stream when it asked for one. */
export function foldedAnswer(
  attempt: ChatAttempt,
  response: ChatResponse,
  lane: "native" | "translated",
): AttemptResult | Promise<AttemptResult> {
  const { client, context, request } = attempt;
  const base = answerBase(attempt, lane, response);
  const usage = response.usage ?? base.estimateUsage(0);
  const counted: ChatResponse = { ...response, usage };
  if (request.stream) return streamOf(attempt, counted, base);
  const body = JSON.stringify(client.renderResponse(counted, context));
  const finish = counted.candidates[0]?.finishReason ?? null;
  const upstreamId = counted.id || null;
  const texts = (): readonly AnswerText[] => answerTextsOf(counted);
  const toolCalls = callsIn(counted);
  return { kind: "whole", ...base, usage, finish, upstreamId, toolCalls, texts, body };
}

/** The function calls of a whole answer. */
export const callsIn = ({ candidates }: ChatResponse): readonly SeenToolCall[] =>
  candidates.flatMap(({ parts }) =>
    parts.flatMap((part) =>
      part.type === "tool-call" && part.kind === "function"
        ? [{ name: part.name, arguments: part.input }]
        : [],
    ),
  );

/** A response that came whole, as the stream that the client asked for. */
async function streamOf(
  { call, client, context, attempt }: ChatAttempt,
  response: ChatResponse,
  base: ReturnType<typeof answerBase>,
): Promise<AttemptResult> {
  const state = newStreamState();
  const renderer = client.createStreamRenderer(context);
  const guard = streamGuardOf(call);
  let text = "";
  for (const event of unfoldResponse(response)) {
    noteEvent(state, event);
    for (const allowed of guard?.push(event) ?? [event]) text += renderer.push(allowed);
  }
  if (guard?.failure !== undefined) return { failure: guard.failure };
  const withholds = guard?.release !== undefined;
  const lane = { state, push: () => text, end: () => (withholds ? "" : renderer.end()) };
  const relay = new StreamRelay(spokenAnswer, lane, attempt.timeouts);
  const failure = await relay.opened();
  return failure === undefined
    ? { kind: "stream", ...base, relay, ...released(guard, renderer) }
    : { failure };
}

/** An upstream that has said everything already. */
const spokenAnswer: UpstreamAnswer = {
  status: 200,
  headers: {},
  read: (sink) => {
    sink.data(Buffer.alloc(0));
    sink.end();
  },
  pause: () => undefined,
  resume: () => undefined,
  abort: () => undefined,
};
