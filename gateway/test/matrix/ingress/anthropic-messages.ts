import { asArray, asObject, asObjects, asString, parseObject, type JsonObject } from "#lib/json.ts";
import type { Seen } from "../scenario.ts";
import { eventsOf, FOLLOW_UP, RESULT, type Client } from "./client.ts";

const typed = (blocks: readonly JsonObject[], type: string) =>
  blocks.filter((block) => block["type"] === type);

function readMessage(message: JsonObject, failed: boolean): Seen {
  const content = asObjects(message["content"]);
  const usage = asObject(message["usage"]);
  const cacheRead = Number(usage["cache_read_input_tokens"] ?? 0);
  const written = Number(usage["cache_creation_input_tokens"] ?? 0);
  const stopSequence = asString(message["stop_sequence"]);
  return {
    text: typed(content, "text")
      .map(({ text }) => asString(text) ?? "")
      .join(""),
    reasoning: typed(content, "thinking")
      .map(({ thinking }) => asString(thinking) ?? "")
      .join(""),
    calls: typed(content, "tool_use").map(({ id, name, input }) => ({
      id: asString(id) ?? "",
      name: asString(name) ?? "",
      input,
    })),
    finish: String(message["stop_reason"]),
    input: Number(usage["input_tokens"]) + cacheRead + written,
    output: Number(usage["output_tokens"]),
    cacheRead,
    reasoningTokens: Number(asObject(usage["output_tokens_details"])["thinking_tokens"] ?? 0),
    citations: content.flatMap((block) =>
      asObjects(block["citations"]).map(({ url }) => String(url)),
    ),
    logprobs: 0,
    ...(stopSequence !== undefined && { stopSequence }),
    turn: content,
    failed,
  };
}

function addDelta(block: JsonObject, delta: JsonObject): void {
  const add = (key: string, text: unknown): void => {
    block[key] = (asString(block[key]) ?? "") + (asString(text) ?? "");
  };
  switch (delta["type"]) {
    case "text_delta":
      return add("text", delta["text"]);
    case "thinking_delta":
      return add("thinking", delta["thinking"]);
    case "signature_delta":
      return add("signature", delta["signature"]);
    case "input_json_delta":
      return add("json", delta["partial_json"]);
    case "citations_delta":
      block["citations"] = [...asArray(block["citations"]), delta["citation"]];
      return;
    default:
      throw new Error(`unknown delta ${String(delta["type"])}`);
  }
}

function finished(block: JsonObject): JsonObject {
  const { json, ...rest } = block;
  return typeof json === "string" && json !== "" ? { ...rest, input: parseObject(json) } : rest;
}

function readStream(text: string): Seen {
  const blocks: JsonObject[] = [];
  let message: JsonObject = {};
  let failed = false;
  let stopped = false;
  for (const event of eventsOf(text)) {
    const at = Number(event["index"]);
    switch (event["type"]) {
      case "message_start":
        message = asObject(event["message"]);
        break;
      case "content_block_start":
        if (at !== blocks.length) throw new Error(`block ${at} after ${blocks.length}`);
        blocks.push({ ...asObject(event["content_block"]) });
        break;
      case "content_block_delta":
        addDelta(blocks[at] ?? {}, asObject(event["delta"]));
        break;
      case "message_delta":
        message = {
          ...message,
          ...asObject(event["delta"]),
          usage: { ...asObject(message["usage"]), ...asObject(event["usage"]) },
        };
        break;
      case "message_stop":
        stopped = true;
        break;
      case "error":
        failed = true;
        break;
      default:
    }
  }
  if (stopped === failed) throw new Error("neither a proper end nor an error");
  return readMessage({ ...message, content: blocks.map(finished) }, failed);
}

const errorOf = (type: string): JsonObject => ({ type: "error", error: { type } });

export const anthropicMessagesClient: Client = {
  path: () => "/v1/messages",
  base: (model, stream) => ({
    model,
    max_tokens: 4000,
    messages: [{ role: "user", content: "Say hello." }],
    ...(stream && { stream: true }),
  }),
  next: (body, { turn, calls }) => ({
    ...body,
    messages: [
      ...asArray(body["messages"]),
      { role: "assistant", content: turn },
      {
        role: "user",
        content:
          calls.length > 0
            ? calls.map(({ id }) => ({ type: "tool_result", tool_use_id: id, content: RESULT }))
            : FOLLOW_UP,
      },
    ],
  }),
  readWhole: (body) => readMessage(body, false),
  readStream,
  finish: {
    stop: "end_turn",
    length: "max_tokens",
    "tool-calls": "tool_use",
    "stop-sequence": "stop_sequence",
    "content-filter": "refusal",
    refusal: "refusal",
  },
  cannot: ["refusal", "second", "logprobs"],
  errors: {
    context: { status: 400, error: errorOf("invalid_request_error") },
    "rate-limit": { status: 429, error: errorOf("rate_limit_error") },
    auth: { status: 502, error: errorOf("api_error") },
    "content-policy": { status: 400, error: errorOf("invalid_request_error") },
  },
};
