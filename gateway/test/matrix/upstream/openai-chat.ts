import { compact, type JsonObject } from "#lib/json.ts";
import type { Answer, Finish } from "../scenario.ts";
import { inputOf, sseData, type FakeProvider } from "./fake-provider.ts";

const FINISH: Readonly<Record<Finish, string>> = {
  stop: "stop",
  length: "length",
  "tool-calls": "tool_calls",
  "stop-sequence": "stop",
  "content-filter": "content_filter",
  refusal: "stop",
};

const TOKEN = "ErchatSignature==";

const head = { id: "chatcmpl-1", created: 1, model: "matrix" };

const annotations = ({ citation }: Answer) =>
  citation && [
    { type: "url_citation", url_citation: { ...citation, start_index: 0, end_index: 5 } },
  ];

const details = ({ reasoning, signed }: Answer) =>
  reasoning && [
    compact({
      type: "reasoning.text",
      text: reasoning.join(""),
      signature: signed && TOKEN,
      format: "anthropic-claude-v1",
      index: 0,
    }),
  ];

const logprobs = ({ logprobs: wanted, text = [] }: Answer) =>
  wanted && {
    content: text.map((token) => ({
      token,
      logprob: -0.1,
      bytes: [...Buffer.from(token)],
      top_logprobs: [{ token, logprob: -0.1, bytes: [...Buffer.from(token)] }],
    })),
    refusal: null,
  };

const call = ({ id, name, input }: NonNullable<Answer["calls"]>[number]) => ({
  id,
  type: "function",
  // OpenAI itself writes no arguments as an empty object.
  function: { name, arguments: inputOf(input) || "{}" },
});

function message(answer: Answer): JsonObject {
  const { text, reasoning, calls, refusal } = answer;
  return compact({
    role: "assistant",
    content: text?.join("") ?? null,
    refusal,
    reasoning: reasoning?.join(""),
    reasoning_details: details(answer),
    annotations: annotations(answer),
    tool_calls: calls?.map(call),
  });
}

const usage = ({ usage: u }: Answer): JsonObject => ({
  prompt_tokens: u.input,
  completion_tokens: u.output,
  total_tokens: u.input + u.output,
  prompt_tokens_details: { cached_tokens: u.cacheRead ?? 0 },
  completion_tokens_details: { reasoning_tokens: u.reasoning ?? 0 },
});

function whole(answer: Answer): JsonObject {
  const choice = {
    index: 0,
    message: message(answer),
    logprobs: logprobs(answer) ?? null,
    finish_reason: FINISH[answer.finish],
  };
  const second = answer.second && {
    index: 1,
    message: { role: "assistant", content: answer.second },
    finish_reason: "stop",
  };
  return {
    ...head,
    object: "chat.completion",
    choices: second ? [choice, second] : [choice],
    usage: usage(answer),
  };
}

const chunk = (delta: JsonObject, rest: JsonObject = {}): JsonObject => ({
  ...head,
  object: "chat.completion.chunk",
  choices: [{ index: 0, delta, finish_reason: null, ...rest }],
});

function callChunks(calls: Answer["calls"] = []): JsonObject[] {
  return calls.flatMap(({ id, name, input }, index) => [
    chunk({ tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] }),
    ...(input.length === 0 ? ["{}"] : input).map((text) =>
      chunk({ tool_calls: [{ index, function: { arguments: text } }] }),
    ),
  ]);
}

function reasoningChunks({ reasoning = [], signed }: Answer): JsonObject[] {
  const format = "anthropic-claude-v1";
  const texts = reasoning.map((text) =>
    chunk({
      reasoning: text,
      reasoning_details: [{ type: "reasoning.text", text, format, index: 0 }],
    }),
  );
  if (signed !== true) return texts;
  const detail = { type: "reasoning.text", signature: TOKEN, format, index: 0 };
  return [...texts, chunk({ content: "", reasoning_details: [detail] })];
}

function stream(answer: Answer): Buffer {
  const { text = [], refusal, second } = answer;
  const tokens = logprobs(answer)?.content;
  const events = [
    chunk({ role: "assistant", content: "" }),
    ...reasoningChunks(answer),
    ...text.map((content, at) =>
      chunk({ content }, tokens ? { logprobs: { content: [tokens[at]], refusal: null } } : {}),
    ),
    ...(refusal === undefined ? [] : [chunk({ refusal })]),
    ...(answer.citation ? [chunk({ annotations: annotations(answer) })] : []),
    ...callChunks(answer.calls),
  ];
  if (answer.fails) {
    return sseData(...events, { error: { message: "The server broke.", type: "server_error" } });
  }
  if (second !== undefined) {
    events.push(chunk({ content: second }, { index: 1 }));
    events.push(chunk({}, { index: 1, finish_reason: "stop" }));
  }
  const last = { ...chunk({}), choices: [], usage: usage(answer) };
  return sseData(...events, chunk({}, { finish_reason: FINISH[answer.finish] }), last, "[DONE]");
}

const error = (message: string, type: string, code: string | null): JsonObject => ({
  error: { message, type, param: null, code },
});

export const openaiChat: FakeProvider = {
  model: "vercel/matrix-model",
  cannot: ["redacted", "stopSequence"],
  tells: { "stop-sequence": "stop", refusal: "stop" },
  token: TOKEN,
  whole,
  stream,
  streamType: "text/event-stream",
  error: (kind) =>
    ({
      context: {
        status: 400,
        body: error(
          "This model's maximum context length is 8192 tokens.",
          "invalid_request_error",
          "context_length_exceeded",
        ),
      },
      "rate-limit": {
        status: 429,
        body: error("Rate limit reached.", "requests", "rate_limit_exceeded"),
        headers: { "retry-after": "7" },
      },
      auth: {
        status: 401,
        body: error("Incorrect API key provided.", "invalid_request_error", "invalid_api_key"),
      },
      "content-policy": {
        status: 400,
        body: error(
          "The prompt was filtered by our content management policy.",
          "invalid_request_error",
          "content_filter",
        ),
      },
    })[kind],
};
