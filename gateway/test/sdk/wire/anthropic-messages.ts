import { asObject, asObjects, asString, type JsonObject } from "#lib/json.ts";

import { namedEvents, pieces } from "./stream.ts";
import { forcedTool, optional, textOf, type Received, type Turn, type Wire } from "./wire.ts";

function blocks({ reasoning, text, calls = [] }: Turn): JsonObject[] {
  return [
    ...(reasoning === undefined
      ? []
      : [{ type: "thinking", thinking: reasoning.text, signature: reasoning.signature }]),
    ...(text === undefined ? [] : [{ type: "text", text }]),
    ...calls.map(({ id, name, args }) => ({ type: "tool_use", id, name, input: args })),
  ];
}

const stopReason = ({ finish, calls }: Turn): string => {
  if (finish === "length") return "max_tokens";
  return calls === undefined ? "end_turn" : "tool_use";
};

function body(turn: Turn): JsonObject {
  return {
    id: "msg_up1",
    type: "message",
    role: "assistant",
    model: "upstream-model",
    content: blocks(turn),
    stop_reason: stopReason(turn),
    stop_sequence: null,
    usage: {
      input_tokens: turn.usage.input,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: turn.usage.output,
    },
  };
}

/** A block as it begins, and the deltas that fill it. */
function blockDeltas(block: JsonObject): { empty: JsonObject; deltas: JsonObject[] } {
  switch (block["type"]) {
    case "thinking":
      return {
        empty: { ...block, thinking: "", signature: "" },
        deltas: [
          ...pieces(String(block["thinking"])).map((thinking) => ({
            type: "thinking_delta",
            thinking,
          })),
          { type: "signature_delta", signature: block["signature"] },
        ],
      };
    case "text":
      return {
        empty: { ...block, text: "" },
        deltas: pieces(String(block["text"])).map((text) => ({ type: "text_delta", text })),
      };
    default: {
      const json = ["", ...pieces(JSON.stringify(block["input"]))];
      return {
        empty: { ...block, input: {} },
        deltas: json.map((text) => ({ type: "input_json_delta", partial_json: text })),
      };
    }
  }
}

function stream(turn: Turn): Buffer {
  const message = body(turn);
  const usage = asObject(message["usage"]);
  const events: JsonObject[] = [
    {
      type: "message_start",
      message: {
        ...message,
        content: [],
        stop_reason: null,
        usage: { ...usage, output_tokens: 1 },
      },
    },
    { type: "ping" },
  ];
  blocks(turn).forEach((block, index) => {
    const { empty, deltas } = blockDeltas(block);
    events.push(
      { type: "content_block_start", index, content_block: empty },
      ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
      { type: "content_block_stop", index },
    );
  });
  events.push(
    {
      type: "message_delta",
      delta: { stop_reason: stopReason(turn), stop_sequence: null },
      usage: { output_tokens: turn.usage.output },
    },
    { type: "message_stop" },
  );
  return namedEvents(events);
}

function received(body: JsonObject): Received {
  const messages = asObjects(body["messages"]);
  const blocksOf = (type: string): JsonObject[] =>
    messages.flatMap(({ content }) => asObjects(content).filter((block) => block["type"] === type));
  const user = messages
    .filter(({ role }) => role === "user")
    .map(({ content }) =>
      textOf(
        typeof content === "string"
          ? content
          : asObjects(content).filter(({ type }) => type === "text"),
      ),
    );
  const format = asObject(asObject(body["output_config"])["format"]);
  const choice = asObject(body["tool_choice"]);
  const tools = asObjects(body["tools"]).map(({ name }) => String(name));
  return {
    system: textOf(body["system"]),
    user: user.join("\n"),
    tools,
    ...forcedTool(tools, {
      named: asString(choice["name"]),
      required: choice["type"] === "any",
    }),
    calls: blocksOf("tool_use").map(({ id, name, input }) => ({
      id: String(id),
      name: String(name),
      args: asObject(input),
    })),
    results: blocksOf("tool_result").map((block) => ({
      id: String(block["tool_use_id"]),
      text: textOf(block["content"]),
    })),
    ...optional("schema", format["schema"] as JsonObject | undefined),
    thoughts: blocksOf("thinking").map(({ thinking }) => String(thinking)),
    signatures: blocksOf("thinking").map(({ signature }) => String(signature)),
  };
}

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  404: "not_found_error",
  429: "rate_limit_error",
  529: "overloaded_error",
};

export const ANTHROPIC_MESSAGES: Wire = {
  protocol: "anthropic-messages",
  streamType: "text/event-stream; charset=utf-8",
  wantsStream: (_path, body) => body["stream"] === true,
  body,
  stream,
  error: (status, message) => ({
    type: "error",
    error: { type: ERROR_TYPES[status] ?? "api_error", message },
    request_id: "req_up1",
  }),
  received,
};
