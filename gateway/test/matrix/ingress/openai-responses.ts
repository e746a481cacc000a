import { asArray, asObject, asObjects, asString, type JsonObject } from "#lib/json.ts";
import type { Seen } from "../scenario.ts";
import { openaiChatClient } from "./openai-chat.ts";
import { eventsOf, FOLLOW_UP, RESULT, type Client } from "./client.ts";

const CALLS = new Set(["function_call", "custom_tool_call"]);

function seenCall(item: JsonObject): Seen["calls"][number] {
  const namespace = asString(item["namespace"]);
  const called = {
    id: asString(item["call_id"]) ?? "",
    name: asString(item["name"]) ?? "",
    ...(namespace !== undefined && { namespace }),
  };
  return item["type"] === "custom_tool_call"
    ? { ...called, custom: asString(item["input"]) ?? "" }
    : { ...called, input: JSON.parse(asString(item["arguments"]) ?? "null") as unknown };
}

const textsOf = (list: unknown): string =>
  asObjects(list)
    .map((part) => asString(part["text"]) ?? "")
    .join("");

function readWhole(body: JsonObject): Seen {
  const output = asObjects(body["output"]);
  const contents = output
    .filter((item) => item["type"] === "message")
    .flatMap((item) => asObjects(item["content"]));
  const usage = asObject(body["usage"]);
  const reason = asString(asObject(body["incomplete_details"])["reason"]);
  const refusal = contents.find((part) => part["type"] === "refusal")?.["refusal"];
  const thoughts = output.filter((item) => item["type"] === "reasoning");
  return {
    text: textsOf(contents),
    reasoning: thoughts.map((item) => textsOf(item["summary"]) + textsOf(item["content"])).join(""),
    calls: output.filter((item) => CALLS.has(String(item["type"]))).map(seenCall),
    finish: reason ?? String(body["status"]),
    input: Number(usage["input_tokens"]),
    output: Number(usage["output_tokens"]),
    cacheRead: Number(asObject(usage["input_tokens_details"])["cached_tokens"] ?? 0),
    reasoningTokens: Number(asObject(usage["output_tokens_details"])["reasoning_tokens"] ?? 0),
    citations: contents.flatMap((part) =>
      asObjects(part["annotations"]).map(({ url }) => String(url)),
    ),
    logprobs: contents.reduce((sum, part) => sum + asArray(part["logprobs"]).length, 0),
    ...(typeof refusal === "string" && { refusal }),
    turn: output,
    failed: body["status"] === "failed",
  };
}

/** What deltas said must be what the items say at the end. */
function readStream(text: string): Seen {
  const events = eventsOf(text);
  const last = events.at(-1) ?? {};
  const seen = readWhole(asObject(last["response"]));
  const numbers = events.map((event) => event["sequence_number"]);
  if (numbers.some((value, at) => value !== at))
    throw new Error(`sequence numbers ${numbers.join()}`);
  if (seen.failed) {
    return { ...seen, text: deltas(events, "response.output_text.delta") };
  }
  const streamed = deltas(events, "response.output_text.delta");
  if (streamed !== seen.text) throw new Error(`text "${seen.text}" was streamed as "${streamed}"`);
  const items = events
    .filter(({ type }) => type === "response.output_item.done")
    .map(({ item }) => item);
  return { ...seen, turn: items };
}

const deltas = (events: readonly JsonObject[], type: string): string =>
  events
    .filter((event) => event["type"] === type)
    .map(({ delta }) => asString(delta) ?? "")
    .join("");

const askedItems = (input: unknown): readonly unknown[] =>
  typeof input === "string" ? [{ role: "user", content: input }] : asArray(input);

export const openaiResponsesClient: Client = {
  path: () => "/v1/responses",
  base: (model, stream) => ({
    model,
    input: "Say hello.",
    store: false,
    ...(stream && { stream: true }),
  }),
  next: (body, { turn, calls }) => ({
    ...body,
    input: [
      ...askedItems(body["input"]),
      ...asArray(turn),
      ...(calls.length > 0
        ? calls.map(({ id }) => ({ type: "function_call_output", call_id: id, output: RESULT }))
        : [{ role: "user", content: FOLLOW_UP }]),
    ],
  }),
  readWhole,
  readStream,
  finish: {
    stop: "completed",
    length: "max_output_tokens",
    "tool-calls": "completed",
    "stop-sequence": "completed",
    "content-filter": "content_filter",
    refusal: "completed",
  },
  cannot: ["stopSequence", "second"],
  errors: openaiChatClient.errors,
};
