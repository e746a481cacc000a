import { asObjects, asString } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import { parseAnnotation } from "./citations.ts";
import { callInput, isServerCall, parseCallStart, parseItem } from "./parse-item.ts";
import { SUMMARY_SEPARATOR, parseReasoning, reasoningSignature } from "./parse-reasoning.ts";

/** One item of the answer while it is being written. */
export interface OpenItem {
  /** Block of a call, or of a reasoning item; absent until it has something to say. */
  block?: number;
  /** Whether the block has brought text. */
  hasText: boolean;
  /** The reasoning comes as the summary or as itself; what comes first counts. */
  summary?: boolean;
  /** A paragraph of the summary has ended: the next one starts with a separator. */
  paragraphs: number;
  /** A message's content parts by `content_index`. */
  readonly contents: Map<number, OpenContent>;
  isClosed: boolean;
}

interface OpenContent {
  readonly block: number;
  readonly kind: "text" | "refusal";
  hasText: boolean;
  citations: number;
  isClosed: boolean;
}

export interface StreamState {
  nextIndex: number;
  hasStarted: boolean;
  hasFailed: boolean;
  hasCalls: boolean;
  /** By `output_index`; `item_id` is no key, for Copilot changes it from event to event. */
  readonly items: Map<number, OpenItem>;
}

export const newState = (): StreamState => ({
  nextIndex: 0,
  hasStarted: false,
  hasFailed: false,
  hasCalls: false,
  items: new Map(),
});

export function itemAt(state: StreamState, at: number): OpenItem {
  let item = state.items.get(at);
  if (item === undefined) {
    item = { hasText: false, paragraphs: 0, contents: new Map(), isClosed: false };
    state.items.set(at, item);
  }
  return item;
}

/** A delta of output text or refusal, opening its block if no event announced it. */
export function contentDelta(
  state: StreamState,
  place: { readonly output: number; readonly content: number; readonly kind: "text" | "refusal" },
  delta: { readonly text: string; readonly logprobs?: readonly JsonObject[] },
): StreamEvent[] {
  const { contents } = itemAt(state, place.output);
  const events: StreamEvent[] = [];
  let open = contents.get(place.content);
  if (open === undefined) {
    const { kind } = place;
    open = { block: state.nextIndex++, kind, hasText: false, citations: 0, isClosed: false };
    contents.set(place.content, open);
    events.push({ type: `${kind}-start`, index: open.block });
  }
  if (delta.text === "" || open.isClosed) return events;
  open.hasText = true;
  const index = open.block;
  if (open.kind === "refusal") events.push({ type: "refusal-delta", index, text: delta.text });
  else events.push({ type: "text-delta", index, ...delta });
  return events;
}

export function citationEvent(
  state: StreamState,
  place: { readonly output: number; readonly content: number },
  annotation: JsonObject,
): StreamEvent[] {
  const open = itemAt(state, place.output).contents.get(place.content);
  if (open === undefined || open.kind !== "text" || open.isClosed) return [];
  open.citations++;
  return [{ type: "citation", index: open.block, citation: parseAnnotation(annotation) }];
}

/** A delta of reasoning; the other spelling of the same text is left out. */
export function reasoningDelta(
  state: StreamState,
  place: { readonly output: number; readonly summary: boolean },
  text: string,
): StreamEvent[] {
  const item = itemAt(state, place.output);
  if (text === "" || item.isClosed) return [];
  if (item.summary !== undefined && item.summary !== place.summary) return [];
  const events: StreamEvent[] = [];
  if (item.block === undefined) {
    item.block = state.nextIndex++;
    item.summary = place.summary;
    const summary = place.summary && { summary: true };
    events.push({ type: "reasoning-start", index: item.block, ...summary });
  }
  const separated = place.summary && item.hasText && item.paragraphs > 0;
  item.paragraphs = 0;
  item.hasText = true;
  events.push({
    type: "reasoning-delta",
    index: item.block,
    text: separated ? SUMMARY_SEPARATOR + text : text,
  });
  return events;
}

/** `output_item.added`: calls start here; everything else starts with its first content. */
export function openItem(state: StreamState, at: number, item: JsonObject): StreamEvent[] {
  const open = itemAt(state, at);
  const isCall = item["type"] === "function_call" || item["type"] === "custom_tool_call";
  if (!isCall || isServerCall(item) || open.block !== undefined) return [];
  open.block = state.nextIndex++;
  state.hasCalls = true;
  return [{ type: "tool-call-start", index: open.block, ...parseCallStart(item) }];
}

export function callDelta(state: StreamState, at: number, text: string): StreamEvent[] {
  const item = itemAt(state, at);
  // No block: a call that the provider runs itself comes as one part at its end.
  if (item.block === undefined || item.isClosed || text === "") return [];
  item.hasText = true;
  return [{ type: "tool-call-delta", index: item.block, text }];
}

/** `output_item.done`: brings what no delta brought, and closes the item's blocks. */
export function closeItem(state: StreamState, at: number, item: JsonObject): StreamEvent[] {
  const open = itemAt(state, at);
  if (open.isClosed) return [];
  const events = closingEvents(state, at, item);
  open.isClosed = true;
  return events;
}

function closingEvents(state: StreamState, at: number, item: JsonObject): StreamEvent[] {
  switch (item["type"]) {
    case "message":
      return closeMessage(state, at, item);
    case "reasoning":
      return closeReasoning(state, at, item);
    case "function_call":
    case "custom_tool_call":
      if (!isServerCall(item)) return closeCall(state, at, item);
      break;
    default:
  }
  return parseItem(item).map((part) => ({ type: "part", index: state.nextIndex++, part }));
}

function closeMessage(state: StreamState, output: number, item: JsonObject): StreamEvent[] {
  const { contents } = itemAt(state, output);
  const events = asObjects(item["content"]).flatMap((block, content) => {
    const kind = block["type"] === "refusal" ? "refusal" : "text";
    const text = asString(block[kind]);
    if (text === undefined) return nativeBlock(state, block);
    return finishContent(state, { output, content, kind }, { block, text });
  });
  for (const open of contents.values()) events.push(...closeContent(open));
  return events;
}

const nativeBlock = (state: StreamState, value: JsonObject): StreamEvent[] => [
  {
    type: "part",
    index: state.nextIndex++,
    part: { type: "native", protocol: "openai-responses", value },
  },
];

function finishContent(
  state: StreamState,
  place: { readonly output: number; readonly content: number; readonly kind: "text" | "refusal" },
  whole: { readonly block: JsonObject; readonly text: string },
): StreamEvent[] {
  const { contents } = itemAt(state, place.output);
  const seen = contents.get(place.content)?.hasText === true;
  const logprobs = asObjects(whole.block["logprobs"]);
  const events = contentDelta(state, place, {
    text: seen ? "" : whole.text,
    ...(logprobs.length > 0 && { logprobs }),
  });
  if (contents.get(place.content)?.citations !== 0) return events;
  const annotations = asObjects(whole.block["annotations"]);
  return [...events, ...annotations.flatMap((value) => citationEvent(state, place, value))];
}

/** Ends one content part's block, once. */
function closeContent(open: OpenContent): StreamEvent[] {
  if (open.isClosed) return [];
  open.isClosed = true;
  return [{ type: `${open.kind}-end`, index: open.block }];
}

function closeReasoning(state: StreamState, at: number, item: JsonObject): StreamEvent[] {
  const open = itemAt(state, at);
  const signature = reasoningSignature(item);
  const events: StreamEvent[] = [];
  if (open.block === undefined) {
    const part = parseReasoning(item);
    if (part === undefined) return [];
    open.block = state.nextIndex++;
    const summary = part.summary === true && { summary: true };
    events.push({ type: "reasoning-start", index: open.block, ...summary });
    if (part.text !== "") {
      events.push({ type: "reasoning-delta", index: open.block, text: part.text });
    }
  }
  const signed = signature !== undefined && { signature };
  return [...events, { type: "reasoning-end", index: open.block, ...signed }];
}

function closeCall(state: StreamState, at: number, item: JsonObject): StreamEvent[] {
  const open = itemAt(state, at);
  const events = openItem(state, at, item);
  if (!open.hasText) events.push(...callDelta(state, at, callInput(item)));
  if (open.block !== undefined) events.push({ type: "tool-call-end", index: open.block });
  return events;
}

/** Ends every block that is still open: the answer is over, or it was cut. */
export function closeAll(state: StreamState): StreamEvent[] {
  const events: StreamEvent[] = [];
  for (const item of state.items.values()) {
    if (item.isClosed) continue;
    item.isClosed = true;
    for (const open of item.contents.values()) events.push(...closeContent(open));
    if (item.block === undefined) continue;
    const type = item.summary === undefined ? "tool-call-end" : "reasoning-end";
    events.push({ type, index: item.block });
  }
  return events;
}
