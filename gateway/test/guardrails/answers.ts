import type { JsonObject } from "#lib/json.ts";
import { bytes, json, status, type ReceivedRequest, type Script } from "#test/fake-upstream.ts";
import { frame, type Protocol } from "#test/faults/wire.ts";
import { wireOf } from "#test/faults/wires.ts";

/** What providers say: a text, and the argument of a call of `look_up` where tools are offered. */
export interface Said {
  readonly text: string;
  readonly argument?: string;
}

const USAGE = { input: 1_000, output: 100 };
const PIECE = 3;

const piecesOf = (text: string): readonly string[] =>
  text.match(new RegExp(`[^]{1,${PIECE}}`, "g")) ?? [];

const PATHS: readonly (readonly [RegExp, Protocol])[] = [
  [/\/chat\/completions$/, "openai-chat"],
  [/\/responses$/, "openai-responses"],
  [/\/messages$/, "anthropic-messages"],
];

/** Plays every provider: by the path that it is asked at. */
export const provider =
  (said: Said): Script =>
  (request, response) => {
    const protocol = PATHS.find(([path]) => path.test(request.path))?.[1];
    const script = protocol === undefined ? other(request, said) : chat(request, protocol, said);
    return script(request, response);
  };

function chat(request: ReceivedRequest, protocol: Protocol, { text, argument }: Said): Script {
  const wire = wireOf(protocol);
  const call = argument === undefined ? undefined : JSON.stringify({ to: argument });
  const said = { by: "fake", text, usage: USAGE, ...(call !== undefined && { call }) };
  if (request.body["stream"] !== true) return json(wire.whole(said));
  const frames = [
    ...wire.opening(said),
    ...piecesOf(text).map((piece) => wire.text(said, piece)),
    ...(call === undefined ? [] : wire.call(said, piecesOf(call))),
    ...wire.finish(said),
    ...wire.done(),
  ];
  return bytes(frames.join(""));
}

function other(request: ReceivedRequest, said: Said): Script {
  const { path } = request;
  if (path.includes("GenerateContent")) return gemini(said, true);
  if (path.includes("generateContent")) return gemini(said, false);
  if (path.includes("embeddings")) {
    return json({
      object: "list",
      model: "m-1",
      data: [{ object: "embedding", index: 0, embedding: [0.25, -0.5] }],
      usage: { prompt_tokens: 4, total_tokens: 4 },
    });
  }
  if (path.includes("rerank")) {
    return json({ id: "r-1", results: [{ index: 0, relevance_score: 0.9 }], meta: {} });
  }
  if (path.includes("moderations")) {
    return json({
      id: "modr-1",
      model: "omni",
      results: [{ flagged: false, categories: {}, category_scores: {} }],
    });
  }
  if (path.includes("count_tokens")) return json({ input_tokens: 7 });
  return status(404, { error: { message: `nobody plays ${path}` } });
}

function gemini({ text, argument }: Said, streamed: boolean): Script {
  const answer = (parts: readonly JsonObject[], finish?: string): JsonObject => ({
    candidates: [
      { index: 0, content: { role: "model", parts }, ...(finish && { finishReason: finish }) },
    ],
    usageMetadata: { promptTokenCount: 1_000, candidatesTokenCount: 100, totalTokenCount: 1_100 },
    modelVersion: "m-1",
    responseId: "fake",
  });
  const call =
    argument === undefined ? [] : [{ functionCall: { name: "look_up", args: { to: argument } } }];
  if (!streamed) return json(answer([{ text }, ...call], "STOP"));
  const frames = [
    ...piecesOf(text).map((piece) => answer([{ text: piece }])),
    answer(call.length > 0 ? call : [{ text: "" }], "STOP"),
  ];
  return bytes(frames.map((one) => frame(one)).join(""));
}
