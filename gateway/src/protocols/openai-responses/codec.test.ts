import { describe, expect, test } from "vitest";

import type { ChatRequest } from "#canonical/chat-request.ts";
import type { ChatResponse } from "#canonical/chat-response.ts";
import { GatewayError } from "#canonical/failure.ts";
import type { Failure } from "#canonical/failure.ts";
import { wrapSignature } from "#canonical/signature.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import { asObject, asObjects } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { AnswerContext, Dialect } from "#protocols/codec.ts";
import { parseStream } from "#test/every-split.ts";
import { wellFormed } from "#test/well-formed.ts";
import { openaiResponsesClient as client, openaiResponsesUpstream as upstream } from "./codec.ts";

const parse = (body: JsonObject): ChatRequest =>
  client.parseRequest({ body: { model: "m", ...body }, headers: {} });

function render(request: Partial<ChatRequest>, dialect: Dialect = {}) {
  const losses: string[] = [];
  const { body } = upstream.renderRequest(
    { protocol: "openai-chat", model: "m", messages: [], stream: false, ...request },
    { upstreamModel: "up", dialect, reportLoss: (field) => losses.push(field) },
  );
  return { body, losses };
}

function failureOf(body: JsonObject): Failure {
  try {
    parse(body);
  } catch (error) {
    if (error instanceof GatewayError) return error.failure;
  }
  throw new Error("accepted");
}

const contextFor = (request: Partial<ChatRequest>, losses: string[] = []): AnswerContext => ({
  request: { protocol: "openai-responses", model: "m", messages: [], stream: true, ...request },
  requestId: "req_01ABC",
  model: "m",
  created: 1_700_000_000,
  costUsd: () => 0.5,
  reportLoss: (field) => losses.push(field),
});

function streamed(
  events: readonly StreamEvent[],
  request: Partial<ChatRequest> = {},
): JsonObject[] {
  const renderer = client.createStreamRenderer(contextFor(request));
  const text = events.map((event) => renderer.push(event)).join("") + renderer.end();
  return dataOf(text);
}

const dataOf = (text: string): JsonObject[] =>
  text
    .split("\n")
    .filter((line) => line.startsWith("data: "))
    .map((line) => JSON.parse(line.slice(6)) as JsonObject);

const sse = (...events: readonly JsonObject[]): Buffer =>
  Buffer.from(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""));

const parsedStream = (...events: readonly JsonObject[]): StreamEvent[] =>
  parseStream([sse(...events)], upstream.createStreamParser({}));

describe("parseRequest", () => {
  test("a string is one user message, after the instructions", () => {
    expect(parse({ input: "hi", instructions: "be brief" }).messages).toEqual([
      { role: "system", content: [{ type: "text", text: "be brief" }] },
      { role: "user", content: [{ type: "text", text: "hi" }] },
    ]);
  });

  test("reasoning, text and calls in a row are one assistant message; two messages stay two", () => {
    const { messages } = parse({
      input: [
        { role: "user", content: "go" },
        { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "tok" },
        { role: "assistant", content: "one" },
        { type: "function_call", call_id: "c1", name: "f", arguments: "{}", namespace: "ns" },
        { type: "custom_tool_call", call_id: "c2", name: "g", input: "free" },
        {
          type: "function_call_output",
          call_id: "c1",
          output: [{ type: "input_text", text: "ok" }],
        },
        { type: "custom_tool_call_output", call_id: "c2", output: "done" },
        { role: "assistant", content: "two" },
        { role: "assistant", content: "three" },
      ],
    });
    expect(messages.map(({ role, content }) => [role, ...content.map(({ type }) => type)])).toEqual(
      [
        ["user", "text"],
        ["assistant", "reasoning", "text", "tool-call", "tool-call"],
        ["tool", "tool-result"],
        ["tool", "tool-result"],
        ["assistant", "text"],
        ["assistant", "text"],
      ],
    );
    expect(messages[1]?.content[0]).toEqual({
      type: "reasoning",
      text: "",
      signature: { origin: "openai", value: "tok", itemId: "rs_1" },
    });
    expect(messages[1]?.content[2]).toMatchObject({ namespace: "ns", name: "f", kind: "function" });
  });

  test("a namespace becomes flat functions that remember it", () => {
    const member = { type: "function", name: "wait", parameters: {} };
    const { tools } = parse({
      input: "x",
      tools: [
        { type: "namespace", name: "agents", tools: [member] },
        { type: "web_search", external_web_access: true },
        { type: "custom", name: "patch", format: { type: "grammar" } },
      ],
    });
    expect(tools).toMatchObject([
      { type: "function", name: "wait", namespace: "agents" },
      { type: "server", kind: "web-search", value: { external_web_access: true } },
      { type: "custom", name: "patch" },
    ]);
  });

  test("members without a word in the vocabulary go to extra, Codex's own metadata nowhere", () => {
    const request = parse({
      input: "x",
      store: false,
      truncation: "auto",
      client_metadata: { turn: 1 },
      background: null,
      reasoning: { effort: "low", context: "all_turns" },
      include: ["reasoning.encrypted_content", "file_search_call.results"],
    });
    expect(request.extra).toEqual({
      store: false,
      truncation: "auto",
      reasoning: { context: "all_turns" },
      include: ["file_search_call.results"],
    });
    expect(request.reasoning).toEqual({ effort: "low", encrypted: true });
  });

  test("allowed_tools keeps its mode for others and itself for its own protocol", () => {
    const choice = {
      type: "allowed_tools",
      mode: "required",
      tools: [
        { type: "function", name: "a" },
        { type: "function", name: "b" },
      ],
    };
    const request = parse({ input: "x", tool_choice: choice });
    expect(request.toolChoice).toEqual({ type: "required" });
    expect(request.extra).toEqual({ tool_choice: choice });
  });

  test.each([
    [{}, "input"],
    [{ input: [] }, "input"],
    [{ input: 5 }, "input"],
    [{ input: [{ role: "robot", content: "x" }] }, "input[0].role"],
    [
      { input: [{ role: "user", content: [{ type: "input_text", text: 1 }] }] },
      "input[0].content[0].text",
    ],
    [{ input: [{ role: "user", content: 1 }] }, "input[0].content"],
    [{ input: "x", tools: [{ type: "function" }] }, "tools[0].name"],
    [{ input: "x", temperature: "hot" }, "temperature"],
    [{ input: "x", text: { format: { type: "xml" } } }, "text.format.type"],
    [{ input: [{ type: "function_call_output", output: "x" }] }, "input[0].call_id"],
  ])("%j is refused at %s", (body, field) => {
    expect(failureOf(body)).toMatchObject({ code: "invalid_request", field });
  });

  test("an unknown item is kept for its own protocol, at its place", () => {
    const item = { type: "compaction", encrypted_content: "zzz" };
    const { messages } = parse({ input: [{ role: "user", content: "a" }, item] });
    expect(messages[1]?.content).toEqual([
      { type: "native", protocol: "openai-responses", value: item },
    ]);
  });
});

describe("renderRequest", () => {
  test("says what the vocabulary has, and names what it cannot say", () => {
    const { body, losses } = render({
      messages: [
        { role: "system", content: [{ type: "text", text: "s" }] },
        {
          role: "user",
          content: [
            { type: "text", text: "look", cache: {} },
            { type: "image", source: { type: "base64", mediaType: "image/png", data: "AA" } },
            { type: "file", source: { type: "base64", mediaType: "application/pdf", data: "BB" } },
          ],
        },
      ],
      sampling: { seed: 1, topK: 3, temperature: 0.5, logitBias: {} },
      stopSequences: ["x"],
      candidateCount: 2,
      outputFormat: { type: "json-schema", schema: { type: "object" } },
      verbosity: "low",
      extra: { prediction: {} },
    });
    expect(body).toMatchInlineSnapshot(`
      {
        "input": [
          {
            "content": "s",
            "role": "system",
            "type": "message",
          },
          {
            "content": [
              {
                "text": "look",
                "type": "input_text",
              },
              {
                "image_url": "data:image/png;base64,AA",
                "type": "input_image",
              },
              {
                "file_data": "data:application/pdf;base64,BB",
                "filename": "document.pdf",
                "type": "input_file",
              },
            ],
            "role": "user",
            "type": "message",
          },
        ],
        "model": "up",
        "temperature": 0.5,
        "text": {
          "format": {
            "name": "response",
            "schema": {
              "type": "object",
            },
            "type": "json_schema",
          },
          "verbosity": "low",
        },
      }
    `);
    expect(losses.toSorted()).toEqual([
      "cache_control",
      "logit_bias",
      "n",
      "prediction",
      "seed",
      "stop",
      "top_k",
    ]);
  });

  test("asks for encrypted reasoning and unstored answers when another dialect wants tokens", () => {
    expect(render({ reasoning: { encrypted: true, budgetTokens: 4096 } })).toMatchObject({
      body: {
        include: ["reasoning.encrypted_content"],
        store: false,
        reasoning: { effort: "medium" },
      },
      losses: ["thinking.budget_tokens"],
    });
    const own = render({ protocol: "openai-responses", reasoning: { encrypted: true } });
    expect(own.body).not.toHaveProperty("store");
  });

  test("sends back its own tokens only; text without one where the dialect replays it", () => {
    const thought = (origin: "openai" | "anthropic") =>
      ({
        type: "reasoning",
        text: "hm",
        signature: { origin, value: "tok", itemId: "rs_9" },
      }) as const;
    const messages = [
      {
        role: "assistant",
        content: [thought("openai"), thought("anthropic"), { type: "reasoning", text: "bare" }],
      },
    ] as const;
    const strict = render({ messages });
    expect(strict.body["input"]).toEqual([
      {
        type: "reasoning",
        id: "rs_9",
        summary: [{ type: "summary_text", text: "hm" }],
        encrypted_content: "tok",
      },
    ]);
    expect(strict.losses).toEqual(["messages.reasoning", "messages.reasoning"]);
    const replay = render({ messages }, { reasoningReplay: "reasoning_content" });
    expect(asObjects(replay.body["input"])).toMatchObject([
      { content: [{ type: "reasoning_text", text: "hm" }], encrypted_content: "tok" },
      { content: [{ type: "reasoning_text", text: "hm" }] },
      { content: [{ type: "reasoning_text", text: "bare" }] },
    ]);
  });

  test("namespaces are flat upstream, also in a choice and in earlier calls", () => {
    const { body } = render({
      tools: [{ type: "function", name: "wait", namespace: "agents" }],
      toolChoice: { type: "tool", name: "wait", namespace: "agents" },
      messages: [
        {
          role: "assistant",
          content: [
            {
              type: "tool-call",
              id: "c",
              name: "wait",
              namespace: "agents",
              kind: "function",
              input: "",
            },
          ],
        },
      ],
    });
    expect(body).toMatchObject({
      tools: [{ name: "agents__wait", strict: false, parameters: { type: "object" } }],
      tool_choice: { type: "function", name: "agents__wait" },
      input: [{ type: "function_call", name: "agents__wait", arguments: "{}" }],
    });
  });

  test("what a provider refuses is left out and named", () => {
    const { body, losses } = render({ user: "u", metadata: { a: "b" } }, { refuses: ["user"] });
    expect(body).toEqual({ model: "up", input: [], metadata: { a: "b" } });
    expect(losses).toEqual(["user"]);
  });
});

describe("renderResponse", () => {
  const answer: ChatResponse = {
    id: "up-1",
    model: "claude",
    candidates: [
      {
        parts: [
          { type: "reasoning", text: "why", signature: { origin: "anthropic", value: "sig" } },
          { type: "text", text: "a" },
          { type: "text", text: "b", citations: [{ url: "https://x.test", title: "X" }] },
          { type: "tool-call", id: "c1", name: "agents__wait", kind: "function", input: "{}" },
          {
            type: "tool-call",
            id: "c2",
            name: "patch",
            kind: "function",
            input: '{"input":"*** Begin"}',
          },
        ],
        finishReason: "tool-calls",
      },
    ],
    usage: { inputTokens: 10, outputTokens: 4, cacheReadTokens: 6, reasoningTokens: 2 },
  };
  const request: Partial<ChatRequest> = {
    reasoning: { encrypted: true },
    tools: [
      { type: "function", name: "wait", namespace: "agents" },
      { type: "custom", name: "patch" },
    ],
  };

  test("gives namespaces and free-text tools back in the form that the client knows", () => {
    const body = client.renderResponse(answer, contextFor(request));
    expect(body).toMatchObject({
      id: "resp_01ABC",
      object: "response",
      status: "completed",
      error: null,
      incomplete_details: null,
      usage: {
        input_tokens: 10,
        input_tokens_details: { cached_tokens: 6 },
        output_tokens_details: { reasoning_tokens: 2 },
        total_tokens: 14,
        cost: 0.5,
      },
      tools: [
        { type: "namespace", name: "agents", tools: [{ type: "function", name: "wait" }] },
        { type: "custom", name: "patch" },
      ],
    });
    expect(body["output"]).toMatchObject([
      {
        id: "rs_01ABC_0",
        type: "reasoning",
        content: [{ type: "reasoning_text", text: "why" }],
        encrypted_content: wrapSignature({ origin: "anthropic", value: "sig" }),
      },
      { id: "msg_01ABC_1", content: [{ text: "a" }, { text: "b", annotations: [{ title: "X" }] }] },
      { type: "function_call", call_id: "c1", name: "wait", namespace: "agents" },
      { type: "custom_tool_call", call_id: "c2", name: "patch", input: "*** Begin" },
    ]);
  });

  test("keeps tokens from clients that did not ask, and summarises for those that want summaries", () => {
    const body = client.renderResponse(answer, contextFor({ reasoning: { summary: "auto" } }));
    const [reasoning] = asObjects(body["output"]);
    expect(reasoning).not.toHaveProperty("encrypted_content");
    expect(reasoning?.["summary"]).toEqual([{ type: "summary_text", text: "why" }]);
  });

  test("tokens on text and calls come back to them on the next turn", () => {
    const token = (value: string) => ({ origin: "gemini", value }) as const;
    const parts = [
      { type: "text", text: "hm", signature: token("t") },
      {
        type: "tool-call",
        id: "c1",
        name: "f",
        kind: "function",
        input: "{}",
        signature: token("a"),
      },
      { type: "tool-call", id: "c2", name: "f", kind: "function", input: "{}" },
    ] as const;
    const signed = { ...answer, candidates: [{ parts, finishReason: "tool-calls" as const }] };
    const { output } = client.renderResponse(signed, contextFor(request));
    const [, again] = parse({
      input: [{ role: "user", content: "x" }, ...asObjects(output)],
    }).messages;
    expect(again?.content).toEqual(parts);
    const losses: string[] = [];
    client.renderResponse(signed, contextFor({}, losses));
    expect(losses).toEqual(["signature", "signature"]);
  });

  test("an answer that hit its bound is incomplete", () => {
    const cut = { ...answer, candidates: [{ parts: [], finishReason: "length" as const }] };
    expect(client.renderResponse(cut, contextFor({}))).toMatchObject({
      status: "incomplete",
      incomplete_details: { reason: "max_output_tokens" },
    });
  });
});

describe("createStreamRenderer", () => {
  test("text and a call that overlap come as two items with contiguous numbers", () => {
    const events = streamed([
      { type: "response-start", id: "x", model: "m" },
      { type: "text-start", index: 0 },
      { type: "text-delta", index: 0, text: "he" },
      { type: "tool-call-start", index: 1, id: "c", name: "f", kind: "function" },
      { type: "text-delta", index: 0, text: "y" },
      { type: "tool-call-delta", index: 1, text: "{}" },
      { type: "text-end", index: 0 },
      { type: "tool-call-end", index: 1 },
      { type: "finish", reason: "tool-calls" },
      { type: "usage", usage: { inputTokens: 1, outputTokens: 1 } },
    ]);
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual([...events.keys()]);
    expect(
      events.map(
        ({ type, output_index: at }) =>
          `${String(type).slice(9)} ${at === undefined ? "" : Number(at)}`,
      ),
    ).toEqual([
      "created ",
      "in_progress ",
      "output_item.added 0",
      "content_part.added 0",
      "output_text.delta 0",
      "output_item.added 1",
      "output_text.delta 0",
      "function_call_arguments.delta 1",
      "output_text.done 0",
      "content_part.done 0",
      "output_item.done 0",
      "function_call_arguments.done 1",
      "output_item.done 1",
      "completed ",
    ]);
    const output = asObjects(asObject(events.at(-1)?.["response"])["output"]);
    expect(output.map(({ type }) => type)).toEqual(["message", "function_call"]);
  });

  test("a failure ends the stream as failed, never as completed", () => {
    const renderer = client.createStreamRenderer(contextFor({}));
    renderer.push({ type: "text-start", index: 0 });
    const text = renderer.fail({ code: "budget_exhausted", message: "Out of money." });
    const [last] = dataOf(text);
    expect(last).toMatchObject({
      type: "response.failed",
      response: { status: "failed", error: { code: "invalid_prompt", message: "Out of money." } },
    });
    expect(renderer.end()).toBe("");
  });

  test("a stream without a finish is a failure", () => {
    expect(streamed([{ type: "response-start" }]).at(-1)).toMatchObject({
      type: "response.failed",
      response: { error: { code: "server_error" } },
    });
  });
});

describe("createStreamParser", () => {
  test("reasoning summaries are joined paragraph by paragraph; the last token counts", () => {
    const at = { output_index: 0, item_id: "rs_1" };
    const events = parsedStream(
      { type: "response.created", response: { id: "r", model: "m", created_at: 5 } },
      {
        type: "response.output_item.added",
        ...at,
        item: { type: "reasoning", id: "rs_1", encrypted_content: "first" },
      },
      { type: "response.reasoning_summary_part.added", ...at, summary_index: 0 },
      { type: "response.reasoning_summary_text.delta", ...at, summary_index: 0, delta: "one" },
      { type: "response.reasoning_summary_part.added", ...at, summary_index: 1 },
      { type: "response.reasoning_summary_text.delta", ...at, summary_index: 1, delta: "two" },
      {
        type: "response.output_item.done",
        ...at,
        item: { type: "reasoning", id: "rs_1", encrypted_content: "last" },
      },
      {
        type: "response.incomplete",
        response: {
          status: "incomplete",
          incomplete_details: { reason: "content_filter" },
          output: [],
        },
      },
    );
    wellFormed(events);
    expect(events).toEqual([
      { type: "response-start", id: "r", model: "m", created: 5 },
      { type: "reasoning-start", index: 0, summary: true },
      { type: "reasoning-delta", index: 0, text: "one" },
      { type: "reasoning-delta", index: 0, text: "\n\ntwo" },
      {
        type: "reasoning-end",
        index: 0,
        signature: { origin: "openai", value: "last", itemId: "rs_1" },
      },
      { type: "finish", reason: "content-filter" },
    ]);
  });

  test("a failure is told once, with what the provider said", () => {
    const error = { code: "insufficient_quota", message: "You exceeded your current quota" };
    const events = parsedStream(
      { type: "error", ...error },
      { type: "response.failed", response: { status: "failed", error } },
    );
    expect(events).toMatchObject([{ type: "error", failure: { code: "upstream_quota" } }]);
  });

  test("broken JSON is malformed, and a cut stream has no finish", () => {
    const parser = upstream.createStreamParser({});
    expect(parser.push({ data: '{"type":' })).toMatchObject([
      { type: "error", failure: { code: "upstream_malformed" } },
    ]);
    const cut = parsedStream({
      type: "response.output_text.delta",
      output_index: 0,
      content_index: 0,
      delta: "x",
    });
    expect(cut.map(({ type }) => type)).toEqual(["text-start", "text-delta", "text-end"]);
  });

  test("an answer that comes only in its last event is not lost", () => {
    const output = [
      { type: "message", content: [{ type: "output_text", text: "hi", annotations: [] }] },
      { type: "function_call", call_id: "c", name: "f", arguments: "{}" },
    ];
    const events = parsedStream({
      type: "response.completed",
      response: { id: "r", status: "completed", output },
    });
    wellFormed(events);
    expect(events).toContainEqual({ type: "text-delta", index: 0, text: "hi" });
    expect(events).toContainEqual({ type: "tool-call-delta", index: 1, text: "{}" });
    expect(events.at(-1)).toEqual({ type: "finish", reason: "tool-calls" });
  });
});

describe("parseResponse and parseError", () => {
  test("a failed or foreign body is a failure", () => {
    expect(upstream.parseResponse({ choices: [] }, {})).toMatchObject({
      code: "upstream_malformed",
    });
    expect(
      upstream.parseResponse(
        { status: "failed", error: { code: "server_error", message: "x" }, output: [] },
        {},
      ),
    ).toMatchObject({ code: "upstream_error" });
  });

  test("counts that cannot be are left out or cut", () => {
    const usage = {
      input_tokens: 5,
      input_tokens_details: { cached_tokens: 9 },
      output_tokens: -1,
    };
    expect(upstream.parseResponse({ output: [], usage }, {})).toMatchObject({
      usage: { inputTokens: 5, cacheReadTokens: 5, outputTokens: 0 },
    });
  });

  test.each([
    [429, { error: { code: "insufficient_quota", message: "quota" } }, "upstream_quota"],
    [429, { error: { code: "rate_limit_exceeded", message: "slow" } }, "upstream_rate_limited"],
    [
      400,
      { error: { code: "context_length_exceeded", message: "long" } },
      "context_length_exceeded",
    ],
    [400, { error: { code: "invalid_prompt", message: "flagged" } }, "content_policy"],
    [400, { error: { code: "unsupported_parameter", message: "top_p" } }, "unsupported_parameter"],
    [404, { error: { code: "DeploymentNotFound", message: "none" } }, "upstream_model_missing"],
    [401, { detail: "Unauthorized" }, "upstream_auth"],
    [503, { error: { message: "x" } }, "upstream_overloaded"],
    [500, { error: { message: "x" } }, "upstream_error"],
  ])("%s %j", (status, body, code) => {
    const failure = upstream.parseError({
      status,
      headers: { "retry-after": "2" },
      text: JSON.stringify(body),
    });
    expect(failure).toMatchObject({ code, upstreamStatus: status, retryAfterMs: 2000 });
  });

  test("HTML is never shown", () => {
    const failure = upstream.parseError({
      status: 502,
      headers: {},
      text: "<html>Bad gateway</html>",
    });
    expect(failure).toMatchObject({
      code: "upstream_error",
      message: expect.not.stringContaining("<"),
    });
  });
});

describe("renderError", () => {
  test("has OpenAI's shape and codes", () => {
    expect(client.renderError({ code: "budget_exhausted", message: "m" }, "req_1")).toEqual({
      error: { message: "m", type: "insufficient_quota", param: null, code: "insufficient_quota" },
    });
    expect(
      client.renderError({ code: "invalid_request", message: "m", field: "input" }, "req_1"),
    ).toEqual({
      error: {
        message: "m",
        type: "invalid_request_error",
        param: "input",
        code: "invalid_request",
      },
    });
  });
});
