import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { streamFaults } from "#test/well-formed.ts";

import { openaiChatUpstream } from "./codec.ts";

const junk = fc.oneof(
  fc.constantFrom(null, "", 0, -1, true, [], {}, "text", "reasoning.text", "stop", '{"a":1}'),
  fc.jsonValue({ maxDepth: 2 }),
);

const member = (...shapes: fc.Arbitrary<unknown>[]) =>
  fc.option(fc.oneof(junk, ...shapes), { nil: undefined });

const call = fc.record({
  index: fc.constantFrom(0, 1, null, undefined),
  id: fc.constantFrom("a", "b", "", undefined),
  type: member(),
  function: member(
    fc.record({
      name: fc.constantFrom("f", "g", "", undefined),
      arguments: member(fc.constantFrom("{", "}", "{}")),
    }),
  ),
  extra_content: member(),
});

const detail = fc.record({
  type: fc.constantFrom("reasoning.text", "reasoning.summary", "reasoning.encrypted", "other"),
  format: fc.constantFrom("anthropic-claude-v1", "openai-responses-v1", "google-gemini-v1", null),
  text: member(),
  summary: member(),
  data: member(),
  signature: member(),
  index: member(),
  id: fc.constantFrom("a", "b", undefined),
});

const delta = fc.record({
  content: member(fc.constant("x"), fc.array(junk, { maxLength: 2 })),
  refusal: member(),
  reasoning: member(),
  reasoning_content: member(),
  reasoning_details: member(fc.array(detail, { maxLength: 3 })),
  tool_calls: member(fc.array(call, { maxLength: 3 })),
  function_call: member(),
  annotations: member(fc.array(junk, { maxLength: 2 })),
  images: member(),
  audio: member(),
});

const choice = fc.record({
  index: fc.constantFrom(0, 1, undefined),
  delta: fc.oneof(delta, junk),
  message: member(delta),
  finish_reason: member(),
  logprobs: member(),
});

const body = fc.record({
  id: member(),
  model: member(),
  choices: member(fc.array(choice, { maxLength: 2 })),
  usage: member(
    fc.record({ prompt_tokens: junk, completion_tokens: junk, completion_tokens_details: junk }),
  ),
  citations: member(),
  search_results: member(),
});

describe("whatever a provider sends", () => {
  test("a stream's events are well-formed and nothing throws", () => {
    fc.assert(
      fc.property(fc.array(body, { maxLength: 8 }), fc.boolean(), (chunks, done) => {
        const parser = openaiChatUpstream.createStreamParser({ usageExcludesReasoning: true });
        const data = chunks.map((chunk) => JSON.stringify(chunk));
        const events = [...data, ...(done ? ["[DONE]"] : [])].flatMap((text) =>
          parser.push({ data: text }),
        );
        expect(streamFaults([...events, ...parser.end()])).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  test("a whole answer is read or refused", () => {
    fc.assert(
      fc.property(body, (answer) => {
        const parsed = openaiChatUpstream.parseResponse(answer, {});
        expect("candidates" in parsed || "code" in parsed).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test("an error is classified and says something", () => {
    fc.assert(
      fc.property(fc.integer({ min: 400, max: 599 }), junk, junk, (status, error, detail) => {
        const text = JSON.stringify({ error, detail });
        const failure = openaiChatUpstream.parseError({ status, headers: {}, text });
        expect(failure.code).not.toBe("internal");
        expect(failure.message.length).toBeGreaterThan(0);
        expect(failure.message.length).toBeLessThanOrEqual(500);
      }),
      { numRuns: 1000 },
    );
  });
});
