import { EventStreamCodec } from "@smithy/eventstream-codec";

import type { JsonObject } from "#lib/json.ts";
import type { Answer, Finish } from "../scenario.ts";
import { inputOf, type FakeProvider } from "./fake-provider.ts";

const FINISH: Readonly<Record<Finish, string>> = {
  stop: "end_turn",
  length: "max_tokens",
  "tool-calls": "tool_use",
  "stop-sequence": "stop_sequence",
  "content-filter": "guardrail_intervened",
  refusal: "content_filtered",
};

/** Claude's tokens are base64 that begins with `E`. */
const TOKEN = "ErcBbedrockSignature";

function blocks(answer: Answer): JsonObject[] {
  const { reasoning, signed, redacted, text, calls = [], citation } = answer;
  const said = text?.join("");
  const redactedContent = Buffer.from(TOKEN, "latin1").toString("base64");
  return [
    ...(redacted ? [{ reasoningContent: { redactedContent } }] : []),
    ...(reasoning
      ? [
          {
            reasoningContent: {
              reasoningText: { text: reasoning.join(""), ...(signed && { signature: TOKEN }) },
            },
          },
        ]
      : []),
    ...(said === undefined
      ? []
      : [
          citation
            ? { citationsContent: { content: [{ text: said }], citations: [cited(citation)] } }
            : { text: said },
        ]),
    ...calls.map(({ id, name, input }) => ({
      toolUse: { toolUseId: id, name, input: JSON.parse(inputOf(input) || "{}") as unknown },
    })),
  ];
}

const cited = ({ url, title }: NonNullable<Answer["citation"]>): JsonObject => ({
  title,
  location: { web: { url, domain: "example.com" } },
  sourceContent: [{ text: "Hello" }],
});

/** The provider's own input count leaves out what the cache gave and took. */
function usage({ usage: u }: Answer): JsonObject {
  const { cacheRead = 0, cacheWrite = 0 } = u;
  return {
    inputTokens: u.input - cacheRead - cacheWrite,
    outputTokens: u.output,
    totalTokens: u.input + u.output,
    cacheReadInputTokens: cacheRead,
    cacheWriteInputTokens: cacheWrite,
  };
}

const whole = (answer: Answer): JsonObject => ({
  output: { message: { role: "assistant", content: blocks(answer) } },
  stopReason: FINISH[answer.finish],
  usage: usage(answer),
  metrics: { latencyMs: 100 },
});

type Frame = readonly [type: string, payload: JsonObject];

function blockFrames(block: JsonObject, at: number, answer: Answer): Frame[] {
  const delta = (value: JsonObject): Frame => [
    "contentBlockDelta",
    { contentBlockIndex: at, delta: value, p: "abc" },
  ];
  const stop: Frame = ["contentBlockStop", { contentBlockIndex: at, p: "ab" }];
  if (block["toolUse"] !== undefined) {
    const { toolUseId, name } = block["toolUse"] as JsonObject;
    const call = answer.calls?.find(({ id }) => id === toolUseId);
    const start = { toolUse: { toolUseId, name } };
    return [
      ["contentBlockStart", { contentBlockIndex: at, start, p: "a" }],
      ...(call?.input ?? []).map((input) => delta({ toolUse: { input } })),
      stop,
    ];
  }
  const reasoning = block["reasoningContent"] as JsonObject | undefined;
  if (reasoning?.["redactedContent"] !== undefined) {
    return [delta({ reasoningContent: reasoning }), stop];
  }
  if (reasoning !== undefined) {
    const texts = (answer.reasoning ?? []).map((text) => delta({ reasoningContent: { text } }));
    const signature = delta({ reasoningContent: { signature: TOKEN } });
    return [...texts, ...(answer.signed ? [signature] : []), stop];
  }
  const citations = answer.citation ? [delta({ citation: cited(answer.citation) })] : [];
  return [...(answer.text ?? []).map((text) => delta({ text })), ...citations, stop];
}

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes).toString("utf8"),
  (text) => Buffer.from(text),
);

const header = (value: string) => ({ type: "string", value }) as const;

function frame([type, payload]: Frame): Uint8Array {
  const isError = type.endsWith("Exception");
  return codec.encode({
    headers: {
      [isError ? ":exception-type" : ":event-type"]: header(type),
      ":content-type": header("application/json"),
      ":message-type": header(isError ? "exception" : "event"),
    },
    body: Buffer.from(JSON.stringify(payload)),
  });
}

function stream(answer: Answer): Buffer {
  const frames: Frame[] = [
    ["messageStart", { role: "assistant", p: "abcd" }],
    ...blocks(answer).flatMap((block, at) => blockFrames(block, at, answer)),
  ];
  if (answer.fails) {
    frames.push(["internalServerException", { message: "The server broke." }]);
  } else {
    frames.push(["messageStop", { stopReason: FINISH[answer.finish], p: "abcdef" }]);
    frames.push(["metadata", { usage: usage(answer), metrics: { latencyMs: 100 }, p: "a" }]);
  }
  return Buffer.concat(frames.map((one) => frame(one)));
}

const error = (status: number, kind: string, message: string) => ({
  status,
  body: { message },
  headers: { "x-amzn-errortype": `${kind}:http://internal.amazon.com/` },
});

export const bedrockConverse: FakeProvider = {
  model: "bedrock/anthropic.claude-sonnet-4-6-matrix",
  cannot: ["logprobs", "second", "refusal", "stopSequence"],
  tells: { refusal: "content-filter" },
  token: TOKEN,
  whole,
  stream,
  streamType: "application/vnd.amazon.eventstream",
  error: (kind) =>
    ({
      context: error(400, "ValidationException", "Input is too long for requested model."),
      "rate-limit": error(429, "ThrottlingException", "Too many requests, please wait."),
      auth: error(403, "UnrecognizedClientException", "The security token is invalid."),
      "content-policy": error(
        400,
        "ValidationException",
        "Output blocked by content filtering policy",
      ),
    })[kind],
};
