import { asNumber, asObject, asString, isObject, parseObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { SseEvent } from "#lib/sse.ts";
import type { Failure } from "#canonical/failure.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import type { StreamParser } from "#protocols/codec.ts";
import { failedFinish, parseFinishReason } from "./finish-reason.ts";
import { parseCitation, parseLogprobs } from "./parse-content.ts";
import { failureOf } from "./parse-error.ts";
import { parseUsage } from "./parse-usage.ts";

interface OpenBlock {
  readonly kind: "text" | "reasoning" | "tool-call";
  readonly index: number;
}

interface State {
  nextIndex: number;
  hasFailed: boolean;
  /** By kind and the wire's index, which counts each kind apart: `content 0`, `call 0`, `plan`. */
  readonly blocks: Map<string, OpenBlock>;
}

type Handler = (state: State, data: JsonObject) => StreamEvent[];

/** Parser of one v2 chat stream. */
export function createStreamParser(): StreamParser {
  const state: State = { nextIndex: 0, hasFailed: false, blocks: new Map() };
  return {
    push: (event) => pushEvent(state, event),
    end: () => closeAll(state),
  };
}

function pushEvent(state: State, { data, event }: SseEvent): StreamEvent[] {
  if (data === "" || data === "[DONE]") return [];
  const object = parseObject(data);
  if (object === undefined) {
    const message = "The provider sent an event that is not JSON.";
    return fail(state, { code: "upstream_malformed", message, upstreamStatus: 200 });
  }
  const type = asString(object["type"]) ?? event ?? "";
  if (Object.hasOwn(HANDLERS, type)) return HANDLERS[type]?.(state, object) ?? [];
  // An error in a stream is the body of an error answer, without a type.
  const isError = asString(object["message"]) !== undefined;
  return isError ? fail(state, failureOf(object, 200)) : [];
}

function fail(state: State, failure: Failure): StreamEvent[] {
  if (state.hasFailed) return [];
  state.hasFailed = true;
  return [...closeAll(state), { type: "error", failure }];
}

const messageOf = (data: JsonObject): JsonObject => asObject(asObject(data["delta"])["message"]);

const key = (kind: string, data: JsonObject): string => `${kind} ${asNumber(data["index"]) ?? 0}`;

const messageStart: Handler = (_state, data) => {
  const id = asString(data["id"]);
  return [{ type: "response-start", ...(id !== undefined && { id }) }];
};

const contentStart: Handler = (state, data) => {
  const content = asObject(messageOf(data)["content"]);
  const kind = content["type"] === "thinking" ? "reasoning" : "text";
  const block: OpenBlock = { kind, index: state.nextIndex++ };
  state.blocks.set(key("content", data), block);
  const { index } = block;
  return [...closePlan(state), { type: `${kind}-start`, index }, ...contentText(block, data)];
};

const contentDelta: Handler = (state, data) => {
  const block = state.blocks.get(key("content", data));
  if (block === undefined) return [...contentStart(state, data)];
  return contentText(block, data);
};

function contentText({ kind, index }: OpenBlock, data: JsonObject): StreamEvent[] {
  const content = asObject(messageOf(data)["content"]);
  const text = asString(content["thinking"]) ?? asString(content["text"]) ?? "";
  if (text === "") return [];
  if (kind !== "text") return [{ type: "reasoning-delta", index, text }];
  const value = asObject(data["delta"])["logprobs"] ?? data["logprobs"];
  const logprobs = parseLogprobs(isObject(value) ? [value] : value);
  return [{ type: "text-delta", index, text, ...(logprobs.length > 0 && { logprobs }) }];
}

const contentEnd: Handler = (state, data) => close(state, key("content", data));

const planDelta: Handler = (state, data) => {
  const text = asString(messageOf(data)["tool_plan"]) ?? "";
  if (text === "") return [];
  const events: StreamEvent[] = [];
  let plan = state.blocks.get("plan");
  if (plan === undefined) {
    plan = { kind: "reasoning", index: state.nextIndex++ };
    state.blocks.set("plan", plan);
    events.push({ type: "reasoning-start", index: plan.index });
  }
  return [...events, { type: "reasoning-delta", index: plan.index, text }];
};

/** The plan has no event for its end: it ends where something else begins. */
const closePlan = (state: State): StreamEvent[] => close(state, "plan");

const callStart: Handler = (state, data) => {
  const events = closePlan(state);
  const call = asObject(messageOf(data)["tool_calls"]);
  const index = state.nextIndex++;
  state.blocks.set(key("call", data), { kind: "tool-call", index });
  const id = asString(call["id"]) ?? "";
  const name = asString(asObject(call["function"])["name"]) ?? "";
  events.push({ type: "tool-call-start", index, id, name, kind: "function" });
  return [...events, ...callDelta(state, data)];
};

const callDelta: Handler = (state, data) => {
  const block = state.blocks.get(key("call", data));
  const call = asObject(messageOf(data)["tool_calls"]);
  const text = asString(asObject(call["function"])["arguments"]) ?? "";
  if (block === undefined || text === "") return [];
  return [{ type: "tool-call-delta", index: block.index, text }];
};

const callEnd: Handler = (state, data) => close(state, key("call", data));

const citationStart: Handler = (state, data) => {
  const value = asObject(messageOf(data)["citations"]);
  const named = asNumber(value["content_index"]);
  const texts = [...state.blocks].filter(([, { kind }]) => kind === "text");
  const open = texts.find(([name]) => name === `content ${named}`) ?? texts.at(-1);
  if (open === undefined) return [];
  return [{ type: "citation", index: open[1].index, citation: parseCitation(value) }];
};

function close(state: State, name: string): StreamEvent[] {
  const block = state.blocks.get(name);
  if (block === undefined) return [];
  state.blocks.delete(name);
  return [{ type: `${block.kind}-end`, index: block.index }];
}

const closeAll = (state: State): StreamEvent[] =>
  [...state.blocks.keys()].flatMap((name) => close(state, name));

const messageEnd: Handler = (state, data) => {
  const delta = asObject(data["delta"]);
  const events = closeAll(state);
  const usage = parseUsage(delta["usage"]);
  if (usage !== undefined) events.push({ type: "usage", usage });
  const reason = asString(delta["finish_reason"]);
  const code = failedFinish(reason);
  if (code === undefined) {
    return [...events, { type: "finish", reason: parseFinishReason(reason) }];
  }
  const message = asString(delta["error"]) ?? "The provider's answer failed.";
  const failure = failureOf({ message }, 500);
  return [...events, ...fail(state, { ...failure, code, upstreamStatus: 200 })];
};

const HANDLERS: Readonly<Record<string, Handler>> = {
  "message-start": messageStart,
  "content-start": contentStart,
  "content-delta": contentDelta,
  "content-end": contentEnd,
  "tool-plan-delta": planDelta,
  "tool-call-start": callStart,
  "tool-call-delta": callDelta,
  "tool-call-end": callEnd,
  "citation-start": citationStart,
  "citation-end": () => [],
  "message-end": messageEnd,
};
