import { carriedSignature, TEXT_OWNER } from "#canonical/carried-signature.ts";
import type { JsonObject } from "#lib/json.ts";
import { customToolInput, isCustomTool } from "#canonical/custom-tool.ts";
import type { Part } from "#canonical/message.ts";
import { signatureText } from "#canonical/signature.ts";
import type { Signature } from "#canonical/signature.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import { flatToolName } from "#canonical/tool.ts";
import type { AnswerContext } from "#protocols/codec.ts";
import { renderAnnotation } from "./citations.ts";
import { itemId } from "./item-ids.ts";
import {
  added,
  callSpot,
  done,
  inputEvent,
  messageItem,
  outputText,
  reasoningPartAdded,
  reasoningSpot,
  spot,
} from "./output-items.ts";
import type { OpenBlock, OpenMessage, OpenReasoning } from "./output-items.ts";

type ContentEvent = Extract<StreamEvent, { index: number }>;
type BlockStart = Extract<ContentEvent, { type: `${string}-start` }>;
type BlockDelta = Extract<ContentEvent, { text: string }>;
type CallStart = Extract<StreamEvent, { type: "tool-call-start" }>;

const isStart = (event: ContentEvent): event is BlockStart => event.type.endsWith("-start");

/**
 * Builds `output` from canonical events and says what a stream must tell about it: `push` returns
 * wire events without their `sequence_number`.
 */
export class OutputBuilder {
  /** Finished items; a place is empty while its item is being written. */
  readonly output: JsonObject[] = [];
  readonly #context: AnswerContext;
  readonly #blocks = new Map<number, OpenBlock>();
  #message: OpenMessage | undefined;
  #next = 0;

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  push(event: ContentEvent): JsonObject[] {
    // The API has one answer only.
    if ((event.candidate ?? 0) > 0) return [];
    if (event.type === "part") return this.#whole(event.part);
    if (event.type === "citation") return this.#citation(event);
    if ("text" in event) return this.#delta(event);
    return isStart(event) ? this.#open(event) : this.#close(event);
  }

  /** Ends the message that text was last written to, and whatever a cut left open. */
  end(): JsonObject[] {
    const events: JsonObject[] = [];
    for (const index of Array.from(this.#blocks.keys())) {
      events.push(...this.#close({ type: "text-end", index }));
    }
    events.push(...this.#closeMessage());
    return events;
  }

  #open(event: BlockStart): JsonObject[] {
    if (event.type === "tool-call-start") return this.#openCall(event);
    if (event.type === "reasoning-start") {
      return this.#openReasoning(event.index, event.summary === true);
    }
    return this.#openContent(event.index, event.type === "refusal-start");
  }

  #openContent(index: number, isRefusal: boolean): JsonObject[] {
    const events: JsonObject[] = [];
    let message = this.#message;
    if (message === undefined) {
      const at = this.#next++;
      const id = itemId("msg", this.#context.requestId, at);
      message = { at, id, content: [], openBlocks: 0 };
      this.#message = message;
      events.push(added(at, messageItem(message, "in_progress")));
    }
    const place = message.content.length;
    const part = isRefusal ? { type: "refusal", refusal: "" } : outputText("", [], []);
    message.content.push(part);
    message.openBlocks++;
    const texts = { text: [], annotations: [], logprobs: [] };
    this.#blocks.set(index, { type: "content", message, place, isRefusal, ...texts });
    events.push({ type: "response.content_part.added", ...spot(message, place), part });
    return events;
  }

  #openReasoning(index: number, summary: boolean): JsonObject[] {
    const events = this.#closeMessage();
    const at = this.#next++;
    const id = itemId("rs", this.#context.requestId, at);
    // A client that asks for a summary shows nothing else, whatever its provider calls the text.
    const { summary: wanted } = this.#context.request.reasoning ?? {};
    const isSummary = summary || (wanted !== undefined && wanted !== "none");
    this.#blocks.set(index, { type: "reasoning", at, id, isSummary, text: [] });
    events.push(added(at, { id, type: "reasoning", summary: [], status: "in_progress" }));
    return events;
  }

  #openCall(event: CallStart): JsonObject[] {
    const events = this.#closeMessage();
    const at = this.#next++;
    const { item, isWrapped } = this.#callItem(event, at);
    this.#blocks.set(event.index, { type: "call", at, item, isWrapped, text: [] });
    events.push(added(at, { ...item, status: "in_progress" }));
    return events;
  }

  /** Namespaces and free-text tools get their own form back, as the client declared them. */
  #callItem(event: CallStart, at: number): { item: JsonObject; isWrapped: boolean } {
    const { tools = [] } = this.#context.request;
    const { requestId } = this.#context;
    if (event.kind === "custom" || isCustomTool(tools, event.name)) {
      const id = itemId("ctc", requestId, at);
      const named = { call_id: event.id, name: event.name, input: "" };
      const isWrapped = event.kind === "function";
      return { item: { id, type: "custom_tool_call", ...named }, isWrapped };
    }
    const namespaced = tools.find(
      (tool) =>
        tool.type === "function" &&
        tool.namespace !== undefined &&
        flatToolName(tool) === event.name,
    );
    const { name, namespace } = namespaced?.type === "function" ? namespaced : event;
    const id = itemId("fc", requestId, at);
    const named = { call_id: event.id, name, ...(namespace !== undefined && { namespace }) };
    return { item: { id, type: "function_call", ...named, arguments: "" }, isWrapped: false };
  }

  #delta(event: BlockDelta): JsonObject[] {
    const block = this.#blocks.get(event.index);
    if (block === undefined || event.text === "") return [];
    const delta = event.text;
    const isFirst = block.text.length === 0;
    block.text.push(delta);
    if (block.type === "content") return contentDelta(block, event);
    if (block.type === "call") {
      if (block.isWrapped) return [];
      return [{ type: `${inputEvent(block.item)}.delta`, ...callSpot(block), delta }];
    }
    const kind = block.isSummary ? "reasoning_summary_text" : "reasoning_text";
    const events = isFirst ? [reasoningPartAdded(block)] : [];
    return [...events, { type: `response.${kind}.delta`, ...reasoningSpot(block), delta }];
  }

  #citation(event: Extract<StreamEvent, { type: "citation" }>): JsonObject[] {
    const block = this.#blocks.get(event.index);
    if (block?.type !== "content") return [];
    const annotation = renderAnnotation(event.citation, block.text.join("").length);
    if (annotation === undefined) {
      this.#context.reportLoss("citations", "a source without a web address was left out");
      return [];
    }
    block.annotations.push(annotation);
    return [
      {
        type: "response.output_text.annotation.added",
        ...spot(block.message, block.place),
        annotation_index: block.annotations.length - 1,
        annotation,
      },
    ];
  }

  #close(event: Extract<ContentEvent, { type: `${string}-end` }>): JsonObject[] {
    const block = this.#blocks.get(event.index);
    if (block === undefined) return [];
    this.#blocks.delete(event.index);
    const signature = event.type === "refusal-end" ? undefined : event.signature;
    if (block.type === "reasoning") return this.#closeReasoning(block, signature);
    const isContent = block.type === "content";
    const events = isContent ? this.#closeContent(block) : this.#closeCall(block);
    if (signature === undefined) return events;
    const owner = isContent ? TEXT_OWNER : String(block.item["call_id"]);
    return [...events, ...this.#carrySignature(carriedSignature(signature, owner))];
  }

  #carrySignature(signature: Signature): JsonObject[] {
    const token = this.#token(signature);
    if (token === undefined) {
      this.#context.reportLoss("signature", "the client did not ask for reasoning tokens");
      return [];
    }
    const events = this.#closeMessage();
    const at = this.#next++;
    const id = itemId("rs", this.#context.requestId, at);
    const item = { id, type: "reasoning", summary: [], encrypted_content: token };
    this.output[at] = item;
    return [...events, added(at, item), done(at, item)];
  }

  #closeContent(block: Extract<OpenBlock, { type: "content" }>): JsonObject[] {
    const { message, place, annotations, logprobs } = block;
    const text = block.text.join("");
    const where = spot(message, place);
    const part = block.isRefusal
      ? { type: "refusal", refusal: text }
      : outputText(text, annotations, logprobs);
    message.content[place] = part;
    message.openBlocks--;
    const done = block.isRefusal
      ? { type: "response.refusal.done", ...where, refusal: text }
      : { type: "response.output_text.done", ...where, text, logprobs };
    const events = [done, { type: "response.content_part.done", ...where, part }];
    // Something else began meanwhile: no further text will join this message.
    return this.#message === message ? events : [...events, ...this.#finishMessage(message)];
  }

  #closeReasoning(block: OpenReasoning, signature: Signature | undefined): JsonObject[] {
    const text = block.text.join("");
    const events: JsonObject[] = [];
    const part = { type: block.isSummary ? "summary_text" : "reasoning_text", text };
    if (text !== "") {
      const prefix = block.isSummary ? "response.reasoning_summary" : "response.reasoning";
      const partDone = block.isSummary ? `${prefix}_part.done` : "response.content_part.done";
      events.push({ type: `${prefix}_text.done`, ...reasoningSpot(block), text });
      events.push({ type: partDone, ...reasoningSpot(block), part });
    }
    const token = this.#token(signature);
    const item = {
      id: block.id,
      type: "reasoning",
      summary: text !== "" && block.isSummary ? [part] : [],
      ...(text !== "" && !block.isSummary && { content: [part] }),
      ...(token !== undefined && { encrypted_content: token }),
      status: "completed",
    };
    this.output[block.at] = item;
    return [...events, done(block.at, item)];
  }

  /** Tokens go to clients that asked for them, or that keep the conversation themselves. */
  #token(signature: Signature | undefined): string | undefined {
    if (signature === undefined) return undefined;
    const { reasoning, extra } = this.#context.request;
    const wanted = reasoning?.encrypted === true || extra?.["store"] === false;
    return wanted ? signatureText(signature, "openai") : undefined;
  }

  #closeCall(block: Extract<OpenBlock, { type: "call" }>): JsonObject[] {
    const text = block.text.join("");
    const isCustom = block.item["type"] === "custom_tool_call";
    // Clients parse arguments as JSON, and a tool without any is called with no text at all.
    const written = text === "" && !isCustom ? "{}" : text;
    const input = block.isWrapped ? customToolInput(text) : written;
    const name = isCustom ? "input" : "arguments";
    const event = inputEvent(block.item);
    const item = { ...block.item, [name]: input, status: "completed" };
    const events: JsonObject[] = [];
    if (input !== "" && (block.isWrapped || text === "")) {
      events.push({ type: `${event}.delta`, ...callSpot(block), delta: input });
    }
    events.push({ type: `${event}.done`, ...callSpot(block), [name]: input });
    this.output[block.at] = item;
    return [...events, done(block.at, item)];
  }

  #whole(part: Part): JsonObject[] {
    const item = this.#wholeItem(part);
    if (item === undefined) return [];
    const events = this.#closeMessage();
    const at = this.#next++;
    this.output[at] = item;
    return [...events, added(at, item), done(at, item)];
  }

  #wholeItem(part: Part): JsonObject | undefined {
    if (part.type === "native" && part.protocol === "openai-responses") return part.value;
    if (part.type === "image" && part.source.type === "base64") {
      const id = itemId("ig", this.#context.requestId, this.#next);
      return { id, type: "image_generation_call", status: "completed", result: part.source.data };
    }
    const what = part.type === "native" ? `a block of ${part.protocol}` : part.type;
    this.#context.reportLoss("output", `${what} has no place in this answer`);
    return undefined;
  }

  #closeMessage(): JsonObject[] {
    const message = this.#message;
    this.#message = undefined;
    // Text that is still being written ends its message itself.
    return message === undefined || message.openBlocks > 0 ? [] : this.#finishMessage(message);
  }

  #finishMessage(message: OpenMessage): JsonObject[] {
    if (message.openBlocks > 0) return [];
    const item = messageItem(message, "completed");
    this.output[message.at] = item;
    return [done(message.at, item)];
  }
}

function contentDelta(
  block: Extract<OpenBlock, { type: "content" }>,
  event: BlockDelta,
): JsonObject[] {
  const place = spot(block.message, block.place);
  const delta = event.text;
  if (block.isRefusal) return [{ type: "response.refusal.delta", ...place, delta }];
  const logprobs = event.type === "text-delta" ? (event.logprobs ?? []) : [];
  block.logprobs.push(...logprobs);
  return [{ type: "response.output_text.delta", ...place, delta, logprobs }];
}
