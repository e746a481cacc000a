import type { Failure } from "#canonical/failure.ts";
import { openaiErrorObject } from "#canonical/openai-error.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import type { Usage } from "#canonical/usage.ts";
import type { JsonObject } from "#lib/json.ts";
import { renderSse } from "#lib/sse.ts";
import type { AnswerContext, StreamRenderer } from "#protocols/codec.ts";

import {
  completionHead,
  renderFinishReason,
  renderLogprobs,
  renderUsage,
} from "./render-choice.ts";

/** A renderer of one streamed answer as `text_completion` chunks. */
export const createStreamRenderer = (context: AnswerContext): StreamRenderer =>
  new CompletionStreamRenderer(context);

class CompletionStreamRenderer implements StreamRenderer {
  readonly #context: AnswerContext;
  readonly #head: JsonObject;
  /** Text sent of each answer, for the offsets of scored tokens. */
  readonly #lengths = new Map<number, number>();
  #usage: Usage | undefined;

  constructor(context: AnswerContext) {
    this.#context = context;
    this.#head = completionHead(context);
  }

  push(event: StreamEvent): string {
    switch (event.type) {
      case "text-delta":
      case "refusal-delta":
        return this.#text(event);
      case "reasoning-start":
      case "tool-call-start":
      case "part":
        this.#context.reportLoss(
          `answer.${event.type === "part" ? event.part.type : event.type.replace("-start", "")}`,
          "a completion can only be text",
        );
        return "";
      case "usage":
        this.#usage = event.usage;
        return "";
      case "finish": {
        const beside = { logprobs: null, finish_reason: renderFinishReason(event.reason) };
        return this.#chunk({ text: "", index: event.candidate ?? 0, ...beside });
      }
      default:
        return "";
    }
  }

  end(): string {
    const usage = this.#usage;
    const done = renderSse("[DONE]");
    if (usage === undefined || this.#context.request.includeUsage !== true) return done;
    const chunk = { ...this.#head, choices: [], usage: renderUsage(usage, this.#context) };
    return renderSse(JSON.stringify(chunk)) + done;
  }

  fail(failure: Failure): string {
    const choices = [{ text: "", index: 0, logprobs: null, finish_reason: "error" }];
    const chunk = { ...this.#head, choices, error: openaiErrorObject(failure) };
    return renderSse(JSON.stringify(chunk));
  }

  #text(event: Extract<StreamEvent, { type: "text-delta" | "refusal-delta" }>): string {
    const { text, candidate: index = 0 } = event;
    const scored = event.type === "text-delta" ? event.logprobs : undefined;
    if (text === "") return "";
    const offset = this.#lengths.get(index) ?? 0;
    this.#lengths.set(index, offset + text.length);
    const logprobs = scored === undefined ? null : renderLogprobs(scored, offset);
    return this.#chunk({ text, index, logprobs, finish_reason: null });
  }

  #chunk(choice: JsonObject): string {
    return renderSse(JSON.stringify({ ...this.#head, choices: [choice] }));
  }
}
