import type { JsonObject } from "#lib/json.ts";
import type { ChatResponse } from "#canonical/chat-response.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import { unfoldResponse } from "#canonical/unfold-response.ts";
import type { AnswerContext } from "#protocols/codec.ts";
import { renderFinishReason } from "./finish-reason.ts";
import { OutputBuilder } from "./output-builder.ts";
import { renderEnvelope } from "./render-envelope.ts";
import { renderUsage } from "./render-usage.ts";

/** Writes a whole response: the same items that its stream would bring. */
export function renderResponse(response: ChatResponse, context: AnswerContext): JsonObject {
  const [candidate, ...others] = response.candidates;
  if (others.length > 0) context.reportLoss("n", "the Responses API gives one answer");
  const builder = new OutputBuilder(context);
  for (const event of withLogprobs(response)) if ("index" in event) builder.push(event);
  builder.end();
  const { status, reason } = renderFinishReason(candidate?.finishReason ?? "other");
  const { usage, serviceTier } = response;
  return renderEnvelope(context, {
    status,
    output: builder.output,
    ...(reason !== undefined && { incompleteReason: reason }),
    ...(usage !== undefined && { usage: renderUsage(usage, context) }),
    ...(serviceTier !== undefined && { serviceTier }),
  });
}

/** Log probabilities are the candidate's; here they stand on its first text. */
function withLogprobs(response: ChatResponse): StreamEvent[] {
  const events = unfoldResponse(response);
  const logprobs = response.candidates[0]?.logprobs;
  const first = events.findIndex(({ type }) => type === "text-delta");
  const delta = events[first];
  if (logprobs === undefined || delta?.type !== "text-delta") return events;
  return events.with(first, { ...delta, logprobs });
}
