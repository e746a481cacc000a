import { asObject, asObjects, asString, type JsonObject } from "#lib/json.ts";

import { dataEvents, pieces } from "./stream.ts";
import {
  forcedTool,
  optional,
  parseArgs,
  textOf,
  type Received,
  type Turn,
  type Wire,
} from "./wire.ts";

const HEAD = { id: "chatcmpl-up1", created: 1_760_000_000, model: "upstream-model" };

const finishOf = ({ finish, calls }: Turn): string =>
  finish ?? (calls === undefined ? "stop" : "tool_calls");

const usageOf = ({ usage: { input, output } }: Turn): JsonObject => ({
  prompt_tokens: input,
  completion_tokens: output,
  total_tokens: input + output,
});

const chunk = (delta: JsonObject, finish: string | null = null): JsonObject => ({
  ...HEAD,
  object: "chat.completion.chunk",
  choices: [{ index: 0, delta, finish_reason: finish }],
});

function body(turn: Turn): JsonObject {
  const calls = turn.calls?.map(({ id, name, args }) => ({
    id,
    type: "function",
    function: { name, arguments: JSON.stringify(args) },
  }));
  const message = {
    role: "assistant",
    content: turn.text ?? null,
    ...optional("tool_calls", calls),
    ...optional("reasoning_content", turn.reasoning?.text),
  };
  return {
    ...HEAD,
    object: "chat.completion",
    choices: [{ index: 0, message, finish_reason: finishOf(turn) }],
    usage: usageOf(turn),
  };
}

function stream(turn: Turn): Buffer {
  const calls = (turn.calls ?? []).flatMap(({ id, name, args }, index) => [
    chunk({ tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] }),
    ...pieces(JSON.stringify(args)).map((text) =>
      chunk({ tool_calls: [{ index, function: { arguments: text } }] }),
    ),
  ]);
  return dataEvents(
    [
      chunk({ role: "assistant", content: "" }),
      ...pieces(turn.reasoning?.text ?? "").map((text) => chunk({ reasoning_content: text })),
      ...pieces(turn.text ?? "").map((text) => chunk({ content: text })),
      ...calls,
      chunk({}, finishOf(turn)),
      { ...chunk({}), choices: [], usage: usageOf(turn) },
    ],
    "data: [DONE]\n\n",
  );
}

function received(body: JsonObject): Received {
  const messages = asObjects(body["messages"]);
  const textsOf = (...roles: readonly string[]): string =>
    messages
      .filter(({ role }) => roles.includes(asString(role) ?? ""))
      .map(({ content }) => textOf(content))
      .join("\n");
  const format = asObject(asObject(body["response_format"])["json_schema"]);
  const tools = asObjects(body["tools"]).map((tool) => String(asObject(tool["function"])["name"]));
  return {
    system: textsOf("system", "developer"),
    user: textsOf("user"),
    tools,
    ...forcedTool(tools, {
      named: asString(asObject(asObject(body["tool_choice"])["function"])["name"]),
      // `REQUIRED` is Cohere's spelling.
      required: ["required", "REQUIRED"].includes(String(body["tool_choice"])),
    }),
    calls: messages.flatMap(({ tool_calls: calls }) =>
      asObjects(calls).map((call) => {
        const { name, arguments: args } = asObject(call["function"]);
        return { id: String(call["id"]), name: String(name), args: parseArgs(args) };
      }),
    ),
    results: messages
      .filter(({ role }) => role === "tool")
      .map((message) => ({
        id: String(message["tool_call_id"]),
        text: textOf(message["content"]),
      })),
    ...optional("schema", format["schema"] as JsonObject | undefined),
    thoughts: [],
    signatures: [],
  };
}

export const OPENAI_CHAT: Wire = {
  protocol: "openai-chat",
  streamType: "text/event-stream; charset=utf-8",
  wantsStream: (_path, body) => body["stream"] === true,
  body,
  stream,
  error: (status, message) => ({
    error: {
      message,
      type: status === 429 ? "rate_limit_error" : "invalid_request_error",
      param: null,
      code: null,
    },
  }),
  received,
};
