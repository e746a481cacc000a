import { describe, expect, test } from "vitest";

import { asArray, asObject } from "#lib/json.ts";
import { describeCorpus, recordings, responseBytes } from "#test/corpus.ts";

import { cohereEmbedUpstream as upstream } from "./codec.ts";

describe("renderRequest", () => {
  test("has Cohere's words, and names what Cohere cannot do", () => {
    const losses: string[] = [];
    const request = {
      model: "m",
      input: ["a"],
      dimensions: 8,
      inputType: "query",
      user: "u",
      extra: { truncate: "END", output_dtype: "int8" },
    };
    const body = upstream.renderRequest(request, {
      upstreamModel: "embed-v4.0",
      reportLoss: (field) => losses.push(field),
    });
    expect(body).toEqual({
      model: "embed-v4.0",
      texts: ["a"],
      input_type: "search_query",
      embedding_types: ["float"],
      output_dimension: 8,
      truncate: "END",
    });
    expect(losses).toEqual(["user", "output_dtype"]);
  });
});

describeCorpus("recorded v2 embeds", () => {
  const all = recordings().filter(({ endpoint }) => endpoint === "cohere.v2.embed");

  test("answers are read", () => {
    const recording = all.find(({ response }) => response.status === 200);
    const body = asObject(recording?.response.body);
    const response = upstream.parseResponse(body);
    expect(response).toMatchObject({ usage: { inputTokens: 7, outputTokens: 0 } });
    expect(response).toHaveProperty("vectors", asArray(asObject(body["embeddings"])["float"]));
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
  expect(upstream.parseResponse({ embeddings: {} })).toMatchObject({ code: "upstream_malformed" });
});
