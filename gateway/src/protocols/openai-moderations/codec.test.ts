import { describe, expect, test } from "vitest";

import { GatewayError } from "#canonical/failure.ts";
import { asObject } from "#lib/json.ts";
import { describeCorpus, recordings } from "#test/corpus.ts";

import {
  openaiModerationsClient as client,
  openaiModerationsUpstream as upstream,
} from "./codec.ts";

describe("parseRequest", () => {
  test.each([
    ["hi", ["hi"]],
    [
      ["a", "b"],
      ["a", "b"],
    ],
    [[{ type: "text", text: "a" }], [{ type: "text", text: "a" }]],
  ])("input %j", (input, parsed) => {
    expect(client.parseRequest({ input })).toEqual({ input: parsed });
  });

  test.each([[undefined], [[]], [7], [["a", {}]]])("input %j is refused", (input) => {
    expect(() => client.parseRequest({ input })).toThrow(GatewayError);
  });
});

describe("parseResponse", () => {
  test("Mistral's results are flagged by their categories", () => {
    const result = {
      categories: { pii: true, law: false },
      category_scores: { pii: 0.9, law: 0.1 },
    };
    expect(upstream.parseResponse({ id: "x", model: "m", results: [result] })).toEqual({
      id: "x",
      model: "m",
      results: [
        { flagged: true, categories: { pii: true, law: false }, scores: { pii: 0.9, law: 0.1 } },
      ],
    });
  });

  test("an answer without results is malformed", () => {
    expect(upstream.parseResponse({ results: "x" })).toMatchObject({ code: "upstream_malformed" });
  });
});

describeCorpus("recorded moderations", () => {
  const all = recordings().filter(({ endpoint }) => endpoint === "moderations");

  test.each(all.map((recording) => [recording.id, recording] as const))(
    "%s goes through unchanged",
    (_id, recording) => {
      const body = asObject(recording.request.body);
      const request = client.parseRequest(body);
      const target = { upstreamModel: String(body["model"]), reportLoss: () => {} };
      expect(upstream.renderRequest(request, target)).toEqual(body);
      const answer = asObject(recording.response.body);
      const response = upstream.parseResponse(answer);
      if (!("results" in response)) throw new Error(response.message);
      const context = { request, requestId: "r1", model: "m", costUsd: () => null };
      expect(client.renderResponse(response, context)).toEqual({
        ...answer,
        id: "modr-r1",
        model: "m",
      });
    },
  );
});
