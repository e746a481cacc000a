import type { Candidate, ChatResponse } from "#canonical/chat-response.ts";
import type { Part } from "#canonical/message.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";

/** The events that a stream of this whole response would have brought: one delta a block. */
export function unfoldResponse(response: ChatResponse): StreamEvent[] {
  const { id, model, created } = response;
  const events: StreamEvent[] = [
    { type: "response-start", id, model, ...(created !== undefined && { created }) },
  ];
  let index = 0;
  for (const [at, candidate] of response.candidates.entries()) {
    for (const part of candidate.parts) {
      const block = at === 0 ? { index } : { index, candidate: at };
      events.push(...unfoldPart(part, block));
      index++;
    }
    events.push(finishEvent(candidate, at));
  }
  if (response.usage !== undefined) events.push({ type: "usage", usage: response.usage });
  return events;
}

function finishEvent(candidate: Candidate, at: number): StreamEvent {
  const { finishReason: reason, stopSequence } = candidate;
  const finish = { type: "finish", reason, ...(at > 0 && { candidate: at }) } as const;
  return stopSequence === undefined ? finish : { ...finish, stopSequence };
}

/** The events of one block that is there as a whole. */
export function unfoldPart(
  part: Part,
  { index, candidate }: { readonly index: number; readonly candidate?: number },
): StreamEvent[] {
  const block = candidate === undefined ? { index } : { index, candidate };
  switch (part.type) {
    case "text": {
      const { text, signature, citations = [] } = part;
      return [
        { type: "text-start", ...block },
        { type: "text-delta", text, ...block },
        ...citations.map((citation) => ({ type: "citation", citation, ...block }) as const),
        { type: "text-end", ...block, ...(signature !== undefined && { signature }) },
      ];
    }
    case "refusal":
      return [
        { type: "refusal-start", ...block },
        { type: "refusal-delta", text: part.text, ...block },
        { type: "refusal-end", ...block },
      ];
    case "reasoning": {
      const { text, signature, summary } = part;
      return [
        { type: "reasoning-start", ...block, ...(summary === true && { summary }) },
        { type: "reasoning-delta", text, ...block },
        { type: "reasoning-end", ...block, ...(signature !== undefined && { signature }) },
      ];
    }
    case "tool-call": {
      const { id, name, namespace, kind, input, signature } = part;
      const named = { id, name, kind, ...(namespace !== undefined && { namespace }) };
      const signed = signature !== undefined && { signature };
      return [
        { type: "tool-call-start", ...named, ...block, ...signed },
        { type: "tool-call-delta", text: input, ...block },
        { type: "tool-call-end", ...block, ...signed },
      ];
    }
    default:
      return [{ type: "part", part, ...block }];
  }
}
