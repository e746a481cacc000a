import { customToolInput, isCustomTool } from "#canonical/custom-tool.ts";
import type { Failure } from "#canonical/failure.ts";
import type { Part } from "#canonical/message.ts";
import { openaiErrorObject } from "#canonical/openai-error.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import { unfoldPart } from "#canonical/unfold-response.ts";
import type { Usage } from "#canonical/usage.ts";
import type { JsonObject } from "#lib/json.ts";
import { renderSse } from "#lib/sse.ts";
import type { AnswerContext, StreamRenderer } from "#protocols/codec.ts";

import { renderFinishReason } from "./finish-reason.ts";
import { renderSignatureDetail, renderTextDetail } from "./reasoning-details.ts";
import {
  completionId,
  renderAnswerAudio,
  renderAnswerImage,
  renderCitation,
  reportUnsayable,
  showsReasoning,
  signatureExtra,
} from "./render-answer.ts";
import { renderUsage } from "./render-usage.ts";

type Event<Type extends StreamEvent["type"]> = Extract<StreamEvent, { type: Type }>;

/** A renderer of one streamed answer as `chat.completion.chunk`s. */
export const createStreamRenderer = (context: AnswerContext): StreamRenderer =>
  new ChatStreamRenderer(context);

/** A tool call being streamed. */
interface OpenCall {
  readonly position: number;
  readonly kind: "function" | "custom";
  /** Declared as custom, called as a function: the input can only be read when it is whole. */
  readonly unwraps: boolean;
  /** Its signature went out with the start. */
  readonly signed: boolean;
  input: string;
}

interface OpenThought {
  readonly position: number;
  readonly summary: boolean;
  hasText: boolean;
}

/** What has been sent of one answer. */
interface Sent {
  role: boolean;
  textLength: number;
  /** Length of the text where the open block began. */
  blockStart: number;
  calls: number;
  thoughts: number;
  images: number;
  hasThoughtText: boolean;
}

class ChatStreamRenderer implements StreamRenderer {
  readonly #context: AnswerContext;
  /** All chunks begin alike. */
  readonly #head: JsonObject;
  readonly #sent = new Map<number, Sent>();
  readonly #calls = new Map<number, OpenCall>();
  readonly #thoughts = new Map<number, OpenThought>();
  #usage: Usage | undefined;

  constructor(context: AnswerContext) {
    this.#context = context;
    this.#head = {
      id: completionId(context),
      object: "chat.completion.chunk",
      created: context.created,
      model: context.model,
    };
  }

  push(event: StreamEvent): string {
    switch (event.type) {
      case "text-start":
        this.#of(event).blockStart = this.#of(event).textLength;
        return "";
      case "text-delta":
        return this.#text(event);
      case "text-end":
        return event.signature === undefined
          ? ""
          : this.#chunk(event, signatureExtra(event.signature));
      case "citation":
        return this.#citation(event);
      case "refusal-delta":
        return this.#chunk(event, { refusal: event.text });
      case "reasoning-start":
      case "reasoning-delta":
      case "reasoning-end":
        return showsReasoning(this.#context) ? this.#reasoning(event) : "";
      case "tool-call-start":
      case "tool-call-delta":
      case "tool-call-end":
        return this.#toolCall(event);
      case "part":
        return this.#part(event);
      case "usage":
        this.#usage = event.usage;
        return "";
      case "finish":
        return this.#chunk(event, {}, { finish_reason: renderFinishReason(event.reason) });
      case "response-start":
      case "refusal-start":
      case "refusal-end":
      case "error":
        return "";
    }
  }

  /** Usage comes last, in a chunk without choices, and only for clients that asked for it. */
  end(): string {
    const usage = this.#usage;
    const wanted = this.#context.request.includeUsage === true;
    if (usage === undefined || !wanted) return renderSse("[DONE]");
    const rendered = renderUsage(usage, this.#context.costUsd(usage));
    const chunk = { ...this.#head, choices: [], usage: rendered };
    return renderSse(JSON.stringify(chunk)) + renderSse("[DONE]");
  }

  /** No `[DONE]`: clients must not take a broken answer for a whole one. */
  fail(failure: Failure): string {
    const choices = [{ index: 0, delta: { content: "" }, finish_reason: "error" }];
    const chunk = { ...this.#head, choices, error: openaiErrorObject(failure) };
    return renderSse(JSON.stringify(chunk));
  }

  #of({ candidate = 0 }: { readonly candidate?: number }): Sent {
    const known = this.#sent.get(candidate);
    if (known !== undefined) return known;
    const sent: Sent = {
      role: false,
      textLength: 0,
      blockStart: 0,
      calls: 0,
      thoughts: 0,
      images: 0,
      hasThoughtText: false,
    };
    this.#sent.set(candidate, sent);
    return sent;
  }

  #chunk(
    event: { readonly candidate?: number },
    delta: JsonObject,
    beside: JsonObject = { finish_reason: null },
  ): string {
    const sent = this.#of(event);
    const first = sent.role ? delta : { role: "assistant", content: "", ...delta };
    sent.role = true;
    const choice = { index: event.candidate ?? 0, delta: first, logprobs: null, ...beside };
    return renderSse(JSON.stringify({ ...this.#head, choices: [choice] }));
  }

  #text(event: Event<"text-delta">): string {
    const { text, logprobs } = event;
    if (text === "" && logprobs === undefined) return "";
    this.#of(event).textLength += text.length;
    const scored = logprobs === undefined ? {} : { logprobs: { content: logprobs, refusal: null } };
    return this.#chunk(event, { content: text }, { ...scored, finish_reason: null });
  }

  #citation(event: Event<"citation">): string {
    const { blockStart, textLength } = this.#of(event);
    const annotation = renderCitation(event.citation, { start: blockStart, end: textLength });
    return annotation === undefined ? "" : this.#chunk(event, { annotations: [annotation] });
  }

  #reasoning(event: Event<"reasoning-start" | "reasoning-delta" | "reasoning-end">): string {
    const sent = this.#of(event);
    if (event.type === "reasoning-start") {
      const summary = event.summary === true;
      this.#thoughts.set(event.index, { position: sent.thoughts++, summary, hasText: false });
      return "";
    }
    const thought = this.#thoughts.get(event.index);
    if (thought === undefined) return "";
    if (event.type === "reasoning-delta") return this.#thoughtText(event, thought);
    this.#thoughts.delete(event.index);
    if (event.signature === undefined) return "";
    const detail = renderSignatureDetail(event.signature, thought.position);
    return this.#chunk(event, { reasoning_details: [detail] });
  }

  /** Thoughts are told apart by a blank line in the plain text, as in a whole answer. */
  #thoughtText(event: Event<"reasoning-delta">, thought: OpenThought): string {
    const { text } = event;
    if (text === "") return "";
    const sent = this.#of(event);
    const plain = sent.hasThoughtText && !thought.hasText ? `\n\n${text}` : text;
    sent.hasThoughtText = true;
    thought.hasText = true;
    const details = [renderTextDetail(text, thought.summary, thought.position)];
    return this.#chunk(event, { reasoning_content: plain, reasoning_details: details });
  }

  #toolCall(event: Event<"tool-call-start" | "tool-call-delta" | "tool-call-end">): string {
    if (event.type === "tool-call-start") return this.#callStart(event);
    const call = this.#calls.get(event.index);
    if (call === undefined) return "";
    if (event.type === "tool-call-end") return this.#callEnd(event, call);
    if (event.text === "") return "";
    call.input += event.text;
    return call.unwraps ? "" : this.#callInput(event, call, event.text);
  }

  #callStart(event: Event<"tool-call-start">): string {
    const { id, name, kind, signature } = event;
    const unwraps = kind === "function" && isCustomTool(this.#context.request.tools, name);
    const position = this.#of(event).calls++;
    const signed = signature !== undefined;
    this.#calls.set(event.index, { position, kind, unwraps, signed, input: "" });
    const called =
      kind === "custom" || unwraps
        ? { type: "custom", custom: { name, input: "" } }
        : { type: "function", function: { name, arguments: "" } };
    // AI SDK (opencode's client) reads a call's signature from the first fragment alone.
    const extra = signed ? signatureExtra(signature) : {};
    return this.#chunk(event, { tool_calls: [{ index: position, id, ...called, ...extra }] });
  }

  #callInput(event: { readonly candidate?: number }, call: OpenCall, text: string): string {
    const { position, kind, unwraps } = call;
    const input =
      kind === "custom" || unwraps
        ? { custom: { input: text } }
        : { function: { arguments: text } };
    return this.#chunk(event, { tool_calls: [{ index: position, ...input }] });
  }

  #callEnd(event: Event<"tool-call-end">, call: OpenCall): string {
    this.#calls.delete(event.index);
    let rest = "";
    if (call.unwraps) rest = this.#callInput(event, call, customToolInput(call.input));
    // No arguments are `{}` to OpenAI's clients, which parse the text as JSON.
    else if (call.kind === "function" && call.input === "") {
      rest = this.#callInput(event, call, "{}");
    }
    if (event.signature === undefined || call.signed) return rest;
    // AI SDK's schema wants `function` in every fragment.
    const called = { index: call.position, function: { arguments: "" } };
    const signed = { ...called, ...signatureExtra(event.signature) };
    return rest + this.#chunk(event, { tool_calls: [signed] });
  }

  #part(event: Event<"part">): string {
    const { part } = event;
    switch (part.type) {
      case "image": {
        const image = renderAnswerImage(part, this.#of(event).images++);
        return image === undefined
          ? this.#unsayable(part)
          : this.#chunk(event, { images: [image] });
      }
      case "audio":
        return this.#chunk(event, { audio: renderAnswerAudio(part, this.#context) });
      case "text":
      case "refusal":
      case "reasoning":
      case "tool-call":
        return unfoldPart(part, event)
          .map((piece) => this.push(piece))
          .join("");
      default:
        return this.#unsayable(part);
    }
  }

  #unsayable(part: Part): string {
    reportUnsayable(part, this.#context);
    return "";
  }
}
