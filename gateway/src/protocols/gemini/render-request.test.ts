import { describe, expect, test } from "vitest";

import type { ChatRequest } from "#canonical/chat-request.ts";
import { parseRequest } from "./parse-request.ts";
import { renderRequest } from "./render-request.ts";

const user = { role: "user", content: [{ type: "text", text: "hi" }] } as const;

function render(members: Partial<ChatRequest>, model = "gemini-3-flash", refuses: string[] = []) {
  const losses: Record<string, string> = {};
  const request: ChatRequest = {
    protocol: "openai-chat",
    model: "m",
    messages: [user],
    stream: true,
    ...members,
  };
  const { body } = renderRequest(request, {
    upstreamModel: model,
    dialect: { refuses },
    reportLoss: (field, reason) => {
      losses[field] = reason;
    },
  });
  return { body, losses };
}

const call = (id: string, members: object = {}) =>
  ({
    type: "tool-call",
    id,
    name: `n${id}`,
    kind: "function",
    input: '{"a":1}',
    ...members,
  }) as const;
const result = (id: string, text: string, members: object = {}) =>
  ({
    role: "tool",
    content: [
      {
        type: "tool-result",
        toolCallId: id,
        kind: "function",
        content: [{ type: "text", text }],
        ...members,
      },
    ],
  }) as const;

describe("renderRequest", () => {
  test("adds nothing of its own", () => {
    expect(render({})).toEqual({
      body: { contents: [{ role: "user", parts: [{ text: "hi" }] }] },
      losses: {},
    });
  });

  test("system messages at the start are the instruction, without Claude Code's billing header", () => {
    const { body, losses } = render({
      messages: [
        {
          role: "system",
          content: [
            { type: "text", text: "x-anthropic-billing-header: cc_version=2.1" },
            { type: "text", text: "rules" },
          ],
        },
        user,
        { role: "developer", content: [{ type: "text", text: "now" }] },
      ],
    });
    expect(body).toEqual({
      systemInstruction: { parts: [{ text: "rules" }] },
      contents: [
        { role: "user", parts: [{ text: "hi" }] },
        { role: "user", parts: [{ text: "now" }] },
      ],
    });
    expect(losses["messages[2]"]).toContain("changed");
  });

  test("results of parallel calls come in one content, by the names of their calls", () => {
    const { body, losses } = render({
      messages: [
        user,
        { role: "assistant", content: [call("1"), call("2")] },
        result("1", '{"ok":true}'),
        result("2", "plain", { isError: true }),
      ],
    });
    expect(body["contents"]).toEqual([
      { role: "user", parts: [{ text: "hi" }] },
      {
        role: "model",
        parts: [
          {
            functionCall: { name: "n1", args: { a: 1 } },
            thoughtSignature: "skip_thought_signature_validator",
          },
          { functionCall: { name: "n2", args: { a: 1 } } },
        ],
      },
      {
        role: "user",
        parts: [
          { functionResponse: { name: "n1", response: { ok: true } } },
          { functionResponse: { name: "n2", response: { error: "plain" } } },
        ],
      },
    ]);
    expect(losses["messages"]).toContain("signature");
  });

  test("its own signature goes back, a foreign one does not", () => {
    const gemini = { origin: "gemini", value: "g" } as const;
    const foreign = { origin: "anthropic", value: "a" } as const;
    const { body, losses } = render({
      messages: [
        user,
        {
          role: "assistant",
          content: [
            { type: "reasoning", text: "theirs", signature: foreign },
            { type: "text", text: "", signature: gemini },
            call("1", { signature: gemini }),
          ],
        },
      ],
    });
    expect(body["contents"]).toMatchObject([
      {},
      {
        parts: [
          { text: "", thoughtSignature: "g" },
          { functionCall: { name: "n1" }, thoughtSignature: "g" },
        ],
      },
    ]);
    expect(losses["messages.reasoning"]).toContain("signature made by anthropic");
  });

  test("Gemini 2.5 gets neither stand-in signatures, nor mixed tools, nor a format beside tools", () => {
    const { body, losses } = render(
      {
        messages: [user, { role: "assistant", content: [call("1")] }, result("1", "x")],
        tools: [
          { type: "function", name: "f", parameters: { type: "object" } },
          { type: "server", kind: "web-search", protocol: "openai-responses", value: {} },
        ],
        toolChoice: { type: "required" },
        outputFormat: { type: "json-object" },
      },
      "gemini-2.5-pro",
    );
    expect(JSON.stringify(body)).not.toContain("thoughtSignature");
    expect(body["tools"]).toEqual([
      { functionDeclarations: [{ name: "f", parametersJsonSchema: { type: "object" } }] },
    ]);
    expect(body["toolConfig"]).toEqual({ functionCallingConfig: { mode: "ANY" } });
    expect(body["generationConfig"]).toBeUndefined();
    expect(Object.keys(losses)).toEqual(expect.arrayContaining(["tools[1]", "response_format"]));
  });

  test.each([
    ["gemini-3-flash", { effort: "minimal" }, { thinkingLevel: "minimal" }],
    ["gemini-3-pro-preview", { effort: "none" }, { thinkingLevel: "low" }],
    [
      "gemini-3.1-pro",
      { effort: "max", summary: "auto" },
      { thinkingLevel: "high", includeThoughts: true },
    ],
    ["gemini-2.5-flash", { effort: "medium" }, { thinkingBudget: 8192 }],
    ["gemini-2.5-flash", { enabled: false }, { thinkingBudget: 0 }],
    ["gemini-2.5-pro", { effort: "none" }, { thinkingBudget: 128 }],
    ["gemini-2.0-flash", { effort: "high", summary: "auto" }, undefined],
  ] as const)("%s is told %j as %j", (model, reasoning, expected) => {
    const config = render({ reasoning }, model).body["generationConfig"] as
      | { thinkingConfig?: unknown }
      | undefined;
    expect(config?.thinkingConfig).toEqual(expected);
  });

  test("media of a result stand inside it only where the model takes that", () => {
    const image = {
      type: "image",
      source: { type: "base64", mediaType: "image/png", data: "AA" },
    } as const;
    const messages = [
      user,
      { role: "assistant", content: [call("1")] },
      {
        role: "tool",
        content: [{ type: "tool-result", toolCallId: "1", kind: "function", content: [image] }],
      },
    ] as const;
    const parts = (model: string) =>
      (render({ messages }, model).body["contents"] as { parts: object[] }[])[2]?.parts;
    const inlineData = { mimeType: "image/png", data: "AA" };
    const response = { output: "" };
    expect(parts("gemini-3-flash")).toEqual([
      { functionResponse: { name: "n1", response, parts: [{ inlineData }] } },
    ]);
    expect(parts("gemini-2.5-flash")).toEqual([
      { functionResponse: { name: "n1", response } },
      { inlineData },
    ]);
  });

  test("names everything that it cannot say", () => {
    const { losses } = render({
      sampling: { minP: 1, repetitionPenalty: 1, logitBias: {} },
      parallelToolCalls: false,
      user: "u",
      metadata: {},
      verbosity: "low",
      promptCacheKey: "k",
      serviceTier: "scale",
      extra: { store: true },
      tools: [{ type: "custom", name: "c" }],
      messages: [{ role: "user", content: [{ type: "text", text: "x", cache: {} }] }],
    });
    expect(Object.keys(losses).toSorted()).toEqual([
      "cache_control",
      "logit_bias",
      "metadata",
      "min_p",
      "parallel_tool_calls",
      "prompt_cache_key",
      "repetition_penalty",
      "service_tier",
      "store",
      "tools[0]",
      "user",
      "verbosity",
    ]);
  });

  test("parse(render(x)) is x for a request of its own protocol", () => {
    const gemini = { origin: "gemini", value: "g" } as const;
    const source = { type: "base64", mediaType: "application/pdf", data: "AA" } as const;
    const request: ChatRequest = {
      protocol: "gemini",
      model: "gemini-3-flash",
      stream: true,
      messages: [
        { role: "system", content: [{ type: "text", text: "s" }] },
        {
          role: "user",
          content: [
            { type: "text", text: "a" },
            { type: "file", source },
          ],
        },
        {
          role: "assistant",
          content: [
            { type: "reasoning", text: "hm", summary: true },
            { type: "text", text: "", signature: gemini },
            { ...call("own1"), signature: gemini },
          ],
        },
        {
          role: "user",
          content: [
            {
              type: "tool-result",
              toolCallId: "own1",
              kind: "function",
              name: "nown1",
              content: [{ type: "text", text: "done" }],
            },
          ],
        },
      ],
      tools: [{ type: "function", name: "nown1", parameters: { type: "object" } }],
      toolChoice: { type: "required" },
      sampling: { temperature: 2, frequencyPenalty: 1 },
      maxOutputTokens: 5,
      reasoning: { enabled: true, budgetTokens: 7, summary: "auto" },
      outputFormat: { type: "json-object" },
      serviceTier: "default",
      extra: { cachedContent: "c", generationConfig: { mediaResolution: "LOW" } },
    };
    const { body, losses } = render(request);
    const again = parseRequest({
      body,
      headers: {},
      pathModel: "gemini-3-flash",
      pathVerb: "streamGenerateContent",
    });
    expect(again).toEqual(request);
    expect(losses).toEqual({});
  });

  test("drops what the provider refuses, inside the configuration too", () => {
    const { body, losses } = render({ sampling: { seed: 1 } }, "gemini-3-flash", ["seed"]);
    expect(body["generationConfig"]).toBeUndefined();
    expect(losses).toHaveProperty("seed");
  });
});
