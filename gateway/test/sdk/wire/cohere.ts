import { asObject, type JsonObject } from "#lib/json.ts";

import { OPENAI_CHAT } from "./openai-chat.ts";
import { namedEvents, pieces } from "./stream.ts";
import { optional, type Turn, type Wire } from "./wire.ts";

const finishOf = ({ finish, calls }: Turn): string => {
  if (finish === "length") return "MAX_TOKENS";
  return calls === undefined ? "COMPLETE" : "TOOL_CALL";
};

const usageOf = ({ usage: { input, output } }: Turn): JsonObject => ({
  billed_units: { input_tokens: input, output_tokens: output },
  tokens: { input_tokens: input, output_tokens: output },
});

const callsOf = ({ calls = [] }: Turn): JsonObject[] =>
  calls.map(({ id, name, args }) => ({
    id,
    type: "function",
    function: { name, arguments: JSON.stringify(args) },
  }));

function body(turn: Turn): JsonObject {
  const { text, calls } = turn;
  return {
    id: "cohere-up1",
    finish_reason: finishOf(turn),
    message: {
      role: "assistant",
      ...(text !== undefined && { content: [{ type: "text", text }] }),
      ...(calls !== undefined && { tool_calls: callsOf(turn) }),
    },
    usage: usageOf(turn),
  };
}

function stream(turn: Turn): Buffer {
  const events: JsonObject[] = [
    {
      id: "cohere-up1",
      type: "message-start",
      delta: { message: { role: "assistant", content: [], tool_calls: [] } },
    },
  ];
  const say = (type: string, index: number, message?: JsonObject): void => {
    events.push({ type, index, ...(message !== undefined && { delta: { message } }) });
  };
  if (turn.text !== undefined) {
    say("content-start", 0, { content: { type: "text", text: "" } });
    for (const text of pieces(turn.text)) say("content-delta", 0, { content: { text } });
    say("content-end", 0);
  }
  callsOf(turn).forEach((call, index) => {
    const { name, arguments: args } = asObject(call["function"]);
    const empty = { ...call, function: { name, arguments: "" } };
    say("tool-call-start", index, { tool_calls: empty });
    for (const text of pieces(String(args))) {
      say("tool-call-delta", index, { tool_calls: { function: { arguments: text } } });
    }
    say("tool-call-end", index);
  });
  events.push({
    type: "message-end",
    delta: { finish_reason: finishOf(turn), usage: usageOf(turn) },
  });
  return namedEvents(events);
}

export const COHERE: Wire = {
  ...OPENAI_CHAT,
  protocol: "cohere",
  body,
  stream,
  error: (_status, message) => ({ id: "cohere-up1", message }),
  received: (body) => {
    const format = asObject(body["response_format"]);
    // `REQUIRED` with a single tool is how a call of one tool is forced here.
    return {
      ...OPENAI_CHAT.received(body),
      ...optional("schema", (format["json_schema"] ?? format["schema"]) as JsonObject | undefined),
    };
  },
};
