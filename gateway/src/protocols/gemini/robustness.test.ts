import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { GatewayError } from "#canonical/failure.ts";
import type { JsonObject } from "#lib/json.ts";
import { poisoned } from "#test/poison.ts";
import { streamFaults } from "#test/well-formed.ts";
import { geminiClient as client, geminiUpstream as upstream } from "./codec.ts";

const REQUEST: JsonObject = {
  systemInstruction: { parts: [{ text: "s" }] },
  contents: [
    { role: "user", parts: [{ text: "x" }, { inlineData: { mimeType: "image/png", data: "AA" } }] },
    {
      role: "user",
      parts: [{ fileData: { fileUri: "https://a/b.pdf", mimeType: "application/pdf" } }],
    },
    {
      role: "model",
      parts: [{ functionCall: { id: "i", name: "f", args: { a: 1 } }, thoughtSignature: "s" }],
    },
    {
      role: "user",
      parts: [{ functionResponse: { id: "i", name: "f", response: { output: "x" }, parts: [] } }],
    },
  ],
  tools: [
    {
      functionDeclarations: [
        { name: "f", parameters: { type: "OBJECT", properties: { a: { type: "STRING" } } } },
      ],
    },
  ],
  toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["f"] } },
  generationConfig: {
    temperature: 1,
    responseMimeType: "application/json",
    responseSchema: { type: "OBJECT" },
    thinkingConfig: { thinkingBudget: 5, includeThoughts: true },
  },
};

const CHUNK: JsonObject = {
  candidates: [
    {
      index: 0,
      content: {
        role: "model",
        parts: [
          { text: "t", thought: true },
          { text: "x", thoughtSignature: "s" },
          { functionCall: { name: "f", args: { a: 1 } } },
          {
            functionCall: {
              name: "g",
              partialArgs: [{ jsonPath: "$.a[0]", stringValue: "x" }],
              willContinue: true,
            },
          },
          { inlineData: { mimeType: "image/png", data: "AA" } },
        ],
      },
      finishReason: "STOP",
      groundingMetadata: {
        groundingChunks: [{ web: { uri: "u", title: "t" } }],
        groundingSupports: [{ segment: { text: "x" }, groundingChunkIndices: [0] }],
      },
    },
  ],
  usageMetadata: {
    promptTokenCount: 1,
    candidatesTokenCount: 2,
    promptTokensDetails: [{ modality: "AUDIO", tokenCount: 1 }],
  },
  promptFeedback: {},
  responseId: "r",
  modelVersion: "m",
};

describe("wire data of a wrong kind", () => {
  test("in a request is read or refused, and what was read can be rendered", () => {
    fc.assert(
      fc.property(poisoned(REQUEST), (body) => {
        try {
          const request = client.parseRequest({ body, headers: {}, pathModel: "m" });
          upstream.renderRequest(request, {
            upstreamModel: "gemini-3-pro",
            dialect: {},
            reportLoss: () => {},
          });
        } catch (error) {
          expect(error).toBeInstanceOf(GatewayError);
        }
      }),
      { numRuns: 600 },
    );
  });

  test("in an answer never throws", () => {
    fc.assert(
      fc.property(poisoned(CHUNK), (body) => {
        expect(upstream.parseResponse(body, {})).toBeTypeOf("object");
        upstream.parseError({ status: 400, headers: {}, text: JSON.stringify({ error: body }) });
      }),
      { numRuns: 500 },
    );
  });

  test("in a stream never throws, and its events stay well-formed", () => {
    fc.assert(
      fc.property(fc.array(poisoned(CHUNK), { minLength: 1, maxLength: 3 }), (chunks) => {
        const parser = upstream.createStreamParser({});
        const events = chunks.flatMap((body) => parser.push({ data: JSON.stringify(body) }));
        expect(streamFaults([...events, ...parser.end()])).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
