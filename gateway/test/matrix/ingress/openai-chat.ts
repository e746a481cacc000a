import { asArray, asObject, asObjects, asString, type JsonObject } from "#lib/json.ts";
import type { Seen } from "../scenario.ts";
import { eventsOf, FOLLOW_UP, RESULT, type Client } from "./client.ts";

interface Message extends JsonObject {
  content: string | null;
}

function seenCall(call: JsonObject): Seen["calls"][number] {
  const custom = asObject(call["custom"]);
  const called = asObject(call["function"]);
  const id = asString(call["id"]) ?? "";
  return call["type"] === "custom"
    ? { id, name: asString(custom["name"]) ?? "", custom: asString(custom["input"]) ?? "" }
    : {
        id,
        name: asString(called["name"]) ?? "",
        input: JSON.parse(asString(called["arguments"]) ?? "null") as unknown,
      };
}

interface Read {
  readonly message: JsonObject;
  readonly finish: unknown;
  readonly logprobs: JsonObject;
  readonly usage: JsonObject;
  readonly second?: string | undefined;
  readonly failed: boolean;
}

function seen({ message, finish, logprobs, usage, second, failed }: Read): Seen {
  const details = asObject(usage["prompt_tokens_details"]);
  const refusal = asString(message["refusal"]);
  return {
    text: asString(message["content"]) ?? "",
    reasoning: asString(message["reasoning_content"]) ?? asString(message["reasoning"]) ?? "",
    calls: asObjects(message["tool_calls"]).map(seenCall),
    finish: String(finish),
    input: Number(usage["prompt_tokens"]),
    output: Number(usage["completion_tokens"]),
    cacheRead: Number(details["cached_tokens"] ?? 0),
    reasoningTokens: Number(asObject(usage["completion_tokens_details"])["reasoning_tokens"] ?? 0),
    citations: asObjects(message["annotations"]).map(({ url_citation }) =>
      String(asObject(url_citation)["url"]),
    ),
    logprobs: asArray(logprobs["content"]).length,
    ...(refusal !== undefined && { refusal }),
    ...(second !== undefined && { second }),
    turn: message,
    failed,
  };
}

function readWhole(body: JsonObject): Seen {
  const [choice = {}, other] = asObjects(body["choices"]);
  return seen({
    message: asObject(choice["message"]),
    finish: choice["finish_reason"],
    logprobs: asObject(choice["logprobs"]),
    usage: asObject(body["usage"]),
    second: asString(asObject(other?.["message"])["content"]),
    failed: false,
  });
}

/** Joins deltas as OpenAI's and OpenRouter's SDKs do. */
function addDelta(message: Message, delta: JsonObject): void {
  for (const key of ["content", "refusal", "reasoning", "reasoning_content"]) {
    const text = asString(delta[key]);
    if (text !== undefined) message[key] = (asString(message[key]) ?? "") + text;
  }
  if (delta["extra_content"] !== undefined) message["extra_content"] = delta["extra_content"];
  for (const key of ["annotations", "reasoning_details"]) {
    if (Array.isArray(delta[key])) message[key] = [...asArray(message[key]), ...delta[key]];
  }
  for (const piece of asObjects(delta["tool_calls"])) {
    const calls = (message["tool_calls"] ??= []) as JsonObject[];
    const at = Number(piece["index"]);
    const known = calls[at];
    if (known === undefined) {
      const { index: _, ...call } = piece;
      calls[at] = call;
      continue;
    }
    for (const kind of ["function", "custom"] as const) {
      const member = kind === "function" ? "arguments" : "input";
      const text = asString(asObject(piece[kind])[member]);
      const held = asObject(known[kind]);
      if (text !== undefined) held[member] = (asString(held[member]) ?? "") + text;
    }
  }
}

function readStream(text: string): Seen {
  const message: Message = { role: "assistant", content: null };
  const tokens: unknown[] = [];
  let finish: unknown;
  let second: string | undefined;
  let usage: JsonObject = {};
  let failed = false;
  for (const event of eventsOf(text)) {
    if (event["error"] !== undefined) failed = true;
    if (event["usage"]) usage = asObject(event["usage"]);
    for (const choice of asObjects(event["choices"])) {
      const delta = asObject(choice["delta"]);
      if (choice["index"] === 1) {
        second = (second ?? "") + (asString(delta["content"]) ?? "");
        continue;
      }
      addDelta(message, delta);
      tokens.push(...asArray(asObject(choice["logprobs"])["content"]));
      finish = choice["finish_reason"] ?? finish;
    }
  }
  if (!failed && !text.trimEnd().endsWith("[DONE]")) throw new Error("no [DONE]");
  return seen({ message, finish, logprobs: { content: tokens }, usage, second, failed });
}

const asked = (stream: boolean): JsonObject =>
  stream ? { stream: true, stream_options: { include_usage: true } } : {};

export const openaiChatClient: Client = {
  path: () => "/v1/chat/completions",
  base: (model, stream) => ({
    model,
    messages: [{ role: "user", content: "Say hello." }],
    ...asked(stream),
  }),
  next: (body, { turn, calls }) => ({
    ...body,
    messages: [
      ...asArray(body["messages"]),
      turn,
      ...(calls.length > 0
        ? calls.map(({ id }) => ({ role: "tool", tool_call_id: id, content: RESULT }))
        : [{ role: "user", content: FOLLOW_UP }]),
    ],
  }),
  readWhole,
  readStream,
  finish: {
    stop: "stop",
    length: "length",
    "tool-calls": "tool_calls",
    "stop-sequence": "stop",
    "content-filter": "content_filter",
    refusal: "content_filter",
  },
  cannot: ["stopSequence"],
  errors: {
    context: {
      status: 400,
      error: { error: { code: "context_length_exceeded", type: "invalid_request_error" } },
    },
    "rate-limit": { status: 429, error: { error: { type: "rate_limit_error" } } },
    auth: { status: 502, error: { error: { code: "upstream_auth" } } },
    "content-policy": { status: 400, error: { error: { type: "invalid_request_error" } } },
  },
};
