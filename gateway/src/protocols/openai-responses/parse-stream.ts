import { asNumber, asObject, asObjects, asString, isObject, parseObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { SseEvent } from "#lib/sse.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import type { StreamParser } from "#protocols/codec.ts";
import { parseFinishReason } from "./finish-reason.ts";
import { failureOf } from "./parse-error.ts";
import { parseUsage } from "./parse-usage.ts";
import {
  callDelta,
  citationEvent,
  closeAll,
  closeItem,
  contentDelta,
  itemAt,
  newState,
  openItem,
  reasoningDelta,
} from "./stream-state.ts";
import type { StreamState } from "./stream-state.ts";

type Handler = (state: StreamState, data: JsonObject) => readonly StreamEvent[];

/** Parser of one stream. Events are told apart by `data.type`: several providers send no `event:`. */
export function createStreamParser(): StreamParser {
  const state = newState();
  return {
    push: (event) => pushEvent(state, event),
    end: () => closeAll(state),
  };
}

function pushEvent(state: StreamState, { data, event }: SseEvent): readonly StreamEvent[] {
  // OpenRouter ends with `[DONE]`; bedrock-mantle sends its `event:` line after the data.
  if (data === "" || data === "[DONE]") return [];
  const object = parseObject(data);
  if (object === undefined) return fail(state, malformed());
  const type = asString(object["type"]) ?? event;
  if (type === undefined || !Object.hasOwn(HANDLERS, type)) {
    return isObject(object["error"]) ? failed(state, object) : [];
  }
  return HANDLERS[type]?.(state, object) ?? [];
}

const malformed = (): StreamEvent => ({
  type: "error",
  failure: {
    code: "upstream_malformed",
    message: "The provider sent an event that is not JSON.",
    upstreamStatus: 200,
  },
});

/** The first failure of a stream is the one that counts: OpenAI says it twice. */
function fail(state: StreamState, event: StreamEvent): StreamEvent[] {
  if (state.hasFailed) return [];
  state.hasFailed = true;
  return [...closeAll(state), event];
}

const failed: Handler = (state, data) =>
  fail(state, { type: "error", failure: failureOf(data, 200) });

const outputIndex = (data: JsonObject): number => asNumber(data["output_index"]) ?? 0;

const contentIndex = (data: JsonObject): number => asNumber(data["content_index"]) ?? 0;

const start: Handler = (state, data) => {
  if (state.hasStarted) return [];
  state.hasStarted = true;
  const response = asObject(data["response"]);
  const id = asString(response["id"]);
  const model = asString(response["model"]);
  const created = asNumber(response["created_at"]);
  return [
    {
      type: "response-start",
      ...(id !== undefined && { id }),
      ...(model !== undefined && { model }),
      ...(created !== undefined && { created }),
    },
  ];
};

const itemAdded: Handler = (state, data) =>
  openItem(state, outputIndex(data), asObject(data["item"]));

const itemDone: Handler = (state, data) =>
  closeItem(state, outputIndex(data), asObject(data["item"]));

const partAdded: Handler = (state, data) => {
  const kinds: Readonly<Record<string, "text" | "refusal">> = {
    output_text: "text",
    refusal: "refusal",
  };
  const kind = kinds[asString(asObject(data["part"])["type"]) ?? ""];
  if (kind === undefined) return [];
  const place = { output: outputIndex(data), content: contentIndex(data), kind };
  return contentDelta(state, place, { text: "" });
};

const textDelta: Handler = (state, data) => {
  const logprobs = asObjects(data["logprobs"]);
  return contentDelta(
    state,
    { output: outputIndex(data), content: contentIndex(data), kind: "text" },
    { text: asString(data["delta"]) ?? "", ...(logprobs.length > 0 && { logprobs }) },
  );
};

const refusalDelta: Handler = (state, data) =>
  contentDelta(
    state,
    { output: outputIndex(data), content: contentIndex(data), kind: "refusal" },
    { text: asString(data["delta"]) ?? "" },
  );

const annotationAdded: Handler = (state, data) => {
  const place = { output: outputIndex(data), content: contentIndex(data) };
  return citationEvent(state, place, asObject(data["annotation"]));
};

const summaryDelta: Handler = (state, data) => {
  const place = { output: outputIndex(data), summary: true };
  return reasoningDelta(state, place, asString(data["delta"]) ?? "");
};

const reasoningTextDelta: Handler = (state, data) => {
  const place = { output: outputIndex(data), summary: false };
  return reasoningDelta(state, place, asString(data["delta"]) ?? "");
};

const summaryPartAdded: Handler = (state, data) => {
  itemAt(state, outputIndex(data)).paragraphs++;
  return [];
};

const inputDelta: Handler = (state, data) =>
  callDelta(state, outputIndex(data), asString(data["delta"]) ?? "");

/** The terminal event: repeats the whole output, so items that no event brought are read from it. */
const finished: Handler = (state, data) => {
  if (state.hasFailed) return [];
  const response = asObject(data["response"]);
  const events: StreamEvent[] = [...start(state, data)];
  for (const [at, item] of asObjects(response["output"]).entries()) {
    if (!state.items.has(at))
      events.push(...openItem(state, at, item), ...closeItem(state, at, item));
  }
  events.push(...closeAll(state));
  const usage = parseUsage(response["usage"], response["tool_usage"]);
  if (usage !== undefined) events.push({ type: "usage", usage });
  events.push({ type: "finish", reason: parseFinishReason(response, state.hasCalls) });
  return events;
};

const responseFailed: Handler = (state, data) => {
  const usage = parseUsage(asObject(data["response"])["usage"]);
  const events = usage === undefined ? [] : [{ type: "usage", usage } as const];
  return [...events, ...failed(state, asObject(data["response"]))];
};

/** The four spellings of reasoning: OpenAI's summary parts and text, and what others make of them. */
const HANDLERS: Readonly<Record<string, Handler>> = {
  "response.created": start,
  "response.queued": start,
  "response.in_progress": start,
  "response.output_item.added": itemAdded,
  "response.output_item.done": itemDone,
  "response.content_part.added": partAdded,
  "response.output_text.delta": textDelta,
  "response.output_text.annotation.added": annotationAdded,
  "response.refusal.delta": refusalDelta,
  "response.reasoning_summary_part.added": summaryPartAdded,
  "response.reasoning_summary_text.delta": summaryDelta,
  "response.reasoning_text.delta": reasoningTextDelta,
  "response.reasoning.delta": reasoningTextDelta,
  "response.reasoning_summary.delta": summaryDelta,
  "response.function_call_arguments.delta": inputDelta,
  "response.custom_tool_call_input.delta": inputDelta,
  "response.completed": finished,
  "response.incomplete": finished,
  "response.failed": responseFailed,
  error: failed,
};
