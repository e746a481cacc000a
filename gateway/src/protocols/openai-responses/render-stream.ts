import { renderSse } from "#lib/sse.ts";
import type { JsonObject } from "#lib/json.ts";
import type { Failure } from "#canonical/failure.ts";
import type { FinishReason } from "#canonical/chat-response.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import type { Usage } from "#canonical/usage.ts";
import type { AnswerContext, StreamRenderer } from "#protocols/codec.ts";
import { renderFinishReason } from "./finish-reason.ts";
import { OutputBuilder } from "./output-builder.ts";
import { renderEnvelope } from "./render-envelope.ts";
import type { Envelope } from "./render-envelope.ts";
import { streamError } from "./render-error.ts";
import { renderUsage } from "./render-usage.ts";

/** Writes one stream; there is no `[DONE]` in this dialect, its last event closes it. */
export const createStreamRenderer = (context: AnswerContext): StreamRenderer =>
  new ResponsesStream(context);

class ResponsesStream implements StreamRenderer {
  readonly #context: AnswerContext;
  readonly #builder: OutputBuilder;
  #sequence = 0;
  #usage: Usage | undefined;
  #finish: FinishReason | undefined;
  #isOver = false;

  constructor(context: AnswerContext) {
    this.#context = context;
    this.#builder = new OutputBuilder(context);
  }

  push(event: StreamEvent): string {
    if (this.#isOver) return "";
    if (event.type === "error") return this.fail(event.failure);
    if (event.type === "usage") this.#usage = event.usage;
    else if (event.type === "finish") this.#finished(event);
    else if (event.type === "response-start") return this.#begin();
    else return this.#begin() + this.#write(this.#builder.push(event));
    return "";
  }

  #finished({ reason, candidate = 0 }: Extract<StreamEvent, { type: "finish" }>): void {
    if (candidate === 0) this.#finish = reason;
  }

  end(): string {
    if (this.#isOver) return "";
    if (this.#finish === undefined) {
      const message = "The provider's answer broke off before its end.";
      return this.fail({ code: "upstream_truncated", message });
    }
    const { status, reason } = renderFinishReason(this.#finish);
    const text = this.#begin() + this.#write(this.#builder.end());
    this.#isOver = true;
    const incomplete = reason !== undefined && { incompleteReason: reason };
    return text + this.#terminal(`response.${status}`, { status, ...incomplete });
  }

  fail(failure: Failure): string {
    if (this.#isOver) return "";
    const text = this.#begin();
    this.#isOver = true;
    const error = streamError(failure);
    return text + this.#terminal("response.failed", { status: "failed", error });
  }

  /** The two events that every stream starts with, once. */
  #begin(): string {
    if (this.#sequence > 0) return "";
    const response = renderEnvelope(this.#context, { status: "in_progress", output: [] });
    return this.#write([
      { type: "response.created", response },
      { type: "response.in_progress", response },
    ]);
  }

  #terminal(type: string, envelope: Omit<Envelope, "output" | "usage">): string {
    const usage = this.#usage;
    const response = renderEnvelope(this.#context, {
      ...envelope,
      // A failed answer has holes where items were being written.
      output: this.#builder.output.filter(() => true),
      ...(usage !== undefined && { usage: renderUsage(usage, this.#context) }),
    });
    return this.#write([{ type, response }]);
  }

  #write(events: readonly JsonObject[]): string {
    let text = "";
    for (const { type, ...members } of events) {
      const data = { type, sequence_number: this.#sequence++, ...members };
      text += renderSse(JSON.stringify(data), String(type));
    }
    return text;
  }
}
