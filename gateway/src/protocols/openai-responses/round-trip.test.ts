import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { ChatRequest } from "#canonical/chat-request.ts";
import type { ChatResponse } from "#canonical/chat-response.ts";
import type { Message, Part } from "#canonical/message.ts";
import { openaiResponsesClient as client, openaiResponsesUpstream as upstream } from "./codec.ts";

const word = fc.string({ minLength: 1, maxLength: 12 });
const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/);
const text = fc.record({ type: fc.constant("text" as const), text: word });

const image = fc
  .oneof(
    fc.record({
      type: fc.constant("base64" as const),
      mediaType: fc.constant("image/png"),
      data: fc.base64String({ minLength: 4 }),
    }),
    fc.record({ type: fc.constant("url" as const), url: fc.webUrl() }),
    fc.record({ type: fc.constant("file-id" as const), id: name }),
  )
  .map((source) => ({ type: "image" as const, source }));

const reasoning = fc.record({
  type: fc.constant("reasoning" as const),
  text: word,
  summary: fc.constant(true as const),
  signature: fc.record({
    origin: fc.constant("openai" as const),
    value: fc.base64String({ minLength: 4 }),
    itemId: name,
  }),
});

const call = fc.record({
  type: fc.constant("tool-call" as const),
  id: name,
  name,
  kind: fc.constantFrom("function" as const, "custom" as const),
  input: fc.json(),
});

const result = fc.record({
  type: fc.constant("tool-result" as const),
  toolCallId: name,
  kind: fc.constantFrom("function" as const, "custom" as const),
  content: fc.array(fc.oneof(text, image), { minLength: 1, maxLength: 3 }),
});

const parts = <Value extends Part>(value: fc.Arbitrary<Value>): fc.Arbitrary<Part[]> =>
  fc.array(value, { minLength: 1, maxLength: 3 });

const inputMessage: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    role: fc.constantFrom("system" as const, "developer" as const),
    content: parts(text),
  }),
  fc.record({ role: fc.constant("user" as const), content: parts(fc.oneof(text, image)) }),
  fc.record({ role: fc.constant("tool" as const), content: result.map((part) => [part]) }),
);

/** Thoughts, then text, then calls: the only order in which one message holds all of them. */
const assistant: fc.Arbitrary<Message> = fc
  .tuple(fc.array(reasoning, { maxLength: 2 }), parts(text), fc.array(call, { maxLength: 2 }))
  .map(([thoughts, texts, calls]) => ({
    role: "assistant" as const,
    content: [...thoughts, ...texts, ...calls],
  }));

const request: fc.Arbitrary<ChatRequest> = fc.record(
  {
    protocol: fc.constant("openai-responses" as const),
    model: name,
    // An answer stands between others, so that neighbours do not become one message.
    messages: fc
      .array(fc.tuple(inputMessage, assistant), { minLength: 1, maxLength: 4 })
      .map((pairs) => pairs.flat()),
    stream: fc.boolean(),
    parallelToolCalls: fc.boolean(),
    maxOutputTokens: fc.nat(),
    sampling: fc.record({
      temperature: fc.double({ min: 0, max: 2, noNaN: true }).map((n) => n + 0),
    }),
    reasoning: fc.record({
      effort: fc.constantFrom("low", "high", "max"),
      encrypted: fc.constant(true),
    }),
    verbosity: fc.constantFrom("low", "high"),
    serviceTier: name,
    promptCacheKey: word,
    user: word,
    metadata: fc.dictionary(name, word, { noNullPrototype: true }),
    outputFormat: fc.record({
      type: fc.constant("json-schema" as const),
      name,
      schema: fc.constant({ type: "object" }),
      strict: fc.boolean(),
    }),
    tools: fc.array(
      fc.record({ type: fc.constant("function" as const), name, parameters: fc.constant({}) }),
      { maxLength: 2 },
    ),
    toolChoice: fc.oneof(
      fc.constantFrom({ type: "auto" as const }, { type: "required" as const }),
      name.map((value) => ({ type: "tool" as const, name: value })),
    ),
    extra: fc.constant({ store: false, truncation: "auto" }),
  },
  { requiredKeys: ["protocol", "model", "messages", "stream"] },
);

describe("parseRequest after renderRequest", () => {
  test("gives the request back, without any loss", () => {
    fc.assert(
      fc.property(request, (original) => {
        const losses: string[] = [];
        const { body } = upstream.renderRequest(original, {
          upstreamModel: original.model,
          dialect: {},
          reportLoss: (field) => losses.push(field),
        });
        const wire = JSON.parse(JSON.stringify(body)) as typeof body;
        expect(client.parseRequest({ body: wire, headers: {} })).toEqual(original);
        expect(losses).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

const answerPart: fc.Arbitrary<Part> = fc.oneof(
  text,
  reasoning,
  fc.record({ type: fc.constant("refusal" as const), text: word }),
  call,
);

describe("parseResponse after renderResponse", () => {
  test("gives the same parts back to a client that asked for tokens", () => {
    const all = fc.array(answerPart, { maxLength: 6 });
    fc.assert(
      fc.property(all, (answer) => {
        const hasCalls = answer.some(({ type }) => type === "tool-call");
        const response: ChatResponse = {
          id: "r",
          model: "m",
          candidates: [{ parts: answer, finishReason: hasCalls ? "tool-calls" : "stop" }],
          usage: { inputTokens: 3, outputTokens: 2, cacheReadTokens: 1 },
        };
        const rendered = client.renderResponse(response, {
          request: {
            protocol: "openai-responses",
            model: "m",
            messages: [],
            stream: false,
            extra: { store: false },
          },
          requestId: "req_1",
          model: "m",
          created: 1,
          costUsd: () => null,
          reportLoss: (field) => expect.fail(field),
        });
        const again = upstream.parseResponse(rendered, {}) as ChatResponse;
        expect(again.candidates).toEqual(response.candidates);
        expect(again.usage).toEqual(response.usage);
      }),
      { numRuns: 300 },
    );
  });
});
