import { asArray, asObject, asObjects, asString, type JsonObject } from "#lib/json.ts";

import { namedEvents, pieces } from "./stream.ts";
import {
  forcedTool,
  optional,
  parseArgs,
  textOf,
  type Received,
  type Turn,
  type Wire,
} from "./wire.ts";
import { OPENAI_CHAT } from "./openai-chat.ts";

function output(turn: Turn): JsonObject[] {
  const { reasoning, text, calls = [] } = turn;
  const items: JsonObject[] = [];
  if (reasoning !== undefined) {
    items.push({
      id: `rs_${reasoning.signature.length}`,
      type: "reasoning",
      summary: [{ type: "summary_text", text: reasoning.text }],
      encrypted_content: reasoning.signature,
    });
  }
  if (text !== undefined) {
    items.push({
      id: "msg_up1",
      type: "message",
      role: "assistant",
      status: "completed",
      content: [{ type: "output_text", text, annotations: [], logprobs: [] }],
    });
  }
  for (const { id, name, args } of calls) {
    items.push({
      id: `fc_${id}`,
      type: "function_call",
      status: "completed",
      call_id: id,
      name,
      arguments: JSON.stringify(args),
    });
  }
  return items;
}

function body(turn: Turn): JsonObject {
  const { input, output: out } = turn.usage;
  const cut = turn.finish === "length";
  return {
    id: "resp_up1",
    object: "response",
    created_at: 1_760_000_000,
    status: cut ? "incomplete" : "completed",
    error: null,
    incomplete_details: cut ? { reason: "max_output_tokens" } : null,
    model: "upstream-model",
    output: output(turn),
    parallel_tool_calls: true,
    tool_choice: "auto",
    tools: [],
    usage: {
      input_tokens: input,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: out,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: input + out,
    },
  };
}

/** The events between an item's beginning and its end. */
function itemEvents(item: JsonObject, at: JsonObject): JsonObject[] {
  switch (item["type"]) {
    case "message": {
      const part = asObject(asArray(item["content"])[0]);
      const text = textOf(part);
      const where = { ...at, content_index: 0 };
      return [
        { type: "response.content_part.added", ...where, part: { ...part, text: "" } },
        ...pieces(text).map((delta) => ({ type: "response.output_text.delta", ...where, delta })),
        { type: "response.output_text.done", ...where, text },
        { type: "response.content_part.done", ...where, part },
      ];
    }
    case "function_call": {
      const text = String(item["arguments"]);
      const type = "response.function_call_arguments";
      return [
        ...pieces(text).map((delta) => ({ type: `${type}.delta`, ...at, delta })),
        { type: `${type}.done`, ...at, name: item["name"], arguments: text },
      ];
    }
    default: {
      const part = asObject(asArray(item["summary"])[0]);
      const where = { ...at, summary_index: 0 };
      const type = "response.reasoning_summary";
      return [
        { type: `${type}_part.added`, ...where, part: { ...part, text: "" } },
        ...pieces(textOf(part)).map((delta) => ({ type: `${type}_text.delta`, ...where, delta })),
        { type: `${type}_text.done`, ...where, text: textOf(part) },
        { type: `${type}_part.done`, ...where, part },
      ];
    }
  }
}

const EMPTY: Readonly<Record<string, JsonObject>> = {
  message: { content: [], status: "in_progress" },
  function_call: { arguments: "", status: "in_progress" },
  reasoning: { summary: [] },
};

function stream(turn: Turn): Buffer {
  const response = body(turn);
  const begun = { ...response, status: "in_progress", output: [], usage: null };
  const events: JsonObject[] = [
    { type: "response.created", response: begun },
    { type: "response.in_progress", response: begun },
  ];
  asObjects(response["output"]).forEach((item, index) => {
    const at = { output_index: index, item_id: item["id"] };
    const empty = { ...item, ...EMPTY[String(item["type"])] };
    events.push(
      { type: "response.output_item.added", output_index: index, item: empty },
      ...itemEvents(item, at),
      { type: "response.output_item.done", output_index: index, item },
    );
  });
  events.push({ type: `response.${String(response["status"])}`, response });
  return namedEvents(events.map((event, at) => ({ ...event, sequence_number: at })));
}

function received(body: JsonObject): Received {
  const input: readonly JsonObject[] =
    typeof body["input"] === "string"
      ? [{ role: "user", content: body["input"] }]
      : asObjects(body["input"]);
  const textsOf = (...roles: readonly string[]): string =>
    input
      .filter((item) => roles.includes(asString(item["role"]) ?? ""))
      .map(({ content }) => textOf(content))
      .join("\n");
  const ofType = (type: string): JsonObject[] => input.filter((item) => item["type"] === type);
  const tools = asObjects(body["tools"]).map(({ name }) => String(name));
  return {
    system: [asString(body["instructions"]) ?? "", textsOf("system", "developer")].join("\n"),
    user: textsOf("user"),
    tools,
    ...forcedTool(tools, {
      named: asString(asObject(body["tool_choice"])["name"]),
      required: body["tool_choice"] === "required",
    }),
    calls: ofType("function_call").map((item) => ({
      id: String(item["call_id"]),
      name: String(item["name"]),
      args: parseArgs(item["arguments"]),
    })),
    results: ofType("function_call_output").map((item) => ({
      id: String(item["call_id"]),
      text: textOf(item["output"]),
    })),
    ...optional(
      "schema",
      asObject(asObject(body["text"])["format"])["schema"] as JsonObject | undefined,
    ),
    thoughts: ofType("reasoning").map((item) => textOf(item["summary"])),
    signatures: ofType("reasoning").map((item) => String(item["encrypted_content"])),
  };
}

export const OPENAI_RESPONSES: Wire = {
  ...OPENAI_CHAT,
  protocol: "openai-responses",
  body,
  stream,
  received,
};
