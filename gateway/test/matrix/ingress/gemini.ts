import { asArray, asObject, asObjects, asString, type JsonObject } from "#lib/json.ts";
import type { Seen } from "../scenario.ts";
import { eventsOf, FOLLOW_UP, RESULT, type Client } from "./client.ts";

interface Read {
  readonly parts: readonly JsonObject[];
  readonly candidate: JsonObject;
  readonly logprobs: number;
  readonly usage: JsonObject;
  readonly second?: string | undefined;
  readonly failed: boolean;
}

const textOf = (parts: readonly JsonObject[], thought: boolean): string =>
  parts
    .filter((part) => (part["thought"] === true) === thought)
    .map((part) => asString(part["text"]) ?? "")
    .join("");

const urlsOf = (candidate: JsonObject): string[] =>
  asObjects(asObject(candidate["groundingMetadata"])["groundingChunks"]).map(({ web }) =>
    String(asObject(web)["uri"]),
  );

function seen({ parts, candidate, logprobs, usage, second, failed }: Read): Seen {
  const thoughts = Number(usage["thoughtsTokenCount"] ?? 0);
  return {
    text: textOf(parts, false),
    reasoning: textOf(parts, true),
    calls: parts.flatMap(({ functionCall }) => {
      if (functionCall === undefined) return [];
      const { id, name, args } = asObject(functionCall);
      return [{ id: asString(id) ?? "", name: asString(name) ?? "", input: args ?? {} }];
    }),
    finish: String(candidate["finishReason"]),
    input: Number(usage["promptTokenCount"]),
    output: Number(usage["candidatesTokenCount"] ?? 0) + thoughts,
    cacheRead: Number(usage["cachedContentTokenCount"] ?? 0),
    reasoningTokens: thoughts,
    citations: urlsOf(candidate),
    logprobs,
    ...(second !== undefined && { second }),
    turn: { role: "model", parts },
    failed,
  };
}

const partsOf = (candidate: JsonObject): readonly JsonObject[] =>
  asObjects(asObject(candidate["content"])["parts"]);

const tokensOf = (candidate: JsonObject): number =>
  asArray(asObject(candidate["logprobsResult"])["chosenCandidates"]).length;

function readWhole(body: JsonObject): Seen {
  const [candidate = {}, other] = asObjects(body["candidates"]);
  return seen({
    parts: partsOf(candidate),
    candidate,
    logprobs: tokensOf(candidate),
    usage: asObject(body["usageMetadata"]),
    second: other && textOf(partsOf(other), false),
    failed: false,
  });
}

function readStream(text: string): Seen {
  const parts: JsonObject[] = [];
  const candidate: JsonObject = {};
  let usage: JsonObject = {};
  let logprobs = 0;
  let second: string | undefined;
  let failed = false;
  for (const event of eventsOf(text)) {
    if (event["error"] !== undefined) failed = true;
    if (event["usageMetadata"]) usage = asObject(event["usageMetadata"]);
    for (const one of asObjects(event["candidates"])) {
      if (one["index"] === 1) {
        second = (second ?? "") + textOf(partsOf(one), false);
        continue;
      }
      parts.push(...partsOf(one));
      logprobs += tokensOf(one);
      Object.assign(candidate, one);
    }
  }
  return seen({ parts, candidate, usage, logprobs, second, failed });
}

const errorOf = (code: number, status: string): JsonObject => ({ error: { code, status } });

export const geminiClient: Client = {
  path: (model, stream) =>
    `/v1beta/models/${model}:${stream ? "streamGenerateContent?alt=sse" : "generateContent"}`,
  base: () => ({ contents: [{ role: "user", parts: [{ text: "Say hello." }] }] }),
  next: (body, { turn, calls }) => ({
    ...body,
    contents: [
      ...asArray(body["contents"]),
      turn,
      {
        role: "user",
        parts:
          calls.length > 0
            ? calls.map(({ id, name }) => ({
                functionResponse: { id, name, response: { output: RESULT } },
              }))
            : [{ text: FOLLOW_UP }],
      },
    ],
  }),
  readWhole,
  readStream,
  finish: {
    stop: "STOP",
    length: "MAX_TOKENS",
    "tool-calls": "STOP",
    "stop-sequence": "STOP",
    "content-filter": "SAFETY",
    refusal: "SAFETY",
  },
  cannot: ["stopSequence", "refusal"],
  errors: {
    context: { status: 400, error: errorOf(400, "INVALID_ARGUMENT") },
    "rate-limit": { status: 429, error: errorOf(429, "RESOURCE_EXHAUSTED") },
    auth: { status: 502, error: { error: { code: 502 } } },
    "content-policy": { status: 400, error: errorOf(400, "INVALID_ARGUMENT") },
  },
};
