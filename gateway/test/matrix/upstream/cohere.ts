import { compact, type JsonObject } from "#lib/json.ts";
import type { Answer, Finish } from "../scenario.ts";
import { inputOf, sseTyped, type FakeProvider } from "./fake-provider.ts";

const FINISH: Readonly<Record<Finish, string>> = {
  stop: "COMPLETE",
  length: "MAX_TOKENS",
  "tool-calls": "TOOL_CALL",
  "stop-sequence": "STOP_SEQUENCE",
  "content-filter": "COMPLETE",
  refusal: "COMPLETE",
};

const cited = ({ citation }: Answer) =>
  citation && {
    start: 0,
    end: 5,
    text: "Hello",
    sources: [{ type: "document", id: "doc:0", document: { id: "doc:0", ...citation } }],
    content_index: 0,
    type: "TEXT_CONTENT",
  };

function content({ reasoning, text }: Answer): JsonObject[] {
  return [
    ...(reasoning ? [{ type: "thinking", thinking: reasoning.join("") }] : []),
    ...(text ? [{ type: "text", text: text.join("") }] : []),
  ];
}

const call = ({ id, name, input }: NonNullable<Answer["calls"]>[number]): JsonObject => ({
  id,
  type: "function",
  function: { name, arguments: inputOf(input) },
});

const usage = ({ usage: u }: Answer): JsonObject => ({
  billed_units: { input_tokens: u.input, output_tokens: u.output },
  tokens: { input_tokens: u.input, output_tokens: u.output },
  ...(u.cacheRead && { cached_tokens: u.cacheRead }),
});

const logprobs = ({ logprobs: wanted, text = [] }: Answer) =>
  wanted ? text.map((piece) => ({ text: piece, token_ids: [1], logprobs: [-0.1] })) : undefined;

function whole(answer: Answer): JsonObject {
  const cite = cited(answer);
  return compact({
    id: "c14c80c3",
    message: compact({
      role: "assistant",
      content: content(answer),
      tool_calls: answer.calls?.map(call),
      citations: cite && [cite],
    }),
    finish_reason: FINISH[answer.finish],
    logprobs: logprobs(answer),
    usage: usage(answer),
  });
}

function stream(answer: Answer): Buffer {
  const { reasoning = [], text = [], calls = [] } = answer;
  const events: JsonObject[] = [
    { type: "message-start", id: "c14c80c3", delta: { message: { role: "assistant" } } },
  ];
  let index = 0;
  const block = (type: string, pieces: readonly string[]): void => {
    if (pieces.length === 0) return;
    const tokens = type === "text" ? logprobs(answer) : undefined;
    const at = index++;
    const start = { type, [type]: "" };
    events.push({ type: "content-start", index: at, delta: { message: { content: start } } });
    for (const [place, piece] of pieces.entries()) {
      const delta = { message: { content: { [type]: piece } } };
      const token = tokens?.[place];
      events.push({ type: "content-delta", index: at, delta, ...(token && { logprobs: token }) });
    }
    const cite = type === "text" ? cited(answer) : undefined;
    if (cite) {
      events.push({ type: "citation-start", index: 0, delta: { message: { citations: cite } } });
      events.push({ type: "citation-end", index: 0 });
    }
    events.push({ type: "content-end", index: at });
  };
  block("thinking", reasoning);
  block("text", text);
  for (const [at, { id, name, input }] of calls.entries()) {
    const start = { id, type: "function", function: { name, arguments: "" } };
    events.push({ type: "tool-call-start", index: at, delta: { message: { tool_calls: start } } });
    for (const piece of input) {
      const delta = { message: { tool_calls: { function: { arguments: piece } } } };
      events.push({ type: "tool-call-delta", index: at, delta });
    }
    events.push({ type: "tool-call-end", index: at });
  }
  const reason = answer.fails ? "ERROR" : FINISH[answer.finish];
  events.push({ type: "message-end", delta: { finish_reason: reason, usage: usage(answer) } });
  return Buffer.concat([sseTyped(...events), Buffer.from("data: [DONE]\n\n")]);
}

export const cohere: FakeProvider = {
  model: "cohere/command-a-reasoning-matrix",
  cannot: ["redacted", "stopSequence", "refusal", "second", "signed"],
  tells: { "content-filter": "stop", refusal: "stop" },
  token: "",
  whole,
  stream,
  streamType: "text/event-stream",
  error: (kind) =>
    ({
      context: {
        status: 400,
        body: { id: "1", message: "too many tokens: size limit exceeded by 1000 tokens." },
      },
      "rate-limit": {
        status: 429,
        body: { id: "1", message: "You are past the per minute request limit." },
        headers: { "retry-after": "7" },
      },
      auth: { status: 401, body: { id: "1", message: "invalid api token" } },
      "content-policy": {
        status: 400,
        body: { id: "1", message: "message was blocked by our content policy" },
      },
    })[kind],
};
