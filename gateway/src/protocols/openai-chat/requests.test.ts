import { describe, expect, test } from "vitest";

import type { ChatRequest } from "#canonical/chat-request.ts";
import { GatewayError } from "#canonical/failure.ts";
import type { Message } from "#canonical/message.ts";
import type { JsonObject } from "#lib/json.ts";
import type { Dialect } from "#protocols/codec.ts";

import { parseRequest } from "./parse-request.ts";
import { renderRequest } from "./render-request.ts";

const parse = (body: JsonObject): ChatRequest =>
  parseRequest({ body: { model: "m", messages: [user("hi")], ...body }, headers: {} });

const user = (content: unknown) => ({ role: "user", content });

function render(request: ChatRequest, dialect: Dialect = {}) {
  const losses: string[] = [];
  const { body } = renderRequest(request, {
    upstreamModel: "up",
    dialect,
    reportLoss: (field) => losses.push(field),
  });
  return { body, losses };
}

const foreign = (
  messages: readonly Message[],
  members: Partial<ChatRequest> = {},
): ChatRequest => ({
  protocol: "anthropic-messages",
  model: "m",
  stream: false,
  messages,
  ...members,
});

function faultOf(body: JsonObject): string | undefined {
  try {
    parse(body);
    return undefined;
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return error.failure.field;
  }
}

describe("parseRequest", () => {
  test.each([
    [{ messages: undefined }, "messages"],
    [{ messages: [] }, "messages"],
    [{ messages: {} }, "messages"],
    [{ messages: [7] }, "messages[0]"],
    [{ messages: [{ role: "robot", content: "" }] }, "messages[0].role"],
    [{ messages: [user(7)] }, "messages[0].content"],
    [{ messages: [user("a"), user([{ type: 7 }])] }, "messages[1].content[0].type"],
    [{ messages: [user([{ type: "text" }])] }, "messages[0].content[0].text"],
    [{ messages: [user([{ type: "image_url" }])] }, "messages[0].content[0].image_url"],
    [{ messages: [{ role: "tool", content: "a" }] }, "messages[0].tool_call_id"],
    [{ model: 7 }, "model"],
    [{ temperature: "hot" }, "temperature"],
    [{ stream: "yes" }, "stream"],
    [{ stop: [1] }, "stop[0]"],
    [{ tools: {} }, "tools"],
    [{ tools: [{ type: "function" }] }, "tools[0].function"],
    [{ tools: [{ type: "function", function: {} }] }, "tools[0].function.name"],
    [{ tool_choice: "perhaps" }, "tool_choice"],
    [{ reasoning_effort: "huge" }, "reasoning_effort"],
    [{ response_format: { type: "xml" } }, "response_format.type"],
    [{ response_format: { type: "json_schema" } }, "response_format.json_schema.schema"],
  ])("names what is wrong in %j", (body, field) => {
    expect(faultOf(body)).toBe(field);
  });

  test("unknown members travel in extra, null members are absent", () => {
    const request = parse({ store: true, prediction: { type: "content" }, seed: null });
    expect(request.extra).toEqual({ store: true, prediction: { type: "content" } });
    expect(request.sampling).toBeUndefined();
  });

  test("unknown content parts are native", () => {
    const part = { type: "hologram", data: 1 };
    expect(parse({ messages: [user([part])] }).messages[0]?.content).toEqual([
      { type: "native", protocol: "openai-chat", value: part },
    ]);
  });

  test("reads every spelling of how much to think", () => {
    expect(parse({ reasoning_effort: "low" }).reasoning).toEqual({ effort: "low" });
    const openrouter = { effort: "high", exclude: true, max_tokens: 9, enabled: true };
    expect(parse({ reasoning: openrouter }).reasoning).toEqual({
      effort: "high",
      budgetTokens: 9,
      enabled: true,
      summary: "none",
    });
    expect(parse({ thinking: { type: "disabled" } }).reasoning).toEqual({ enabled: false });
    expect(parse({ enable_thinking: true, thinking_budget: 5 }).reasoning).toEqual({
      enabled: true,
      budgetTokens: 5,
    });
  });

  test("joins reasoning details that a client collected chunk by chunk", () => {
    const format = "anthropic-claude-v1";
    const details = [
      { type: "reasoning.text", text: "a", format: "unknown", index: 0 },
      { type: "reasoning.text", text: "b", format: "unknown", index: 0 },
      { type: "reasoning.text", signature: "s", format, index: 0 },
      { type: "reasoning.text", text: "c", format: "unknown", index: 1 },
    ];
    const message = {
      role: "assistant",
      content: "x",
      reasoning: "abc",
      reasoning_details: details,
    };
    expect(parse({ messages: [message] }).messages[0]?.content).toEqual([
      { type: "reasoning", text: "ab", signature: { origin: "anthropic", value: "s" } },
      { type: "reasoning", text: "c" },
      { type: "text", text: "x" },
    ]);
  });

  test("the result of a custom tool's call is of that kind", () => {
    const call = { id: "a", type: "custom", custom: { name: "patch", input: "x" } };
    const request = parse({
      messages: [
        { role: "assistant", content: null, tool_calls: [call] },
        { role: "tool", content: "done" },
      ],
    });
    expect(request.messages[1]?.content).toEqual([
      {
        type: "tool-result",
        toolCallId: "a",
        kind: "custom",
        content: [{ type: "text", text: "done" }],
      },
    ]);
  });

  test("allowed_tools leaves only those tools", () => {
    const tool = (name: string) => ({ type: "function", function: { name } });
    const allowed = { mode: "required", tools: [tool("b")] };
    const choice = { type: "allowed_tools", allowed_tools: allowed };
    const request = parse({ tools: [tool("a"), tool("b")], tool_choice: choice });
    expect(request.tools).toEqual([{ type: "function", name: "b" }]);
    expect(request.toolChoice).toEqual({ type: "required" });
  });

  test("functions of before tools become tools, their results find their calls", () => {
    const request = parse({
      functions: [{ name: "f" }],
      function_call: { name: "f" },
      messages: [
        user("go"),
        { role: "assistant", content: null, function_call: { name: "f", arguments: "{}" } },
        { role: "function", name: "f", content: "done" },
      ],
    });
    const [, assistant, result] = request.messages;
    expect(assistant?.content[0]).toMatchObject({ type: "tool-call", id: "call_f" });
    expect(result?.content[0]).toMatchObject({ type: "tool-result", toolCallId: "call_f" });
    expect(request.toolChoice).toEqual({ type: "tool", name: "f" });
  });
});

describe("renderRequest", () => {
  test("writes a rich request back as it was", () => {
    const schema = { type: "object", properties: { a: { type: "string" } } };
    const body: JsonObject = {
      model: "up",
      messages: [
        { role: "developer", content: "be brief" },
        user([
          { type: "text", text: "look" },
          { type: "image_url", image_url: { url: "data:image/png;base64,AA==", detail: "low" } },
          { type: "input_audio", input_audio: { data: "AA==", format: "mp3" } },
          {
            type: "file",
            file: { file_data: "data:application/pdf;base64,AA==", filename: "a.pdf" },
          },
          { type: "file", file: { file_id: "file-1" } },
          { type: "video_url", video_url: { url: "https://v.example" } },
        ]),
        {
          role: "assistant",
          content: null,
          tool_calls: [
            { id: "a", type: "function", function: { name: "f", arguments: '{ "x" : 1 }' } },
            { id: "b", type: "custom", custom: { name: "g", input: "free" } },
          ],
        },
        { role: "tool", tool_call_id: "a", content: "1" },
        { role: "tool", tool_call_id: "b", content: "2" },
      ],
      tools: [
        { type: "function", function: { name: "f", parameters: schema, strict: true } },
        { type: "custom", custom: { name: "g", format: { type: "text" } } },
      ],
      tool_choice: { type: "custom", custom: { name: "g" } },
      parallel_tool_calls: false,
      max_completion_tokens: 5,
      temperature: 0,
      top_p: 0.5,
      top_k: 3,
      min_p: 0.1,
      frequency_penalty: 1,
      presence_penalty: 1,
      repetition_penalty: 1.1,
      seed: 1,
      logit_bias: { "1": 2 },
      stop: ["x"],
      n: 2,
      logprobs: true,
      top_logprobs: 3,
      reasoning_effort: "low",
      verbosity: "low",
      modalities: ["text"],
      service_tier: "flex",
      prompt_cache_key: "k",
      prompt_cache_retention: "24h",
      user: "u",
      metadata: { a: "b" },
      response_format: { type: "json_schema", json_schema: { name: "n", schema, strict: true } },
      web_search_options: { search_context_size: "low" },
      store: false,
      stream: true,
      stream_options: { include_usage: true },
    };
    const dialect: Dialect = {
      maxTokensField: "max_completion_tokens",
      developerRole: true,
      customTools: true,
    };
    const { body: rendered, losses } = render(parse(body), dialect);
    expect(rendered).toEqual(body);
    expect(losses).toEqual([]);
  });

  test("names every member that it cannot pass on", () => {
    const request = foreign(
      [{ role: "user", content: [{ type: "text", text: "hi", cache: {} }] }],
      {
        extra: { container: "x", context_management: {} },
        serviceTier: "standard_only",
        sampling: { seed: 1, logitBias: {} },
        reasoning: { summary: "auto", encrypted: true, budgetTokens: 5000 },
      },
    );
    const { body, losses } = render(request, { refuses: ["logit_bias", "seed"] });
    expect(body).toEqual({
      model: "up",
      messages: [{ role: "user", content: "hi" }],
      reasoning_effort: "medium",
    });
    expect(losses.toSorted()).toEqual([
      "cache_control",
      "container",
      "context_management",
      "logit_bias",
      "reasoning.encrypted_content",
      "reasoning.max_tokens",
      "reasoning.summary",
      "seed",
      "service_tier",
    ]);
  });

  test("a turn's tool results come first, one message each, media in them after", () => {
    const result = (toolCallId: string, url?: string) =>
      ({
        type: "tool-result",
        toolCallId,
        kind: "function",
        content: [
          { type: "text", text: toolCallId },
          ...(url === undefined ? [] : [{ type: "image", source: { type: "url", url } } as const]),
        ],
      }) as const;
    const { body } = render(
      foreign([
        {
          role: "user",
          content: [result("a", "https://i.example"), result("b"), { type: "text", text: "so?" }],
        },
      ]),
    );
    expect(body["messages"]).toEqual([
      { role: "tool", tool_call_id: "a", content: "a" },
      { role: "tool", tool_call_id: "b", content: "b" },
      {
        role: "user",
        content: [
          { type: "text", text: "Result of tool call a:" },
          { type: "image_url", image_url: { url: "https://i.example" } },
        ],
      },
      { role: "user", content: "so?" },
    ]);
  });

  test("custom tools are functions with one string where there are none", () => {
    const tool = { type: "custom", name: "patch", format: { type: "grammar" } } as const;
    const call = {
      type: "tool-call",
      id: "a",
      name: "patch",
      kind: "custom",
      input: "x\ny",
    } as const;
    const { body } = render(foreign([{ role: "assistant", content: [call] }], { tools: [tool] }));
    expect(body["messages"]).toMatchObject([
      { tool_calls: [{ type: "function", function: { arguments: '{"input":"x\\ny"}' } }] },
    ]);
    expect(body["tools"]).toMatchObject([
      { type: "function", function: { name: "patch", parameters: { required: ["input"] } } },
    ]);
  });

  test("tools of a namespace have one flat name", () => {
    const named = { name: "wait", namespace: "agents" };
    const call = { type: "tool-call", id: "a", kind: "function", input: "{}", ...named } as const;
    const { body } = render(
      foreign([{ role: "assistant", content: [call] }], {
        tools: [{ type: "function", ...named }],
        toolChoice: { type: "tool", ...named },
      }),
    );
    expect(body).toMatchObject({
      messages: [{ tool_calls: [{ function: { name: "agents__wait" } }] }],
      tools: [{ function: { name: "agents__wait" } }],
      tool_choice: { function: { name: "agents__wait" } },
    });
  });

  const thought = {
    type: "reasoning",
    text: "hm",
    signature: { origin: "anthropic", value: "s" },
  } as const;
  const call = { type: "tool-call", id: "a", name: "f", kind: "function", input: "{}" } as const;

  test.each([
    [undefined, {}],
    ["reasoning_content", { reasoning_content: "hm" }],
    ["reasoning", { reasoning: "hm" }],
    [
      "reasoning_details",
      {
        reasoning_details: [
          {
            type: "reasoning.text",
            text: "hm",
            signature: "s",
            format: "anthropic-claude-v1",
            index: 0,
          },
        ],
      },
    ],
    [
      "thinking-parts",
      { content: [{ type: "thinking", thinking: [{ type: "text", text: "hm" }] }] },
    ],
  ] as const)("replays reasoning as %s", (reasoningReplay, members) => {
    const dialect = reasoningReplay === undefined ? {} : { reasoningReplay };
    const { body, losses } = render(
      foreign([{ role: "assistant", content: [thought, call] }]),
      dialect,
    );
    const calls = [{ id: "a", type: "function", function: { name: "f", arguments: "{}" } }];
    expect(body["messages"]).toEqual([
      { role: "assistant", content: null, ...members, tool_calls: calls },
    ]);
    expect(losses.includes("thinking.signature")).toBe(reasoningReplay !== "reasoning_details");
  });

  test("tool calls without a thought still have the member that DeepSeek demands", () => {
    const request = foreign([{ role: "assistant", content: [call] }]);
    const { body } = render(request, { reasoningReplay: "reasoning_content" });
    expect(body["messages"]).toMatchObject([{ reasoning_content: "" }]);
  });

  test.each([
    ["reasoning_effort", { effort: "high" }, { reasoning_effort: "high" }],
    ["reasoning_effort", { enabled: false }, { reasoning_effort: "none" }],
    ["reasoning_effort", { effort: "max" }, { reasoning_effort: "xhigh" }],
    ["reasoning_effort", { enabled: true }, {}],
    ["thinking", { effort: "low" }, { thinking: { type: "enabled" } }],
    ["thinking", { effort: "none" }, { thinking: { type: "disabled" } }],
    ["reasoning", { budgetTokens: 9 }, { reasoning: { max_tokens: 9 } }],
    [
      "reasoning",
      { effort: "low", summary: "none" },
      { reasoning: { effort: "low", exclude: true } },
    ],
    ["enable_thinking", { budgetTokens: 9 }, { enable_thinking: true, thinking_budget: 9 }],
    ["enable_thinking", { enabled: false }, { enable_thinking: false }],
    ["none", { effort: "low" }, {}],
  ] as const)("asks for thinking by %s: %j", (reasoningRequest, reasoning, members) => {
    const { body } = render(foreign([], { reasoning }), { reasoningRequest });
    expect(body).toEqual({ model: "up", messages: [], ...members });
  });

  test.each([
    [undefined, { type: "json_schema", json_schema: { name: "response", schema: {} } }],
    ["json-object", { type: "json_object" }],
    ["none", undefined],
  ] as const)("structured output at level %s", (structuredOutput, format) => {
    const dialect = structuredOutput === undefined ? {} : { structuredOutput };
    const request = foreign([], { outputFormat: { type: "json-schema", schema: {} } });
    const { body, losses } = render(request, dialect);
    expect(body["response_format"]).toEqual(format);
    expect(losses.length).toBe(structuredOutput === undefined ? 0 : 1);
  });

  test("usage is asked for unless the dialect has no stream_options", () => {
    const request = foreign([], { stream: true });
    expect(render(request).body).toMatchObject({ stream_options: { include_usage: true } });
    expect(render(request, { streamOptions: false }).body["stream_options"]).toBeUndefined();
  });

  test("Claude Code's billing header stays behind, other system texts survive in place", () => {
    const text = (text: string) => ({ type: "text", text }) as const;
    const header = text("x-anthropic-billing-header: cc_version=2");
    const { body } = render(
      foreign([
        { role: "system", content: [header, text("one"), text("two")] },
        { role: "user", content: [text("hi")] },
        { role: "system", content: [text("later")] },
      ]),
      { plainContent: true },
    );
    expect(body["messages"]).toEqual([
      { role: "system", content: "one\n\ntwo" },
      { role: "user", content: "hi" },
      { role: "system", content: "later" },
    ]);
  });
});
