import { describe, expect, test } from "vitest";

import type { ChatRequest } from "#canonical/chat-request.ts";
import { foldEvents } from "#canonical/fold-events.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import type { JsonObject } from "#lib/json.ts";
import { wellFormed } from "#test/well-formed.ts";
import { cohereUpstream as upstream } from "./codec.ts";

function render(request: Partial<ChatRequest>, upstreamModel = "command-a-03-2025") {
  const losses: string[] = [];
  const { body } = upstream.renderRequest(
    { protocol: "openai-chat", model: "m", messages: [], stream: false, ...request },
    { upstreamModel, dialect: {}, reportLoss: (field) => losses.push(field) },
  );
  return { body, losses };
}

const text = (value: string) => ({ type: "text", text: value }) as const;

function streamed(...events: readonly JsonObject[]): StreamEvent[] {
  const parser = upstream.createStreamParser({});
  const parsed = events.flatMap((event) => [...parser.push({ data: JSON.stringify(event) })]);
  return [...parsed, ...parser.push({ data: "[DONE]" }), ...parser.end()];
}

const message = (content: JsonObject): JsonObject => ({ delta: { message: content } });

describe("renderRequest", () => {
  test("says what Cohere has, and names what it has not", () => {
    const { body, losses } = render({
      stream: true,
      messages: [
        { role: "developer", content: [text("rules")] },
        {
          role: "user",
          content: [
            text("look"),
            { type: "image", source: { type: "base64", mediaType: "image/png", data: "AA" } },
            { type: "audio", source: { type: "base64", mediaType: "audio/wav", data: "AA" } },
          ],
        },
      ],
      maxOutputTokens: 5,
      stopSequences: ["END"],
      sampling: { topP: 0.5, topK: 3, seed: 7, presencePenalty: 0.1, logitBias: {} },
      outputFormat: { type: "json-schema", schema: { type: "object" } },
      reasoning: { budgetTokens: 900 },
      candidateCount: 2,
      extra: { safety_mode: "NONE", store: false, logit: 1 },
    });
    expect(body).toEqual({
      model: "command-a-03-2025",
      stream: true,
      messages: [
        { role: "system", content: "rules" },
        {
          role: "user",
          content: [
            { type: "text", text: "look" },
            { type: "image_url", image_url: { url: "data:image/png;base64,AA" } },
          ],
        },
      ],
      safety_mode: "NONE",
      response_format: { type: "json_object", schema: { type: "object" } },
      thinking: { type: "enabled", token_budget: 900 },
      max_tokens: 5,
      stop_sequences: ["END"],
      p: 0.5,
      k: 3,
      seed: 7,
      presence_penalty: 0.1,
    });
    expect(losses.toSorted()).toEqual(["logit", "logit_bias", "messages.content", "n"]);
  });

  test("thoughts go back as content to models that think, as the plan of their calls to others", () => {
    const messages = [
      {
        role: "assistant",
        content: [
          { type: "reasoning", text: "hm" },
          { type: "tool-call", id: "c", name: "f", kind: "function", input: "" },
        ],
      },
      {
        role: "tool",
        content: [{ type: "tool-result", toolCallId: "c", kind: "function", content: [text("1")] }],
      },
    ] as const;
    const calls = [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }];
    const result = { role: "tool", tool_call_id: "c", content: "1" };
    expect(render({ messages }).body["messages"]).toEqual([
      { role: "assistant", tool_plan: "hm", tool_calls: calls },
      result,
    ]);
    expect(render({ messages }, "command-a-reasoning-08-2025").body["messages"]).toEqual([
      { role: "assistant", content: [{ type: "thinking", thinking: "hm" }], tool_calls: calls },
      result,
    ]);
  });

  test("a tool that must be called is the only one offered", () => {
    const tools = [
      { type: "function", name: "a", strict: true },
      { type: "function", name: "b" },
    ] as const;
    const { body, losses } = render({ tools, toolChoice: { type: "tool", name: "a" } });
    expect(body).toMatchObject({
      tools: [{ type: "function", function: { name: "a" } }],
      tool_choice: "REQUIRED",
      strict_tools: true,
    });
    expect(losses).toEqual(["tool_choice"]);
    expect(render({ tools, toolChoice: { type: "none" } })).toMatchObject({
      body: { tool_choice: "NONE" },
      losses: ["tools.strict"],
    });
  });
});

describe("createStreamParser", () => {
  test("a plan ends where the calls begin; indexes count each kind apart", () => {
    const events = streamed(
      { type: "message-start", id: "m1", ...message({ role: "assistant" }) },
      { type: "tool-plan-delta", ...message({ tool_plan: "I will " }) },
      { type: "tool-plan-delta", ...message({ tool_plan: "look" }) },
      {
        type: "tool-call-start",
        index: 0,
        ...message({
          tool_calls: { id: "a", type: "function", function: { name: "f", arguments: "" } },
        }),
      },
      {
        type: "tool-call-delta",
        index: 0,
        ...message({ tool_calls: { function: { arguments: '{"x":1}' } } }),
      },
      { type: "tool-call-end", index: 0 },
      {
        type: "tool-call-start",
        index: 1,
        ...message({
          tool_calls: { id: "b", type: "function", function: { name: "g", arguments: "{}" } },
        }),
      },
      { type: "tool-call-end", index: 1 },
      {
        type: "message-end",
        delta: {
          finish_reason: "TOOL_CALL",
          usage: {
            tokens: { input_tokens: 4, output_tokens: 2 },
            billed_units: { input_tokens: 1 },
            cached_tokens: 9,
          },
        },
      },
    );
    wellFormed(events);
    expect(foldEvents(events)).toEqual({
      id: "m1",
      model: "",
      candidates: [
        {
          parts: [
            { type: "reasoning", text: "I will look" },
            { type: "tool-call", id: "a", name: "f", kind: "function", input: '{"x":1}' },
            { type: "tool-call", id: "b", name: "g", kind: "function", input: "{}" },
          ],
          finishReason: "tool-calls",
        },
      ],
      usage: { inputTokens: 4, outputTokens: 2, cacheReadTokens: 4 },
    });
  });

  test("thinking and text with a citation", () => {
    const source = { type: "document", document: { url: "https://x.test", title: "X" } };
    const citation = { start: 0, end: 2, text: "hi", content_index: 1, sources: [source] };
    const events = streamed(
      {
        type: "content-start",
        index: 0,
        ...message({ content: { type: "thinking", thinking: "" } }),
      },
      { type: "content-delta", index: 0, ...message({ content: { thinking: "hm" } }) },
      { type: "content-end", index: 0 },
      { type: "content-start", index: 1, ...message({ content: { type: "text", text: "" } }) },
      { type: "content-delta", index: 1, ...message({ content: { text: "hi" } }) },
      { type: "citation-start", index: 0, ...message({ citations: citation }) },
      { type: "citation-end", index: 0 },
      { type: "content-end", index: 1 },
      { type: "message-end", delta: { finish_reason: "COMPLETE" } },
    );
    wellFormed(events);
    expect(foldEvents(events).candidates[0]?.parts).toMatchObject([
      { type: "reasoning", text: "hm" },
      {
        type: "text",
        text: "hi",
        citations: [{ url: "https://x.test", title: "X", start: 0, end: 2 }],
      },
    ]);
  });

  test("a failed end is an error and no finish", () => {
    const end = { finish_reason: "TIMEOUT", error: "took too long" };
    const events = streamed(
      { type: "content-start", index: 0, ...message({ content: { type: "text", text: "a" } }) },
      { type: "message-end", delta: end },
    );
    wellFormed(events);
    expect(events.at(-1)).toMatchObject({
      type: "error",
      failure: { code: "upstream_timeout", message: "took too long" },
    });
  });

  test("broken JSON and bare error bodies are failures", () => {
    const parser = upstream.createStreamParser({});
    expect(parser.push({ data: "{" })).toMatchObject([{ failure: { code: "upstream_malformed" } }]);
    expect(streamed({ message: "no valid response generated" })).toMatchObject([
      { type: "error", failure: { code: "upstream_error" } },
    ]);
  });
});

describe("parseError and parseResponse", () => {
  test.each([
    [401, "invalid api token", "upstream_auth"],
    [404, "model 'x' not found, make sure the correct model ID was used", "upstream_model_missing"],
    [
      429,
      "You are using a Trial key, which is limited to 10 API calls / minute",
      "upstream_rate_limited",
    ],
    [
      429,
      "You are using a Trial key, which is limited to 1000 API calls / month",
      "upstream_quota",
    ],
    [400, "invalid request: all elements in tools must have a name", "upstream_invalid_request"],
    [500, "internal server error", "upstream_error"],
    [503, "unavailable", "upstream_overloaded"],
  ])("%s %s", (status, said, code) => {
    const failure = upstream.parseError({
      status,
      headers: {},
      text: JSON.stringify({ message: said }),
    });
    expect(failure).toMatchObject({ code, upstreamStatus: status });
  });

  test("a failed or foreign body is a failure", () => {
    expect(upstream.parseResponse({ choices: [] }, {})).toMatchObject({
      code: "upstream_malformed",
    });
    expect(upstream.parseResponse({ message: {}, finish_reason: "ERROR" }, {})).toMatchObject({
      code: "upstream_error",
    });
  });
});
