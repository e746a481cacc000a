import { compact, type JsonObject } from "#lib/json.ts";
import type { Answer } from "../scenario.ts";
import { openaiChat } from "./openai-chat.ts";
import { inputOf, sseTyped, type FakeProvider } from "./fake-provider.ts";

const TOKEN = "gAAAAAopaqueReasoning==";

function content(answer: Answer): JsonObject[] {
  const { text, refusal, citation } = answer;
  if (refusal !== undefined) return [{ type: "refusal", refusal }];
  if (text === undefined) return [];
  const annotations = citation
    ? [{ type: "url_citation", ...citation, start_index: 0, end_index: 5 }]
    : [];
  return [{ type: "output_text", text: text.join(""), annotations, logprobs: logprobs(answer) }];
}

const logprobs = ({ logprobs: wanted, text = [] }: Answer): JsonObject[] =>
  wanted
    ? text.map((token) => ({
        token,
        logprob: -0.1,
        bytes: [...Buffer.from(token)],
        top_logprobs: [],
      }))
    : [];

const reasoningItem = ({ reasoning = [], signed }: Answer): JsonObject =>
  compact({
    id: "rs_1",
    type: "reasoning",
    summary: [{ type: "summary_text", text: reasoning.join("") }],
    encrypted_content: signed && TOKEN,
  });

const messageItem = (answer: Answer): JsonObject => ({
  id: "msg_1",
  type: "message",
  status: "completed",
  role: "assistant",
  content: content(answer),
});

const callItem = ({ id, name, namespace, input, custom }: NonNullable<Answer["calls"]>[number]) =>
  custom === undefined
    ? {
        id: `fc_${id}`,
        ...(namespace !== undefined && !name.startsWith(namespace) && { namespace }),
        type: "function_call",
        status: "completed",
        call_id: id,
        name,
        arguments: inputOf(input) || "{}",
      }
    : {
        id: `ctc_${id}`,
        type: "custom_tool_call",
        status: "completed",
        call_id: id,
        name,
        input: custom,
      };

function output(answer: Answer): JsonObject[] {
  return [
    ...(answer.reasoning ? [reasoningItem(answer)] : []),
    ...(content(answer).length > 0 ? [messageItem(answer)] : []),
    ...(answer.calls ?? []).map(callItem),
  ];
}

function response(answer: Answer): JsonObject {
  const { usage: u, finish } = answer;
  const reasons: Record<string, string> = {
    length: "max_output_tokens",
    "content-filter": "content_filter",
  };
  const reason = reasons[finish];
  return {
    id: "resp_1",
    object: "response",
    created_at: 1,
    status: reason ? "incomplete" : "completed",
    incomplete_details: reason ? { reason } : null,
    error: null,
    model: "matrix",
    output: output(answer),
    usage: {
      input_tokens: u.input,
      input_tokens_details: { cached_tokens: u.cacheRead ?? 0 },
      output_tokens: u.output,
      output_tokens_details: { reasoning_tokens: u.reasoning ?? 0 },
      total_tokens: u.input + u.output,
    },
  };
}

/** Events of one finished item; the parts of a text or of arguments come in pieces. */
function itemEvents(item: JsonObject, at: number, answer: Answer): JsonObject[] {
  const place = { item_id: item["id"], output_index: at };
  const open = { ...item, status: "in_progress" };
  const added = { type: "response.output_item.added", output_index: at };
  const done = { type: "response.output_item.done", output_index: at, item };
  switch (item["type"]) {
    case "reasoning": {
      const spot = { ...place, summary_index: 0 };
      const text = (answer.reasoning ?? []).join("");
      const empty = compact({
        ...item,
        summary: [],
        encrypted_content: answer.signed && "gAAAAfirst==",
      });
      return [
        { ...added, item: empty },
        {
          type: "response.reasoning_summary_part.added",
          ...spot,
          part: { type: "summary_text", text: "" },
        },
        ...(answer.reasoning ?? []).map((delta) => ({
          type: "response.reasoning_summary_text.delta",
          ...spot,
          delta,
        })),
        { type: "response.reasoning_summary_text.done", ...spot, text },
        {
          type: "response.reasoning_summary_part.done",
          ...spot,
          part: { type: "summary_text", text },
        },
        done,
      ];
    }
    case "message":
      return [{ ...added, item: { ...open, content: [] } }, ...textEvents(place, answer), done];
    default:
      return [...callEvents(item, { at, answer }), done];
  }
}

function textEvents(place: JsonObject, answer: Answer): JsonObject[] {
  const spot = { ...place, content_index: 0 };
  const [part] = content(answer);
  const { refusal, text = [] } = answer;
  if (refusal !== undefined) {
    return [
      { type: "response.content_part.added", ...spot, part: { type: "refusal", refusal: "" } },
      { type: "response.refusal.delta", ...spot, delta: refusal },
      { type: "response.refusal.done", ...spot, refusal },
      { type: "response.content_part.done", ...spot, part },
    ];
  }
  const tokens = logprobs(answer);
  const annotations = (part?.["annotations"] ?? []) as JsonObject[];
  return [
    {
      type: "response.content_part.added",
      ...spot,
      part: { type: "output_text", text: "", annotations: [] },
    },
    ...text.map((delta, at) => ({
      type: "response.output_text.delta",
      ...spot,
      delta,
      logprobs: tokens[at] ? [tokens[at]] : [],
    })),
    ...annotations.map((annotation, at) => ({
      type: "response.output_text.annotation.added",
      ...spot,
      annotation_index: at,
      annotation,
    })),
    { type: "response.output_text.done", ...spot, text: text.join(""), logprobs: tokens },
    { type: "response.content_part.done", ...spot, part },
  ];
}

function callEvents(item: JsonObject, context: { at: number; answer: Answer }): JsonObject[] {
  const { at, answer } = context;
  const place = { item_id: item["id"], output_index: at };
  const isCustom = item["type"] === "custom_tool_call";
  const call = answer.calls?.find(({ id }) => id === item["call_id"]);
  const name = isCustom ? "response.custom_tool_call_input" : "response.function_call_arguments";
  const member = isCustom ? "input" : "arguments";
  const pieces = isCustom ? [call?.custom ?? ""] : [...(call?.input ?? [])];
  if (pieces.length === 0) pieces.push("{}");
  return [
    {
      type: "response.output_item.added",
      output_index: at,
      item: { ...item, status: "in_progress", [member]: "" },
    },
    ...pieces.map((delta) => ({ type: `${name}.delta`, ...place, delta })),
    { type: `${name}.done`, ...place, [member]: item[member] },
  ];
}

function stream(answer: Answer): Buffer {
  const last = response(answer);
  const begun = { ...last, status: "in_progress", output: [], usage: null };
  const items = output(answer).flatMap((item, at) => itemEvents(item, at, answer));
  const events: JsonObject[] = [
    { type: "response.created", response: begun },
    { type: "response.in_progress", response: begun },
    ...items,
  ];
  if (answer.fails) {
    const error = { code: "server_error", message: "The server broke." };
    events.push({ type: "response.failed", response: { ...begun, status: "failed", error } });
  } else events.push({ type: `response.${String(last["status"])}`, response: last });
  return sseTyped(...events.map((event, at) => ({ ...event, sequence_number: at })));
}

export const openaiResponses: FakeProvider = {
  model: "openai/gpt-5-codex-matrix",
  cannot: ["redacted", "stopSequence", "second"],
  tells: { "stop-sequence": "stop", refusal: "stop" },
  token: TOKEN,
  whole: response,
  stream,
  streamType: "text/event-stream",
  error: (kind) => openaiChat.error(kind),
};
