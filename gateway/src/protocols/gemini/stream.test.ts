import { describe, expect, test } from "vitest";

import { foldEvents } from "#canonical/fold-events.ts";
import { asObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import { sseEvents } from "#test/every-split.ts";
import { wellFormed } from "#test/well-formed.ts";
import { createStreamParser } from "./parse-stream.ts";
import { parseResponse } from "./parse-response.ts";
import { createArrayStreamRenderer, createStreamRenderer } from "./render-stream.ts";

const context = {
  request: { protocol: "gemini", model: "m", messages: [], stream: true },
  requestId: "r1",
  model: "shown",
  created: 1,
  costUsd: () => 0.25,
  reportLoss: () => {},
} as const;

function parse(...bodies: JsonObject[]): StreamEvent[] {
  const parser = createStreamParser();
  const events = bodies.flatMap((body) => parser.push({ data: JSON.stringify(body) }));
  return [...events, ...parser.end()];
}

const chunk = (parts: JsonObject[], members: JsonObject = {}) => ({
  candidates: [{ content: { parts, role: "model" }, ...members }],
  responseId: "resp",
  modelVersion: "gemini-3",
});

describe("createStreamParser", () => {
  test("reads thoughts, texts and calls, and finishes with calls where there are some", () => {
    const events = parse(
      chunk([{ text: "think", thought: true }]),
      chunk([{ text: "he" }]),
      chunk([{ text: "llo" }]),
      chunk([{ text: "", thoughtSignature: "s1" }]),
      chunk([
        { functionCall: { name: "f" }, thoughtSignature: "s2" },
        { functionCall: { name: "f", args: { a: 1 } } },
      ]),
      {
        ...chunk([{ text: "" }], { finishReason: "STOP" }),
        usageMetadata: {
          promptTokenCount: 5,
          candidatesTokenCount: 3,
          thoughtsTokenCount: 4,
          cachedContentTokenCount: 2,
        },
      },
    );
    wellFormed(events);
    const folded = foldEvents(events);
    expect(folded).toMatchObject({ id: "resp", model: "gemini-3" });
    expect(folded.usage).toEqual({
      inputTokens: 5,
      outputTokens: 7,
      reasoningTokens: 4,
      cacheReadTokens: 2,
    });
    const [candidate] = folded.candidates;
    expect(candidate?.finishReason).toBe("tool-calls");
    const gemini = (value: string) => ({ origin: "gemini", value });
    expect(candidate?.parts).toEqual([
      { type: "reasoning", text: "think", summary: true },
      { type: "text", text: "hello", signature: gemini("s1") },
      {
        type: "tool-call",
        id: expect.any(String),
        name: "f",
        kind: "function",
        input: "{}",
        signature: gemini("s2"),
      },
      { type: "tool-call", id: expect.any(String), name: "f", kind: "function", input: '{"a":1}' },
    ]);
    const ids = candidate?.parts.flatMap((part) => (part.type === "tool-call" ? [part.id] : []));
    expect(new Set(ids).size).toBe(2);
  });

  test("tells a call's signature with its start, for dialects that have to say it before", () => {
    const events = parse(
      chunk([{ functionCall: { name: "f", args: {} }, thoughtSignature: "s1" }]),
      chunk([{ functionCall: { name: "g", args: {} } }]),
    );
    const starts = events.filter(({ type }) => type === "tool-call-start");
    expect(starts).toMatchObject([{ signature: { origin: "gemini", value: "s1" } }, { name: "g" }]);
    expect(starts[1]).not.toHaveProperty("signature");
  });

  test("puts streamed arguments together", () => {
    const call = (functionCall: JsonObject) => chunk([{ functionCall }]);
    const piece = (jsonPath: string, value: JsonObject) =>
      call({ partialArgs: [{ jsonPath, ...value }], willContinue: true });
    const events = parse(
      call({ name: "f", willContinue: true }),
      piece("$.city", { stringValue: "Par", willContinue: true }),
      piece("$.city", { stringValue: "is" }),
      piece("$.list[0].n", { numberValue: 1 }),
      piece("$.list[1]['a b']", { boolValue: false }),
      piece("$.nothing", { nullValue: "NULL_VALUE" }),
      piece("$.__proto__.x", { numberValue: 1 }),
      call({}),
      chunk([], { finishReason: "STOP" }),
    );
    wellFormed(events);
    const [part] = foldEvents(events).candidates[0]?.parts ?? [];
    expect(part).toMatchObject({ type: "tool-call", name: "f" });
    expect(JSON.parse(part?.type === "tool-call" ? part.input : "")).toEqual({
      city: "Paris",
      list: [{ n: 1 }, { "a b": false }],
      nothing: null,
    });
  });

  test("reads several candidates apart", () => {
    const of = (index: number, text: string) => ({
      candidates: [{ index, content: { parts: [{ text }] } }],
    });
    const events = parse(of(0, "a"), of(1, "b"), of(0, "c"), {
      candidates: [
        { index: 0, finishReason: "STOP" },
        { index: 1, finishReason: "MAX_TOKENS" },
      ],
    });
    wellFormed(events);
    expect(foldEvents(events).candidates).toEqual([
      { parts: [{ type: "text", text: "ac" }], finishReason: "stop" },
      { parts: [{ type: "text", text: "b" }], finishReason: "length" },
    ]);
  });

  test("a refused prompt is a failure, and so is an error inside the stream", () => {
    expect(parse({ promptFeedback: { blockReason: "PROHIBITED_CONTENT" } })).toContainEqual(
      expect.objectContaining({
        type: "error",
        failure: expect.objectContaining({ code: "content_policy" }),
      }),
    );
    expect(
      parse({ error: { code: 503, message: "The model is overloaded.", status: "UNAVAILABLE" } }),
    ).toMatchObject([{ type: "error", failure: { code: "upstream_overloaded" } }]);
  });
});

describe("parseResponse", () => {
  test.each([
    ["SAFETY", "content-filter"],
    ["MALFORMED_FUNCTION_CALL", "error"],
    ["NEW_REASON", "other"],
    [2, "length"],
    [undefined, "other"],
  ])("finish reason %s is %s", (finishReason, expected) => {
    expect(parseResponse({ candidates: [{ finishReason }] })).toMatchObject({
      candidates: [{ parts: [], finishReason: expected }],
    });
  });

  test("reads sources", () => {
    const groundingMetadata = {
      groundingChunks: [{ web: { uri: "https://a", title: "A" } }],
      groundingSupports: [
        { segment: { startIndex: 1, endIndex: 4, text: "abc" }, groundingChunkIndices: [0] },
      ],
    };
    const body = chunk([{ text: "xabc" }], { finishReason: "STOP", groundingMetadata });
    expect(parseResponse(body)).toMatchObject({
      candidates: [
        {
          parts: [
            { citations: [{ url: "https://a", title: "A", citedText: "abc", start: 1, end: 4 }] },
          ],
        },
      ],
    });
  });
});

describe("createStreamRenderer", () => {
  const events: StreamEvent[] = [
    { type: "response-start", id: "x" },
    { type: "text-start", index: 0 },
    { type: "text-delta", index: 0, text: "hi" },
    { type: "text-end", index: 0 },
    { type: "tool-call-start", index: 1, id: "c1", name: "f", kind: "function" },
    { type: "tool-call-delta", index: 1, text: '{"a":' },
    { type: "tool-call-delta", index: 1, text: "1}" },
    { type: "tool-call-end", index: 1, signature: { origin: "openai", value: "v" } },
    { type: "finish", reason: "tool-calls" },
    { type: "usage", usage: { inputTokens: 3, outputTokens: 2 } },
  ];

  test("writes a chunk a piece, calls whole, and usage with its cost at the end", () => {
    const renderer = createStreamRenderer(context);
    const text = events.map((event) => renderer.push(event)).join("") + renderer.end();
    const chunks = sseEvents([Buffer.from(text)]).map(({ data }) => asObject(JSON.parse(data)));
    expect(chunks).toHaveLength(3);
    expect(chunks[1]).toMatchObject({
      candidates: [
        {
          content: {
            parts: [
              {
                functionCall: { id: "c1", name: "f", args: { a: 1 } },
                thoughtSignature: expect.stringMatching(/^turnpikeSig1/),
              },
            ],
          },
        },
      ],
      modelVersion: "shown",
      responseId: "r1",
    });
    expect(chunks[2]).toMatchObject({
      candidates: [{ finishReason: "STOP", index: 0 }],
      usageMetadata: {
        promptTokenCount: 3,
        candidatesTokenCount: 2,
        totalTokenCount: 5,
        cost: 0.25,
      },
    });
  });

  test("writes the same chunks as one array", () => {
    const renderer = createArrayStreamRenderer(context);
    const text = events.map((event) => renderer.push(event)).join("") + renderer.end();
    expect(JSON.parse(text)).toHaveLength(3);
    const failing = createArrayStreamRenderer(context);
    const failed =
      failing.push(events[2]!) + failing.fail({ code: "upstream_error", message: "gone" });
    expect(JSON.parse(failed)).toMatchObject([{}, { error: { code: 502, message: "gone" } }]);
  });

  test("a failure is an error chunk", () => {
    const text = createStreamRenderer(context).fail({
      code: "rate_limited",
      message: "slow",
      retryAfterMs: 1500,
    });
    expect(JSON.parse(text.slice("data: ".length))).toEqual({
      error: {
        code: 429,
        message: "slow",
        status: "RESOURCE_EXHAUSTED",
        details: [
          {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            reason: "RATE_LIMITED",
            domain: "turnpike",
            metadata: { requestId: "r1" },
          },
          { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "2s" },
        ],
      },
    });
  });
});
