import { describe, expect, test } from "vitest";

import type { ChatResponse } from "#canonical/chat-response.ts";
import { GatewayError } from "#canonical/failure.ts";
import { unfoldResponse } from "#canonical/unfold-response.ts";
import { asObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { AnswerContext } from "#protocols/codec.ts";
import { describeCorpus, recordings } from "#test/corpus.ts";
import { sseEvents } from "#test/every-split.ts";

import { openaiCompletionsClient as client } from "./codec.ts";

const parse = (body: JsonObject) => client.parseRequest({ body, headers: {} });

const answer: ChatResponse = {
  id: "x",
  model: "up",
  candidates: [
    {
      parts: [{ type: "text", text: "ab" }],
      finishReason: "length",
      logprobs: [
        { token: "a", logprob: -1, top_logprobs: [{ token: "b", logprob: -2 }] },
        { token: "b", logprob: -3 },
      ],
    },
  ],
  usage: { inputTokens: 3, outputTokens: 2 },
};

const context: AnswerContext = {
  request: parse({ model: "m", prompt: "p", stream_options: { include_usage: true } }),
  requestId: "r1",
  model: "m",
  created: 7,
  costUsd: () => null,
  reportLoss: () => {},
};

const head = { id: "cmpl-r1", object: "text_completion", created: 7, model: "m" };
const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };

describe("parseRequest", () => {
  test("a prompt is a user turn; what chat models cannot do is kept for the losses", () => {
    expect(
      parse({
        model: "m",
        prompt: ["hi"],
        max_tokens: 5,
        logprobs: 2,
        stop: "x",
        suffix: "s",
        echo: true,
      }),
    ).toEqual({
      protocol: "openai-completions",
      model: "m",
      messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }],
      stream: false,
      maxOutputTokens: 5,
      logprobs: { top: 2 },
      stopSequences: ["x"],
      extra: { suffix: "s", echo: true },
    });
  });

  test.each([[[1, 2]], [[[1, 2]]], [["a", "b"]], [[]], [7], [undefined]])(
    "a prompt of %j is refused",
    (prompt) => {
      expect(() => parse({ model: "m", prompt })).toThrow(GatewayError);
    },
  );
});

describe("answers", () => {
  test("a whole one is a text_completion", () => {
    expect(client.renderResponse(answer, context)).toEqual({
      ...head,
      choices: [
        {
          text: "ab",
          index: 0,
          logprobs: {
            tokens: ["a", "b"],
            token_logprobs: [-1, -3],
            top_logprobs: [{ b: -2 }, null],
            text_offset: [0, 1],
          },
          finish_reason: "length",
        },
      ],
      usage,
    });
  });

  test("a stream has text chunks, the reason, usage and [DONE]", () => {
    const renderer = client.createStreamRenderer(context);
    const events = unfoldResponse(answer);
    const wire = events.map((event) => renderer.push(event)).join("") + renderer.end();
    const choice = { index: 0, logprobs: null };
    expect(sseEvents([Buffer.from(wire)]).map(({ data }) => data)).toEqual([
      JSON.stringify({ ...head, choices: [{ text: "ab", ...choice, finish_reason: null }] }),
      JSON.stringify({ ...head, choices: [{ text: "", ...choice, finish_reason: "length" }] }),
      JSON.stringify({ ...head, choices: [], usage }),
      "[DONE]",
    ]);
  });

  test("a failure has no [DONE]", () => {
    const wire = client.createStreamRenderer(context).fail({ code: "internal", message: "x" });
    expect(wire).toContain('"finish_reason":"error"');
    expect(wire).not.toContain("[DONE]");
  });
});

describeCorpus("recorded completions", () => {
  const completions = recordings().filter(({ endpoint }) => endpoint === "openai.completions");
  /** OpenAI, too: "Expected a value >= 0, but got -1 instead." */
  const isRefused = (request: (typeof completions)[number]["request"]): boolean =>
    asObject(request.body)["max_tokens"] === -1;

  test("max_tokens below 0 is refused, as OpenAI does", () => {
    const refused = completions.filter(({ request }) => isRefused(request));
    expect(refused).not.toEqual([]);
    for (const { request, response } of refused) {
      expect(response.status).toBe(400);
      expect(() => parse(asObject(request.body))).toThrow("max_tokens must be a whole number");
    }
  });

  test.each(
    completions
      .filter(({ request }) => !isRefused(request))
      .map(({ id, request }) => [id, asObject(request.body)] as const),
  )("%s is read", (_id, body) => {
    const request = parse(body);
    expect(request.messages).toEqual([
      { role: "user", content: [{ type: "text", text: body["prompt"] }] },
    ]);
    expect(request.maxOutputTokens).toBe(body["max_tokens"] ?? undefined);
  });
});
