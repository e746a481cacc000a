import { describe, expect, test } from "vitest";

import { GatewayError } from "#canonical/failure.ts";
import type { RerankRequest } from "#canonical/rerank.ts";
import { asArray, asObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import { describeCorpus, recordings } from "#test/corpus.ts";

import { rerankClient as client, rerankUpstream } from "./codec.ts";

const base = { model: "m", query: "q", documents: ["a", "b"] };

const contextOf = (request: RerankRequest) => ({
  request,
  requestId: "r1",
  model: "m",
  costUsd: () => 0.5,
});

const response = {
  model: "up",
  results: [{ index: 1, score: 0.9 }],
  usage: { inputTokens: 0, outputTokens: 0, searchUnits: 1 },
};

function render(provider: "cohere" | "jina" | "voyage", body: JsonObject) {
  const losses: string[] = [];
  const rendered = rerankUpstream(provider).renderRequest(client.parseRequest(body), {
    upstreamModel: "up",
    reportLoss: (field) => losses.push(field),
  });
  return { rendered, losses };
}

describe("clients", () => {
  test("top_k means Voyage, and gets Voyage's answer", () => {
    const request = client.parseRequest({ ...base, top_k: 1, return_documents: true });
    expect(request).toMatchObject({ style: "voyage", topN: 1 });
    expect(client.renderResponse(response, contextOf(request))).toEqual({
      object: "list",
      data: [{ index: 1, relevance_score: 0.9, document: "b" }],
      model: "m",
      usage: { total_tokens: 0, cost: 0.5 },
    });
  });

  test("all others get Cohere's answer", () => {
    const documents = [{ text: "a" }, "b"];
    const request = client.parseRequest({ ...base, documents, top_n: 1, return_documents: true });
    expect(request).toMatchObject({ style: "cohere", documents: ["a", "b"] });
    expect(client.renderResponse(response, contextOf(request))).toEqual({
      id: "rerank-r1",
      model: "m",
      results: [{ index: 1, relevance_score: 0.9, document: { text: "b" } }],
      usage: { total_tokens: 0, cost: 0.5 },
      meta: { api_version: { version: "2" }, billed_units: { search_units: 1 } },
    });
  });

  test.each([
    [{ documents: [] }, "documents"],
    [{ documents: [7] }, "documents[0]"],
    [{ query: undefined }, "query"],
    [{ top_n: "1" }, "top_n"],
  ])("%j is refused", (members, field) => {
    const refused = () => client.parseRequest({ ...base, ...members });
    expect(refused).toThrow(GatewayError);
    expect(refused).toThrow(new RegExp(`^${field.replace(/[[\]]/g, "\\$&")}`));
  });
});

describe("rerankUpstream", () => {
  test("speaks each provider's words and names what they do not have", () => {
    const body = { ...base, top_n: 1, truncation: true, max_tokens_per_doc: 9 };
    const common = { model: "up", query: "q", documents: ["a", "b"] };
    expect(render("cohere", body)).toEqual({
      rendered: { ...common, top_n: 1, max_tokens_per_doc: 9 },
      losses: ["truncation"],
    });
    expect(render("voyage", body)).toEqual({
      rendered: { ...common, top_k: 1, truncation: true },
      losses: ["max_tokens_per_doc"],
    });
  });

  test("an answer without results is malformed", () => {
    expect(rerankUpstream("voyage").parseResponse({ results: [] })).toMatchObject({
      code: "upstream_malformed",
    });
  });
});

describeCorpus("recorded reranks", () => {
  const all = recordings().filter(
    ({ endpoint, response: { status } }) =>
      ["rerank", "cohere.v1.rerank", "cohere.v2.rerank"].includes(endpoint) && status === 200,
  );

  test.each(all.map((recording) => [`${recording.provider} ${recording.id}`, recording] as const))(
    "%s",
    (_name, { provider, request, response }) => {
      const kind = provider === "voyage" ? "voyage" : "cohere";
      const answer = asObject(response.body);
      const parsed = rerankUpstream(kind).parseResponse(answer);
      if (!("results" in parsed)) throw new Error(parsed.message);
      expect(parsed.results.length).toBe(asArray(answer["results"] ?? answer["data"]).length);
      const { searchUnits = 0, inputTokens = 0 } = parsed.usage ?? {};
      expect(searchUnits + inputTokens).toBeGreaterThan(0);
      if (request.body === undefined) return;
      const sent = Object.entries(request.body).filter(([, value]) => value !== null);
      const { rendered } = render(kind, request.body);
      expect({ ...rendered, model: request.body["model"] }).toEqual({
        ...Object.fromEntries(sent),
        documents: rendered["documents"],
      });
    },
  );
});
