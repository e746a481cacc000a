import { compact, type JsonObject } from "#lib/json.ts";
import type { Answer, Finish } from "../scenario.ts";
import { inputOf, sseTyped, type FakeProvider } from "./fake-provider.ts";

const FINISH: Readonly<Record<Finish, string>> = {
  stop: "end_turn",
  length: "max_tokens",
  "tool-calls": "tool_use",
  "stop-sequence": "stop_sequence",
  "content-filter": "refusal",
  refusal: "refusal",
};

const TOKEN = "ErUBanthropicSignature==";

const citation = ({ citation: cited }: Answer) =>
  cited && {
    type: "web_search_result_location",
    ...cited,
    encrypted_index: "Eo8BCioIAhgB",
    cited_text: "Hello",
  };

function blocks(answer: Answer): JsonObject[] {
  const { reasoning, signed, redacted, text, refusal, calls = [] } = answer;
  const cited = citation(answer);
  const said = refusal ?? text?.join("");
  return [
    ...(redacted ? [{ type: "redacted_thinking", data: TOKEN }] : []),
    ...(reasoning
      ? [{ type: "thinking", thinking: reasoning.join(""), signature: signed ? TOKEN : "" }]
      : []),
    ...(said === undefined
      ? []
      : [compact({ type: "text", text: said, citations: cited && [cited] })]),
    ...calls.map(({ id, name, input }) => ({
      type: "tool_use",
      id,
      name,
      input: JSON.parse(inputOf(input) || "{}") as unknown,
    })),
  ];
}

/** The provider's own input count leaves out what the cache gave and took. */
function usage({ usage: u }: Answer): JsonObject {
  const { cacheRead = 0, cacheWrite = 0 } = u;
  return {
    input_tokens: u.input - cacheRead - cacheWrite,
    cache_read_input_tokens: cacheRead,
    cache_creation_input_tokens: cacheWrite,
    cache_creation: { ephemeral_5m_input_tokens: cacheWrite, ephemeral_1h_input_tokens: 0 },
    output_tokens: u.output,
    ...(u.reasoning && { output_tokens_details: { thinking_tokens: u.reasoning } }),
  };
}

const whole = (answer: Answer): JsonObject => ({
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "matrix",
  content: blocks(answer),
  stop_reason: FINISH[answer.finish],
  stop_sequence: answer.stopSequence ?? null,
  usage: usage(answer),
});

function blockEvents(block: JsonObject, index: number, answer: Answer): JsonObject[] {
  const delta = (value: JsonObject): JsonObject => ({
    type: "content_block_delta",
    index,
    delta: value,
  });
  const start = (value: JsonObject): JsonObject => ({
    type: "content_block_start",
    index,
    content_block: value,
  });
  const stop = { type: "content_block_stop", index };
  switch (block["type"]) {
    case "thinking":
      return [
        start({ type: "thinking", thinking: "", signature: "" }),
        ...(answer.reasoning ?? []).map((thinking) => delta({ type: "thinking_delta", thinking })),
        ...(answer.signed ? [delta({ type: "signature_delta", signature: TOKEN })] : []),
        stop,
      ];
    case "text": {
      const cited = citation(answer);
      const pieces = answer.refusal === undefined ? (answer.text ?? []) : [answer.refusal];
      return [
        start({ type: "text", text: "", ...(cited && { citations: [] }) }),
        ...(cited ? [delta({ type: "citations_delta", citation: cited })] : []),
        ...pieces.map((text) => delta({ type: "text_delta", text })),
        stop,
      ];
    }
    case "tool_use": {
      const call = answer.calls?.find(({ id }) => id === block["id"]);
      return [
        start({ ...block, input: {} }),
        delta({ type: "input_json_delta", partial_json: "" }),
        ...(call?.input ?? []).map((partial_json) =>
          delta({ type: "input_json_delta", partial_json }),
        ),
        stop,
      ];
    }
    default:
      return [start(block), stop];
  }
}

function stream(answer: Answer): Buffer {
  const { output_tokens: _, ...prompt } = usage(answer);
  const message = {
    ...whole(answer),
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { ...prompt, output_tokens: 1 },
  };
  const events: JsonObject[] = [
    { type: "message_start", message },
    ...blocks(answer).flatMap((block, at) => blockEvents(block, at, answer)),
  ];
  if (answer.fails) {
    const error = { type: "overloaded_error", message: "Overloaded" };
    return sseTyped(...events, { type: "error", error });
  }
  events.splice(2, 0, { type: "ping" });
  const delta = {
    stop_reason: FINISH[answer.finish],
    stop_sequence: answer.stopSequence ?? null,
  };
  return sseTyped(
    ...events,
    { type: "message_delta", delta, usage: usage(answer) },
    { type: "message_stop" },
  );
}

const error = (type: string, message: string): JsonObject => ({
  type: "error",
  error: { type, message },
  request_id: "req_1",
});

export const anthropicMessages: FakeProvider = {
  model: "anthropic/claude-sonnet-4-6-matrix",
  cannot: ["logprobs", "second", "refusal"],
  tells: { "content-filter": "refusal" },
  token: TOKEN,
  whole,
  stream,
  streamType: "text/event-stream",
  error: (kind) =>
    ({
      context: {
        status: 400,
        body: error("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
      },
      "rate-limit": {
        status: 429,
        body: error("rate_limit_error", "This request would exceed your rate limit."),
        headers: { "retry-after": "7" },
      },
      auth: { status: 401, body: error("authentication_error", "invalid x-api-key") },
      "content-policy": {
        status: 400,
        body: error("invalid_request_error", "Output blocked by content filtering policy"),
      },
    })[kind],
};
