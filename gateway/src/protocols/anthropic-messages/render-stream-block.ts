import { carriedSignature } from "#canonical/carried-signature.ts";
import { flatToolName } from "#canonical/tool.ts";
import { signatureText } from "#canonical/signature.ts";
import type { Signature } from "#canonical/signature.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import type { JsonObject } from "#lib/json.ts";
import { renderSse } from "#lib/sse.ts";
import type { AnswerContext } from "#protocols/codec.ts";
import { renderCitation } from "./citations.ts";
import { renderAnswerPart, reportTextSignature } from "./render-response.ts";

export type BlockEvent = Extract<StreamEvent, { index: number }>;

/** Writes the events of one canonical block as one or more content blocks. */
export interface BlockWriter {
  push(event: BlockEvent): string;
  /** Closes a text block so that it may go on as another one later; `undefined` for other kinds. */
  interrupt(): string | undefined;
  /** Closes whatever is open. */
  close(): string;
}

interface BlockState {
  readonly context: AnswerContext;
  readonly nextIndex: () => number;
  /** Index of the open content block. */
  open: number | undefined;
  isText: boolean;
  /** A free-text tool call, whose input becomes JSON at its end. */
  freeText: string[] | undefined;
}

const sse = (type: string, members: JsonObject): string =>
  renderSse(JSON.stringify({ type, ...members }), type);

export function createBlockWriter(context: AnswerContext, nextIndex: () => number): BlockWriter {
  const state: BlockState = {
    context,
    nextIndex,
    open: undefined,
    isText: false,
    freeText: undefined,
  };
  return {
    push: (event) => push(event, state),
    interrupt: () => (state.isText ? stop(state) : undefined),
    close: () => stop(state),
  };
}

type Handlers = {
  readonly [Type in BlockEvent["type"]]: (
    event: Extract<BlockEvent, { type: Type }>,
    state: BlockState,
  ) => string;
};

const HANDLERS: Handlers = {
  "text-start": startText,
  "text-delta": textDelta,
  "text-end": ({ signature }, state) => {
    reportTextSignature(signature, state.context);
    return stop(state);
  },
  "refusal-start": startText,
  "refusal-delta": textDelta,
  "refusal-end": (_, state) => stop(state),
  citation: citationDelta,
  // Begun with the first text or the end: only that tells thinking from redacted thinking.
  "reasoning-start": () => "",
  "reasoning-delta": ({ text }, state) =>
    text === ""
      ? ""
      : begin(state, THINKING) + delta(state, { type: "thinking_delta", thinking: text }),
  "reasoning-end": ({ signature }, state) => endReasoning(signature, state),
  "tool-call-start": startToolCall,
  "tool-call-delta": ({ text }, state) => toolCallDelta(text, state),
  "tool-call-end": (_, state) => endToolCall(state),
  part: wholePart,
};

function push(event: BlockEvent, state: BlockState): string {
  const handle = HANDLERS[event.type] as (event: BlockEvent, state: BlockState) => string;
  return handle(event, state);
}

const TEXT: JsonObject = { type: "text", text: "" };
const THINKING: JsonObject = { type: "thinking", thinking: "", signature: "" };

/** Starts a content block unless one is open. */
function begin(state: BlockState, block: JsonObject): string {
  if (state.open !== undefined) return "";
  state.open = state.nextIndex();
  return sse("content_block_start", { index: state.open, content_block: block });
}

const delta = ({ open }: BlockState, value: JsonObject): string =>
  sse("content_block_delta", { index: open, delta: value });

/** The block itself begins with its first text: clients that send an empty one back are refused. */
function startText(_: BlockEvent, state: BlockState): string {
  state.isText = true;
  return "";
}

function textDelta({ text }: { readonly text: string }, state: BlockState): string {
  return text === "" ? "" : begin(state, TEXT) + delta(state, { type: "text_delta", text });
}

function citationDelta(
  event: Extract<BlockEvent, { type: "citation" }>,
  state: BlockState,
): string {
  const citation = renderCitation(event.citation);
  if (citation === undefined) return "";
  return begin(state, TEXT) + delta(state, { type: "citations_delta", citation });
}

function stop(state: BlockState): string {
  if (state.open === undefined) return "";
  const index = state.open;
  state.open = undefined;
  return sse("content_block_stop", { index });
}

function endReasoning(signature: Signature | undefined, state: BlockState): string {
  const isWhole = state.open === undefined;
  if (isWhole && signature?.origin === "anthropic" && signature.redacted === true) {
    return begin(state, { type: "redacted_thinking", data: signature.value }) + stop(state);
  }
  if (isWhole && signature === undefined) return "";
  const token = signature === undefined ? "" : signatureText(signature, "anthropic");
  return (
    begin(state, THINKING) +
    (token === "" ? "" : delta(state, { type: "signature_delta", signature: token })) +
    stop(state)
  );
}

function startToolCall(
  event: Extract<BlockEvent, { type: "tool-call-start" }>,
  state: BlockState,
): string {
  if (event.kind === "custom") state.freeText = [];
  const block = { type: "tool_use", id: event.id, name: flatToolName(event), input: {} };
  // Every recorded stream begins a call's input with an empty fragment.
  return carried(event, state) + begin(state, block) + inputDelta("", state);
}

/** A call's own token in a thinking block of its own: this protocol's calls have no place for it. */
function carried(
  { id, signature }: Extract<BlockEvent, { type: "tool-call-start" }>,
  state: BlockState,
): string {
  return signature === undefined ? "" : endReasoning(carriedSignature(signature, id), state);
}

const inputDelta = (text: string, state: BlockState): string =>
  delta(state, { type: "input_json_delta", partial_json: text });

function toolCallDelta(text: string, state: BlockState): string {
  if (text === "") return "";
  if (state.freeText === undefined) return inputDelta(text, state);
  state.freeText.push(text);
  return "";
}

function endToolCall(state: BlockState): string {
  const { freeText } = state;
  if (freeText === undefined) return stop(state);
  return inputDelta(JSON.stringify({ input: freeText.join("") }), state) + stop(state);
}

function wholePart({ part }: Extract<BlockEvent, { type: "part" }>, state: BlockState): string {
  const block = renderAnswerPart(part, state.context);
  return block === undefined ? "" : begin(state, block) + stop(state);
}
