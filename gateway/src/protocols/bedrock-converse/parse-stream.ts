import {
  asNumber,
  asObject,
  asObjects,
  asString,
  isObject,
  parseObject,
  ownValue,
} from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { SseEvent } from "#lib/sse.ts";
import type { Signature } from "#canonical/signature.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import type { StreamParser } from "#protocols/codec.ts";
import { parseFinishReason } from "./finish-reason.ts";
import { isServerCall, nativePart, parseCitation, parseImage } from "./parse-block.ts";
import { failureOf } from "./parse-error.ts";
import { parseUsage } from "./parse-usage.ts";
import { parseRedacted, parseSignature } from "./signature-origin.ts";

/** A content block while it is being written, by `contentBlockIndex`. */
type OpenBlock =
  | { readonly type: "text"; readonly index: number }
  | { readonly type: "tool-call"; readonly index: number }
  | {
      readonly type: "reasoning";
      readonly index: number;
      token: string;
      readonly redacted: string[];
    }
  /** What Bedrock itself ran, or an image: told whole when it ends. */
  | {
      readonly type: "whole";
      readonly start: JsonObject;
      input: string;
      readonly deltas: unknown[];
    };

interface State {
  nextIndex: number;
  hasFailed: boolean;
  readonly blocks: Map<number, OpenBlock>;
}

type Handler = (state: State, data: JsonObject) => StreamEvent[];

/** Parser of one `converse-stream`, whose messages `AwsEventFramer` has cut. */
export function createStreamParser(): StreamParser {
  const state: State = { nextIndex: 0, hasFailed: false, blocks: new Map() };
  return {
    push: (event) => pushEvent(state, event),
    end: () => closeAll(state),
  };
}

function pushEvent(state: State, { event = "", data }: SseEvent): StreamEvent[] {
  if (event.startsWith("exception:")) return exception(state, event.slice(10), data);
  if (!Object.hasOwn(HANDLERS, event)) return [];
  const object = parseObject(data);
  if (object === undefined) {
    const message = "The provider sent an event that is not JSON.";
    return fail(state, { code: "upstream_malformed", message, upstreamStatus: 200 });
  }
  return ownValue(HANDLERS, event)?.(state, object) ?? [];
}

function exception(state: State, kind: string, data: string): StreamEvent[] {
  const body = parseObject(data) ?? {};
  const message = asString(body["originalMessage"]) ?? asString(body["message"]);
  // A model's own error in a stream carries the status that the model answered with.
  const status = asNumber(body["originalStatusCode"]) ?? 200;
  return fail(state, failureOf({ status, kind, message }));
}

function fail(
  state: State,
  failure: Extract<StreamEvent, { type: "error" }>["failure"],
): StreamEvent[] {
  if (state.hasFailed) return [];
  state.hasFailed = true;
  return [...closeAll(state), { type: "error", failure }];
}

const blockIndex = (data: JsonObject): number => asNumber(data["contentBlockIndex"]) ?? 0;

/** Only calls, results and images announce themselves; text and reasoning start with a delta. */
const blockStart: Handler = (state, data) => {
  const start = asObject(data["start"]);
  const call = asObject(start["toolUse"]);
  if (!isObject(start["toolUse"]) || isServerCall(call)) {
    state.blocks.set(blockIndex(data), { type: "whole", start, input: "", deltas: [] });
    return [];
  }
  const index = state.nextIndex++;
  state.blocks.set(blockIndex(data), { type: "tool-call", index });
  const id = asString(call["toolUseId"]) ?? "";
  const name = asString(call["name"]) ?? "";
  return [{ type: "tool-call-start", index, id, name, kind: "function" }];
};

const blockDelta: Handler = (state, data) => {
  const delta = asObject(data["delta"]);
  const at = blockIndex(data);
  const open = state.blocks.get(at);
  if (open?.type === "whole") return wholeDelta(open, delta);
  const text = asString(delta["text"]);
  if (text !== undefined) return textDelta(state, at, text);
  if (isObject(delta["citation"])) return citation(state, at, delta["citation"]);
  if (isObject(delta["reasoningContent"])) {
    return reasoningDelta(state, at, delta["reasoningContent"]);
  }
  const input = asString(asObject(delta["toolUse"])["input"]);
  if (open?.type !== "tool-call" || input === undefined || input === "") return [];
  return [{ type: "tool-call-delta", index: open.index, text: input }];
};

function wholeDelta(open: Extract<OpenBlock, { type: "whole" }>, delta: JsonObject): StreamEvent[] {
  open.input += asString(asObject(delta["toolUse"])["input"]) ?? "";
  if (Array.isArray(delta["toolResult"])) open.deltas.push(...delta["toolResult"]);
  if (isObject(delta["image"])) open.deltas.push(delta["image"]);
  return [];
}

/** The text block at this place, and the event that opens it if none has yet. */
function textBlock(state: State, at: number): { index: number; events: StreamEvent[] } | undefined {
  const open = state.blocks.get(at);
  if (open !== undefined)
    return open.type === "text" ? { index: open.index, events: [] } : undefined;
  const index = state.nextIndex++;
  state.blocks.set(at, { type: "text", index });
  return { index, events: [{ type: "text-start", index }] };
}

function textDelta(state: State, at: number, text: string): StreamEvent[] {
  const block = textBlock(state, at);
  if (block === undefined || text === "") return block?.events ?? [];
  return [...block.events, { type: "text-delta", index: block.index, text }];
}

function citation(state: State, at: number, value: JsonObject): StreamEvent[] {
  const block = textBlock(state, at);
  if (block === undefined) return [];
  const event = { type: "citation", index: block.index, citation: parseCitation(value) } as const;
  return [...block.events, event];
}

function reasoningDelta(state: State, at: number, delta: JsonObject): StreamEvent[] {
  let open = state.blocks.get(at);
  const events: StreamEvent[] = [];
  if (open === undefined) {
    open = { type: "reasoning", index: state.nextIndex++, token: "", redacted: [] };
    state.blocks.set(at, open);
    events.push({ type: "reasoning-start", index: open.index });
  }
  if (open.type !== "reasoning") return events;
  open.token += asString(delta["signature"]) ?? "";
  const redacted = asString(delta["redactedContent"]);
  if (redacted !== undefined) open.redacted.push(redacted);
  const text = asString(delta["text"]) ?? "";
  if (text !== "") events.push({ type: "reasoning-delta", index: open.index, text });
  return events;
}

const blockStop: Handler = (state, data) => {
  const at = blockIndex(data);
  const open = state.blocks.get(at);
  state.blocks.delete(at);
  return open === undefined ? [] : closeBlock(state, open);
};

function closeBlock(state: State, open: OpenBlock): StreamEvent[] {
  if (open.type === "whole") {
    return [{ type: "part", index: state.nextIndex++, part: wholePart(open) }];
  }
  if (open.type !== "reasoning") return [{ type: `${open.type}-end`, index: open.index }];
  const signature = signatureOf(open);
  const signed = signature !== undefined && { signature };
  return [{ type: "reasoning-end", index: open.index, ...signed }];
}

function signatureOf(open: Extract<OpenBlock, { type: "reasoning" }>): Signature | undefined {
  if (open.redacted.length > 0) {
    const bytes = Buffer.concat(open.redacted.map((blob) => Buffer.from(blob, "base64")));
    return parseRedacted(bytes.toString("base64"));
  }
  return open.token === "" ? undefined : parseSignature(open.token);
}

/** The block as a whole answer would have it. */
function wholePart({ start, input, deltas }: Extract<OpenBlock, { type: "whole" }>) {
  if (isObject(start["toolUse"])) {
    return nativePart({ toolUse: { ...start["toolUse"], input: parseObject(input) ?? {} } });
  }
  if (isObject(start["toolResult"])) {
    return nativePart({ toolResult: { ...start["toolResult"], content: deltas } });
  }
  const [image] = asObjects(deltas);
  const value = { ...asObject(start["image"]), ...image };
  return parseImage(value) ?? nativePart(start);
}

function closeAll(state: State): StreamEvent[] {
  const events = [...state.blocks.values()].flatMap((open) => closeBlock(state, open));
  state.blocks.clear();
  return events;
}

const messageStop: Handler = (state, data) => [
  ...closeAll(state),
  { type: "finish", reason: parseFinishReason(data["stopReason"]) },
];

/** Comes after the stop. */
const metadata: Handler = (_state, data) => {
  const usage = parseUsage(data["usage"]);
  return usage === undefined ? [] : [{ type: "usage", usage }];
};

const HANDLERS: Readonly<Record<string, Handler>> = {
  messageStart: () => [{ type: "response-start" }],
  contentBlockStart: blockStart,
  contentBlockDelta: blockDelta,
  contentBlockStop: blockStop,
  messageStop,
  metadata,
};
