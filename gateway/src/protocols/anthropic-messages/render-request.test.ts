import { describe, expect, test } from "vitest";

import type { ChatRequest } from "#canonical/chat-request.ts";
import type { Dialect } from "#protocols/codec.ts";
import { parseRequest } from "./parse-request.ts";
import { renderCountRequest } from "./count-tokens.ts";
import { renderRequest } from "./render-request.ts";

const user = { role: "user", content: [{ type: "text", text: "hi" }] } as const;

interface Options {
  readonly model?: string;
  readonly dialect?: Dialect;
  readonly maxOutputTokens?: number;
}

function render(members: Partial<ChatRequest>, options: Options = {}) {
  const losses: Record<string, string> = {};
  const request: ChatRequest = {
    protocol: "openai-chat",
    model: "any",
    messages: [user],
    stream: false,
    ...members,
  };
  const { body } = renderRequest(request, {
    upstreamModel: options.model ?? "claude-sonnet-4-5",
    dialect: options.dialect ?? {},
    ...(options.maxOutputTokens !== undefined && { maxOutputTokens: options.maxOutputTokens }),
    reportLoss: (field, reason) => {
      losses[field] = reason;
    },
  });
  return { body, losses };
}

describe("renderRequest", () => {
  test("needs a bound: the client's, the catalogue's, or the fallback", () => {
    expect(render({ maxOutputTokens: 9 }, { maxOutputTokens: 64 }).body["max_tokens"]).toBe(9);
    expect(render({}, { maxOutputTokens: 64 }).body["max_tokens"]).toBe(64);
    expect(render({}).body).toEqual({
      model: "claude-sonnet-4-5",
      max_tokens: 4096,
      messages: [{ role: "user", content: "hi" }],
    });
  });

  test("Vertex and Bedrock get a version in the body, and no model or stream", () => {
    const dialect = { anthropicVersionInBody: "vertex-2023-10-16" };
    const { body } = render({ stream: true }, { dialect });
    expect(body).toEqual({
      anthropic_version: "vertex-2023-10-16",
      max_tokens: 4096,
      messages: [{ role: "user", content: "hi" }],
    });
  });

  test("results of parallel calls go together, first in the user turn, with ids that are accepted", () => {
    const call = (id: string) =>
      ({ type: "tool-call", id, name: "f", kind: "function", input: "" }) as const;
    const result = (id: string) =>
      ({
        role: "tool",
        content: [
          {
            type: "tool-result",
            toolCallId: id,
            kind: "function",
            content: [{ type: "text", text: id }],
          },
        ],
      }) as const;
    const { body } = render({
      messages: [
        { role: "system", content: [{ type: "text", text: "s" }] },
        user,
        { role: "assistant", content: [{ type: "text", text: "" }, call("f.x:0"), call("b")] },
        { role: "developer", content: [{ type: "text", text: "now" }] },
        result("f.x:0"),
        result("b"),
        user,
      ],
    });
    expect(body["system"]).toBe("s");
    const messages = body["messages"] as { content: { id?: string; tool_use_id?: string }[] }[];
    const [, calls, results] = messages;
    expect(calls?.content[0]?.id).toMatch(/^[a-zA-Z0-9_-]+$/);
    expect(results?.content.map((block) => block.tool_use_id)).toEqual([
      calls?.content[0]?.id,
      "b",
      undefined,
      undefined,
    ]);
    expect(messages).toHaveLength(3);
  });

  test("a conversation of system messages only keeps one turn", () => {
    const { body, losses } = render({
      messages: [{ role: "system", content: [{ type: "text", text: "s" }] }],
    });
    expect(body["messages"]).toEqual([{ role: "user", content: "s" }]);
    expect(losses["messages"]).toContain("changed");
  });

  test("names everything that it cannot say", () => {
    const { body, losses } = render({
      sampling: { seed: 1, logitBias: {}, minP: 0.1, frequencyPenalty: 1, presencePenalty: 1 },
      candidateCount: 2,
      logprobs: {},
      verbosity: "low",
      promptCacheKey: "k",
      outputModalities: ["text", "audio"],
      outputFormat: { type: "json-object" },
      serviceTier: "flex",
      metadata: { a: "b" },
      extra: { safety_identifier: "x" },
    });
    expect(Object.keys(losses).toSorted()).toEqual([
      "frequency_penalty",
      "logit_bias",
      "logprobs",
      "metadata",
      "min_p",
      "modalities",
      "n",
      "presence_penalty",
      "prompt_cache_key",
      "response_format",
      "safety_identifier",
      "seed",
      "service_tier",
      "verbosity",
    ]);
    expect(Object.keys(body)).toEqual(["model", "max_tokens", "messages"]);
  });

  test.each([
    ["claude-sonnet-4-5", { temperature: 1.5, topP: 0.9 }, { temperature: 1 }],
    [
      "claude-3-7-sonnet@20250219",
      { temperature: 0.5, topP: 0.9 },
      { temperature: 0.5, top_p: 0.9 },
    ],
    ["claude-opus-4-7", { temperature: 0.5, topK: 3 }, {}],
  ])("%s takes of %j only %j", (model, sampling, expected) => {
    const { body, losses } = render({ sampling }, { model });
    const { temperature, top_p, top_k } = body;
    expect({ temperature, top_p, top_k }).toEqual(expected);
    if (Object.keys(expected).length < Object.keys(sampling).length) expect(losses).not.toEqual({});
  });

  test.each([
    [
      "claude-sonnet-4-5",
      { effort: "low" },
      { thinking: { type: "enabled", budget_tokens: 2000 } },
    ],
    [
      "claude-opus-4-6",
      { effort: "xhigh" },
      { thinking: { type: "adaptive" }, output_config: { effort: "high" } },
    ],
    [
      "us.anthropic.claude-opus-4-8-v1:0",
      { effort: "max", summary: "auto" },
      { thinking: { type: "adaptive", display: "summarized" }, output_config: { effort: "max" } },
    ],
    ["claude-opus-5", { budgetTokens: 5000 }, { thinking: { type: "adaptive" } }],
    ["claude-3-5-haiku", { effort: "high" }, {}],
    ["claude-sonnet-5", { effort: "none" }, { thinking: { type: "disabled" } }],
    [
      "claude-sonnet-4-5",
      { budgetTokens: 50_000 },
      { thinking: { type: "enabled", budget_tokens: 9999 } },
    ],
  ] as const)("%s is told %j as %j", (model, reasoning, expected) => {
    const { body } = render({ reasoning, maxOutputTokens: 10_000 }, { model });
    const { thinking, output_config } = body;
    expect({ thinking, output_config }).toEqual(expected);
  });

  test.each([
    [
      "claude-haiku-4-5",
      { enabled: true, effort: "high" },
      { type: "enabled", budget_tokens: 8000 },
    ],
    ["claude-opus-4-8", { enabled: true, budgetTokens: 4000 }, { type: "adaptive" }],
    ["claude-sonnet-4-5", { effort: "low" }, undefined],
    ["glm-5", { enabled: true, budgetTokens: 4000 }, { type: "enabled", budget_tokens: 4000 }],
  ] as const)(
    "what was written for another model is said to %s in its form",
    (model, reasoning, expected) => {
      const members = {
        protocol: "anthropic-messages",
        reasoning,
        maxOutputTokens: 10_000,
      } as const;
      expect(render(members, { model }).body["thinking"]).toEqual(expected);
    },
  );

  test("objects of an answer's schema are closed, as the provider requires", () => {
    const inner = { type: "object", properties: { b: { type: "string" } } };
    const schema = { type: "object", properties: { a: { type: "array", items: inner } } };
    const { body, losses } = render({ outputFormat: { type: "json-schema", schema } });
    const closed = { ...inner, additionalProperties: false };
    expect(body["output_config"]).toEqual({
      format: {
        type: "json_schema",
        schema: {
          type: "object",
          properties: { a: { type: "array", items: closed } },
          additionalProperties: false,
        },
      },
    });
    expect(losses["response_format"]).toContain("changed");
    const again = render({ outputFormat: { type: "json-schema", schema: closed } });
    expect(again.losses).toEqual({});
  });

  test("thinking gives way to a forced call, and to calls made without thinking", () => {
    const tools = [{ type: "function", name: "f" }] as const;
    const forced = render({
      tools,
      toolChoice: { type: "tool", name: "f" },
      reasoning: { effort: "high" },
    });
    expect(forced.body["thinking"]).toBeUndefined();
    expect(forced.losses["reasoning"]).toContain("forced");
    const messages = [
      user,
      {
        role: "assistant",
        content: [{ type: "tool-call", id: "a", name: "f", kind: "function", input: "{}" }],
      },
      {
        role: "tool",
        content: [{ type: "tool-result", toolCallId: "a", kind: "function", content: [] }],
      },
    ] as const;
    const begun = render({ tools, messages, reasoning: { budgetTokens: 2000 } });
    expect(begun.body["thinking"]).toBeUndefined();
    expect(begun.losses["reasoning"]).toContain("without Claude's thinking");
  });

  test("only Claude's own signatures go back", () => {
    const { body, losses } = render({
      messages: [
        user,
        {
          role: "assistant",
          content: [
            { type: "reasoning", text: "", signature: { origin: "anthropic", value: "own" } },
            { type: "reasoning", text: "x", signature: { origin: "openai", value: "enc" } },
            { type: "reasoning", text: "bare" },
            { type: "text", text: "answer" },
          ],
        },
      ],
    });
    expect(body["messages"]).toMatchObject([
      {},
      { content: [{ type: "thinking", thinking: "", signature: "own" }, { type: "text" }] },
    ]);
    expect(losses["messages.reasoning"]).toContain("signature made by openai");
    expect(losses["messages[1].content[2]"]).toContain("without a signature");
  });

  test("free-text tools become functions with one input, as do their calls", () => {
    const { body } = render({
      tools: [
        { type: "custom", name: "patch" },
        { type: "function", name: "run", namespace: "sh" },
      ],
      messages: [
        user,
        {
          role: "assistant",
          content: [{ type: "tool-call", id: "a", name: "patch", kind: "custom", input: "*** x" }],
        },
      ],
    });
    expect(body["tools"]).toMatchObject([
      { name: "patch", input_schema: { required: ["input"] } },
      { name: "sh__run" },
    ]);
    expect(body["messages"]).toMatchObject([{}, { content: [{ input: { input: "*** x" } }] }]);
  });

  test("drops what the provider refuses", () => {
    const { body, losses } = render(
      { sampling: { temperature: 1 } },
      { dialect: { refuses: ["temperature"] } },
    );
    expect(body).not.toHaveProperty("temperature");
    expect(losses).toHaveProperty("temperature");
  });

  test("parse(render(x)) is x for a request of its own protocol", () => {
    const request: ChatRequest = {
      protocol: "anthropic-messages",
      model: "claude-opus-4-6",
      stream: true,
      messages: [
        { role: "system", content: [{ type: "text", text: "s", cache: {} }] },
        {
          role: "user",
          content: [
            { type: "text", text: "a" },
            { type: "image", source: { type: "url", url: "https://x/y.png" } },
          ],
        },
        { role: "system", content: [{ type: "text", text: "mid" }] },
        {
          role: "assistant",
          content: [
            {
              type: "reasoning",
              text: "",
              signature: { origin: "anthropic", value: "r", redacted: true },
            },
            {
              type: "tool-call",
              id: "t1",
              name: "f",
              kind: "function",
              input: '{"a":1}',
              cache: { ttl: "5m" },
            },
          ],
        },
        {
          role: "user",
          content: [
            {
              type: "tool-result",
              toolCallId: "t1",
              kind: "function",
              isError: true,
              content: [{ type: "text", text: "no" }],
            },
            { type: "file", source: { type: "file-id", id: "f1" }, filename: "n", citations: true },
          ],
        },
      ],
      tools: [{ type: "function", name: "f", strict: true, parameters: { type: "object" } }],
      toolChoice: { type: "auto" },
      parallelToolCalls: false,
      maxOutputTokens: 100,
      reasoning: { enabled: true, summary: "none", effort: "max" },
      outputFormat: { type: "json-schema", schema: { type: "object" } },
      sampling: { topK: 4 },
      stopSequences: ["END"],
      user: "u",
      extra: { container: "c", output_config: { task_budget: { total: 5 } } },
    };
    const { body, losses } = render(request, { model: "claude-opus-4-6" });
    expect(parseRequest({ body, headers: {} })).toEqual(request);
    expect(losses).toEqual({});
  });
});

describe("renderCountRequest", () => {
  test("leaves out what only generation takes", () => {
    const target = { upstreamModel: "claude-opus-4-8", dialect: {}, reportLoss: () => {} };
    const request: ChatRequest = {
      protocol: "openai-chat",
      model: "m",
      messages: [user],
      stream: true,
      stopSequences: ["x"],
      user: "u",
    };
    expect(renderCountRequest(request, target).body).toEqual({
      model: "claude-opus-4-8",
      messages: [{ role: "user", content: "hi" }],
    });
  });
});
