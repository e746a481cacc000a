import { compact, type JsonObject } from "#lib/json.ts";
import type { Answer, Finish } from "../scenario.ts";
import { inputOf, type FakeProvider } from "./fake-provider.ts";

const FINISH: Readonly<Record<Finish, string>> = {
  stop: "STOP",
  length: "MAX_TOKENS",
  "tool-calls": "STOP",
  "stop-sequence": "STOP",
  "content-filter": "SAFETY",
  refusal: "SAFETY",
};

const TOKEN = "CiQBgeminiThought==";

/** The token sits on the first call, or on the text where there is none. */
function parts(answer: Answer): JsonObject[] {
  const { reasoning = [], text = [], calls = [], signed } = answer;
  const callParts = calls.map(({ name, input }, at) =>
    compact({
      functionCall: compact({ name, args: argsOf(input) }),
      thoughtSignature: signed && at === 0 ? TOKEN : undefined,
    }),
  );
  const signature = signed && calls.length === 0;
  return [
    ...reasoning.map((thought) => ({ text: thought, thought: true })),
    ...text.map((piece, at) =>
      compact({
        text: piece,
        thoughtSignature: signature && at === text.length - 1 ? TOKEN : undefined,
      }),
    ),
    ...callParts,
  ];
}

const argsOf = (input: readonly string[]): unknown =>
  inputOf(input) === "" ? undefined : (JSON.parse(inputOf(input)) as unknown);

function usage({ usage: u }: Answer): JsonObject {
  const { reasoning = 0 } = u;
  return compact({
    promptTokenCount: u.input,
    candidatesTokenCount: u.output - reasoning,
    thoughtsTokenCount: reasoning > 0 ? reasoning : undefined,
    cachedContentTokenCount: u.cacheRead,
    totalTokenCount: u.input + u.output,
  });
}

const grounding = ({ citation }: Answer) =>
  citation && {
    groundingChunks: [{ web: { uri: citation.url, title: citation.title } }],
    groundingSupports: [
      { segment: { startIndex: 0, endIndex: 5, text: "Hello" }, groundingChunkIndices: [0] },
    ],
  };

const logprobs = ({ logprobs: wanted, text = [] }: Answer) =>
  wanted && {
    chosenCandidates: text.map((token) => ({ token, tokenId: 1, logProbability: -0.1 })),
    topCandidates: text.map((token) => ({
      candidates: [{ token, tokenId: 1, logProbability: -0.1 }],
    })),
  };

const head = { modelVersion: "matrix", responseId: "resp-gemini" };

function whole(answer: Answer): JsonObject {
  const first = compact({
    content: { parts: parts(answer), role: "model" },
    finishReason: FINISH[answer.finish],
    index: 0,
    groundingMetadata: grounding(answer),
    logprobsResult: logprobs(answer),
  });
  const second = answer.second && {
    content: { parts: [{ text: answer.second }], role: "model" },
    finishReason: "STOP",
    index: 1,
  };
  return { candidates: second ? [first, second] : [first], usageMetadata: usage(answer), ...head };
}

function stream(answer: Answer): Buffer {
  const chunk = (candidate: JsonObject): JsonObject => ({
    candidates: [{ index: 0, ...candidate }],
    usageMetadata: { promptTokenCount: answer.usage.input, totalTokenCount: answer.usage.input },
    ...head,
  });
  const tokens = logprobs(answer)?.chosenCandidates ?? [];
  const texts = parts(answer).map((part) => {
    const at = (answer.text ?? []).findIndex((text) => text === part["text"] && !part["thought"]);
    const token = at === -1 ? undefined : tokens[at];
    return chunk({
      content: { parts: [part], role: "model" },
      ...(token && {
        logprobsResult: {
          chosenCandidates: [token],
          topCandidates: [{ candidates: [token] }],
        },
      }),
    });
  });
  const last = {
    ...chunk(
      compact({
        content: { parts: [], role: "model" },
        finishReason: FINISH[answer.finish],
        groundingMetadata: grounding(answer),
      }),
    ),
    usageMetadata: usage(answer),
  };
  const failure = {
    error: { code: 503, message: "The model is overloaded.", status: "UNAVAILABLE" },
  };
  const second = answer.second && {
    ...head,
    candidates: [
      {
        index: 1,
        content: { parts: [{ text: answer.second }], role: "model" },
        finishReason: "STOP",
      },
    ],
  };
  const events = [...texts, ...(second ? [second] : []), answer.fails ? failure : last];
  return Buffer.from(events.map((event) => `data: ${JSON.stringify(event)}\r\n\r\n`).join(""));
}

const error = (code: number, status: string, message: string): JsonObject => ({
  error: { code, message, status },
});

export const gemini: FakeProvider = {
  model: "google/gemini-3-flash-matrix",
  cannot: ["redacted", "stopSequence", "refusal"],
  tells: { "stop-sequence": "stop", refusal: "content-filter" },
  token: TOKEN,
  whole,
  stream,
  streamType: "text/event-stream",
  error: (kind) =>
    ({
      context: {
        status: 400,
        body: error(
          400,
          "INVALID_ARGUMENT",
          "The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).",
        ),
      },
      "rate-limit": {
        status: 429,
        body: error(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (per minute)."),
        headers: { "retry-after": "7" },
      },
      auth: {
        status: 400,
        body: error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
      },
      "content-policy": {
        status: 200,
        body: { promptFeedback: { blockReason: "PROHIBITED_CONTENT" }, ...head },
      },
    })[kind],
};
