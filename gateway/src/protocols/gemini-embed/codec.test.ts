import { describe, expect, test } from "vitest";

import { asArray, asObject, asObjects } from "#lib/json.ts";
import { describeCorpus, recordings, responseBytes } from "#test/corpus.ts";

import { geminiEmbedUpstream as upstream } from "./codec.ts";

describe("renderRequest", () => {
  test("is one request a text, and names what Gemini cannot do", () => {
    const losses: string[] = [];
    const request = {
      model: "m",
      input: ["a", "b"],
      dimensions: 8,
      inputType: "document",
      user: "u",
    };
    const body = upstream.renderRequest(request, {
      upstreamModel: "gemini-embedding-2",
      reportLoss: (field) => losses.push(field),
    });
    const common = {
      model: "models/gemini-embedding-2",
      taskType: "RETRIEVAL_DOCUMENT",
      outputDimensionality: 8,
    };
    expect(body).toEqual({
      requests: [
        { ...common, content: { parts: [{ text: "a" }] } },
        { ...common, content: { parts: [{ text: "b" }] } },
      ],
    });
    expect(losses).toEqual(["user"]);
  });
});

describeCorpus("recorded batchEmbedContents", () => {
  const all = recordings().filter(({ endpoint }) => endpoint === "gemini.batchEmbedContents");

  test("answers are read", () => {
    const recording = all.find(({ response }) => response.status === 200);
    const body = asObject(recording?.response.body);
    const response = upstream.parseResponse(body);
    const vectors = asObjects(body["embeddings"]).map(({ values }) => asArray(values));
    expect(response).toMatchObject({ vectors, usage: { inputTokens: 261 } });
  });

  test("errors are classified", () => {
    const codes = all
      .filter(({ response }) => response.status >= 400)
      .map((recording) => {
        const { status, headers } = recording.response;
        return upstream.parseError({ status, headers, text: responseBytes(recording).toString() })
          .code;
      });
    expect(codes).toEqual(["upstream_model_missing"]);
  });
});

test("an answer without vectors is malformed", () => {
  expect(upstream.parseResponse({})).toMatchObject({ code: "upstream_malformed" });
});
