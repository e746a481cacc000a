import { describe, expect, test } from "vitest";

import type { ChatRequest } from "#canonical/chat-request.ts";
import type { ChatResponse } from "#canonical/chat-response.ts";
import type { Part } from "#canonical/message.ts";
import { openaiErrorBody } from "#canonical/openai-error.ts";
import { unwrapSignature } from "#canonical/signature.ts";
import { unfoldResponse } from "#canonical/unfold-response.ts";
import { asObject, asObjects, parseObject } from "#lib/json.ts";
import type { AnswerContext } from "#protocols/codec.ts";
import { sseEvents } from "#test/every-split.ts";

import { parseMessages } from "./parse-message.ts";
import { parseResponse } from "./parse-response.ts";
import { renderResponse } from "./render-response.ts";
import { createStreamRenderer } from "./render-stream.ts";

function contextOf(request: Partial<ChatRequest> = {}) {
  const losses: string[] = [];
  const context: AnswerContext = {
    request: { protocol: "openai-chat", model: "m", messages: [], stream: true, ...request },
    requestId: "r1",
    model: "m",
    created: 7,
    costUsd: () => 0.25,
    reportLoss: (field) => losses.push(field),
  };
  return { context, losses };
}

const answer = (parts: readonly Part[]): ChatResponse => ({
  id: "x",
  model: "up",
  candidates: [{ parts, finishReason: "stop" }],
  usage: { inputTokens: 3, outputTokens: 2, cacheReadTokens: 1, reasoningTokens: 1 },
});

/** The data of a stream's events, `[DONE]` as text. */
function stream(parts: readonly Part[], request: Partial<ChatRequest> = {}) {
  const renderer = createStreamRenderer(contextOf(request).context);
  const events = unfoldResponse(answer(parts));
  const wire = events.map((event) => renderer.push(event)).join("") + renderer.end();
  return sseEvents([Buffer.from(wire)]).map(({ data }) => parseObject(data) ?? data);
}

interface Delta {
  readonly reasoning_content?: string;
  readonly reasoning_details?: readonly object[];
  readonly tool_calls?: readonly object[];
}

const deltasOf = (chunks: readonly unknown[]): Delta[] =>
  chunks.flatMap((chunk) =>
    asObjects(asObject(chunk)["choices"]).map(({ delta }) => asObject(delta) as Delta),
  );

const SIGNED: readonly Part[] = [
  { type: "reasoning", text: "a", signature: { origin: "anthropic", value: "s1" } },
  { type: "reasoning", text: "", signature: { origin: "anthropic", value: "s2", redacted: true } },
  {
    type: "reasoning",
    text: "b",
    summary: true,
    signature: { origin: "openai", value: "s3", itemId: "rs_1" },
  },
  { type: "reasoning", text: "", signature: { origin: "openai", value: "s4", itemId: "rs_2" } },
  { type: "reasoning", text: "c", signature: { origin: "bedrock", value: "s5" } },
  { type: "text", text: "x", signature: { origin: "gemini", value: "s6" } },
  {
    type: "tool-call",
    id: "a",
    name: "f",
    kind: "function",
    input: "{}",
    signature: { origin: "gemini", value: "s7" },
  },
];

describe("renderResponse", () => {
  test("has what the SDKs read", () => {
    const { context } = contextOf();
    expect(renderResponse(answer([{ type: "text", text: "hi" }]), context)).toEqual({
      id: "chatcmpl-r1",
      object: "chat.completion",
      created: 7,
      model: "m",
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: "hi", refusal: null },
          logprobs: null,
          finish_reason: "stop",
        },
      ],
      usage: {
        prompt_tokens: 3,
        completion_tokens: 2,
        total_tokens: 5,
        prompt_tokens_details: { cached_tokens: 1, audio_tokens: 0 },
        completion_tokens_details: {
          reasoning_tokens: 1,
          audio_tokens: 0,
          accepted_prediction_tokens: 0,
          rejected_prediction_tokens: 0,
        },
        cost: 0.25,
      },
    });
  });

  test("signatures of all origins come back from the client as they left", () => {
    const body = renderResponse(answer(SIGNED), contextOf().context);
    const choices = body["choices"] as { message: object }[];
    const [message] = parseMessages([choices[0]?.message]);
    expect(message?.content).toEqual(SIGNED);
  });

  test("signatures come back from a stream whose deltas a client collected", () => {
    const details = deltasOf(stream(SIGNED)).flatMap((delta) => delta.reasoning_details ?? []);
    const [message] = parseMessages([{ role: "assistant", reasoning_details: details }]);
    expect(message?.content).toEqual(SIGNED.slice(0, 5));
  });

  test("a call's signature stands in its first fragment, and in no other", () => {
    const fragments = deltasOf(stream(SIGNED)).flatMap((delta) => delta.tool_calls ?? []);
    expect(fragments.map((fragment) => "extra_content" in fragment)).toEqual([true, false]);
  });

  test("a token without a name of its own is wrapped", () => {
    const body = JSON.stringify(renderResponse(answer(SIGNED.slice(4, 5)), contextOf().context));
    const token = /"signature":"([^"]+)"/.exec(body)?.[1] ?? "";
    expect(unwrapSignature(token, "other")).toEqual({ origin: "bedrock", value: "s5" });
  });

  test("reasoning that the client does not want to see is left out", () => {
    const { context } = contextOf({ reasoning: { summary: "none" } });
    const body = JSON.stringify(renderResponse(answer(SIGNED), context));
    expect(body).not.toContain("reasoning_content");
    expect(body).not.toContain("reasoning_details");
  });

  test("citations point into the whole text", () => {
    const url = "https://a.example";
    const body = renderResponse(
      answer([
        { type: "text", text: "12345" },
        { type: "text", text: "abc", citations: [{ url }, { url, title: "T", start: 1, end: 2 }] },
      ]),
      contextOf().context,
    );
    expect(body).toMatchObject({
      choices: [
        {
          message: {
            annotations: [
              { url_citation: { url, title: "", start_index: 5, end_index: 8 } },
              { url_citation: { url, title: "T", start_index: 6, end_index: 7 } },
            ],
          },
        },
      ],
    });
  });

  test("a call of a custom tool is one again, and no arguments are an empty object", () => {
    const { context } = contextOf({ tools: [{ type: "custom", name: "patch" }] });
    const call = { type: "tool-call", kind: "function" } as const;
    const body = renderResponse(
      answer([
        { ...call, id: "a", name: "patch", input: '{"input":"x"}' },
        { ...call, id: "b", name: "f", input: "" },
      ]),
      context,
    );
    expect(body).toMatchObject({
      choices: [
        {
          message: {
            content: null,
            tool_calls: [
              { id: "a", type: "custom", custom: { name: "patch", input: "x" } },
              { id: "b", type: "function", function: { name: "f", arguments: "{}" } },
            ],
          },
        },
      ],
    });
  });

  test("blocks of other protocols are named as losses", () => {
    const { context, losses } = contextOf();
    const native = { type: "native", protocol: "gemini", value: { type: "toolCall" } } as const;
    renderResponse(answer([native]), context);
    expect(losses).toEqual(["answer.toolCall"]);
  });
});

describe("createStreamRenderer", () => {
  test("begins with the role and ends with [DONE], usage only where asked for", () => {
    const parts: Part[] = [{ type: "text", text: "hi" }];
    const head = { id: "chatcmpl-r1", object: "chat.completion.chunk", created: 7, model: "m" };
    const chunks = [
      {
        ...head,
        choices: [
          {
            index: 0,
            delta: { role: "assistant", content: "hi" },
            logprobs: null,
            finish_reason: null,
          },
        ],
      },
      { ...head, choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: "stop" }] },
    ];
    expect(stream(parts)).toEqual([...chunks, "[DONE]"]);
    const withUsage = stream(parts, { includeUsage: true });
    expect(withUsage.slice(0, 2)).toEqual(chunks);
    expect(withUsage[2]).toMatchObject({ choices: [], usage: { prompt_tokens: 3, cost: 0.25 } });
    expect(withUsage.slice(3)).toEqual(["[DONE]"]);
  });

  test("tool calls count up, and their fragments carry their index", () => {
    const call = { type: "tool-call", kind: "function" } as const;
    const deltas = deltasOf(
      stream([
        { ...call, id: "a", name: "f", input: '{"x":1}' },
        { ...call, id: "b", name: "g", input: "" },
      ]),
    );
    expect(deltas.flatMap((delta) => delta.tool_calls ?? [])).toEqual([
      { index: 0, id: "a", type: "function", function: { name: "f", arguments: "" } },
      { index: 0, function: { arguments: '{"x":1}' } },
      { index: 1, id: "b", type: "function", function: { name: "g", arguments: "" } },
      { index: 1, function: { arguments: "{}" } },
    ]);
  });

  test("a custom tool's input comes whole where the provider called a function", () => {
    const call = { type: "tool-call", kind: "function", id: "a", name: "patch" } as const;
    const tools = [{ type: "custom", name: "patch" }] as const;
    const deltas = deltasOf(stream([{ ...call, input: '{"input":"x"}' }], { tools }));
    expect(deltas.flatMap((delta) => delta.tool_calls ?? [])).toEqual([
      { index: 0, id: "a", type: "custom", custom: { name: "patch", input: "" } },
      { index: 0, custom: { input: "x" } },
    ]);
  });

  test("thoughts are told apart by a blank line", () => {
    const deltas = deltasOf(
      stream([
        { type: "reasoning", text: "a" },
        { type: "reasoning", text: "b" },
      ]),
    );
    expect(deltas.map((delta) => delta.reasoning_content ?? "").join("")).toBe("a\n\nb");
  });

  test("a failure is a chunk with an error and no [DONE]", () => {
    const renderer = createStreamRenderer(contextOf().context);
    const wire = renderer.fail({ code: "upstream_truncated", message: "cut" });
    expect(wire).not.toContain("[DONE]");
    expect(parseObject(wire.slice("data: ".length))).toMatchObject({
      choices: [{ index: 0, finish_reason: "error" }],
      error: { message: "cut", type: "server_error", code: "upstream_truncated" },
    });
  });
});

describe("openaiErrorBody", () => {
  test.each([
    ["unknown_model", "invalid_request_error", "model_not_found"],
    ["unauthenticated", "authentication_error", "invalid_api_key"],
    ["budget_exhausted", "insufficient_quota", "insufficient_quota"],
    ["upstream_rate_limited", "rate_limit_error", "rate_limit_exceeded"],
    ["context_length_exceeded", "invalid_request_error", "context_length_exceeded"],
    ["no_route", "server_error", "no_route"],
  ] as const)("%s is a %s", (code, type, openaiCode) => {
    expect(openaiErrorBody({ code, message: "why", field: "model" }, "r1")).toEqual({
      error: { message: "why", type, param: "model", code: openaiCode },
      request_id: "r1",
    });
  });
});

describe("parseResponse", () => {
  test.each([
    [{ error: { message: "no", type: "invalid_request_error" } }, "upstream_invalid_request"],
    [{ error: { message: "slow", code: 429 } }, "upstream_rate_limited"],
    [{ error: "out of order" }, "upstream_error"],
    [{ base_resp: { status_code: 1002, status_msg: "rpm" } }, "upstream_rate_limited"],
    [
      { base_resp: { status_code: 1026, status_msg: "bad words" }, choices: [{}] },
      "content_policy",
    ],
    [{ choices: [] }, "upstream_malformed"],
    [{ choices: null }, "upstream_malformed"],
    [{ object: "list" }, "upstream_malformed"],
  ])("%j in a 200 is a failure", (body, code) => {
    expect(parseResponse(body, {})).toMatchObject({ code });
  });

  test("survives members of wrong types", () => {
    const message = {
      content: 7,
      tool_calls: "x",
      reasoning: [],
      reasoning_details: {},
      images: 1,
    };
    const body = { id: 7, choices: [{ message, finish_reason: 7 }], usage: "x" };
    expect(parseResponse(body, {})).toEqual({
      id: "",
      model: "",
      candidates: [{ parts: [], finishReason: "stop" }],
    });
  });

  test("arguments that are an object become text", () => {
    const call = { id: "a", function: { name: "f", arguments: { x: 1 } } };
    expect(parseResponse({ choices: [{ message: { tool_calls: [call] } }] }, {})).toMatchObject({
      candidates: [{ parts: [{ input: '{"x":1}' }], finishReason: "tool-calls" }],
    });
  });
});
