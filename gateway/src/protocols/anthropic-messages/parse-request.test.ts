import { describe, expect, test } from "vitest";

import { GatewayError } from "#canonical/failure.ts";
import { wrapSignature } from "#canonical/signature.ts";
import type { JsonObject } from "#lib/json.ts";
import { parseCountRequest, renderCountResponse } from "./count-tokens.ts";
import { parseRequest } from "./parse-request.ts";

const parse = (body: JsonObject) =>
  parseRequest({
    body: { model: "m", messages: [{ role: "user", content: "hi" }], ...body },
    headers: {},
  });
const content = (blocks: unknown[], role = "user") =>
  parse({ messages: [{ role, content: blocks }] }).messages[0]?.content;

describe("parseRequest", () => {
  test("reads what Claude Code sends", () => {
    const request = parse({
      system: [{ type: "text", text: "rules", cache_control: { type: "ephemeral", ttl: "1h" } }],
      messages: [
        { role: "user", content: [{ type: "text", text: "hi" }] },
        { role: "system", content: "reminder" },
      ],
      max_tokens: 32_000,
      stream: true,
      thinking: { type: "adaptive", display: "summarized" },
      output_config: {
        effort: "xhigh",
        format: { type: "json_schema", schema: { type: "object" } },
      },
      context_management: { edits: [] },
      metadata: { user_id: '{"session_id":"s"}' },
      tools: [{ name: "Bash", input_schema: { type: "object" }, defer_loading: true }],
      tool_choice: { type: "any", disable_parallel_tool_use: true },
      service_tier: "standard_only",
    });
    expect(request).toEqual({
      protocol: "anthropic-messages",
      model: "m",
      messages: [
        { role: "system", content: [{ type: "text", text: "rules", cache: { ttl: "1h" } }] },
        { role: "user", content: [{ type: "text", text: "hi" }] },
        { role: "system", content: [{ type: "text", text: "reminder" }] },
      ],
      stream: true,
      tools: [{ type: "function", name: "Bash", parameters: { type: "object" } }],
      toolChoice: { type: "required" },
      parallelToolCalls: false,
      outputFormat: { type: "json-schema", schema: { type: "object" } },
      maxOutputTokens: 32_000,
      reasoning: { enabled: true, summary: "auto", effort: "xhigh" },
      serviceTier: "default",
      user: '{"session_id":"s"}',
      extra: { context_management: { edits: [] } },
    });
  });

  test("reads every source of a document, and its context as text before it", () => {
    const blocks = [
      { type: "document", source: { type: "base64", media_type: "application/pdf", data: "JVBE" } },
      { type: "document", source: { type: "text", media_type: "text/plain", data: "plain" } },
      { type: "document", source: { type: "url", url: "https://a.b/c.pdf" }, title: "C" },
      { type: "document", source: { type: "file", file_id: "f_1" }, citations: { enabled: true } },
      { type: "document", source: { type: "content", content: "words" }, context: "about" },
    ];
    expect(content(blocks)).toEqual([
      { type: "file", source: { type: "base64", mediaType: "application/pdf", data: "JVBE" } },
      { type: "file", source: { type: "base64", mediaType: "text/plain", data: "cGxhaW4=" } },
      { type: "file", source: { type: "url", url: "https://a.b/c.pdf" }, filename: "C" },
      { type: "file", source: { type: "file-id", id: "f_1" }, citations: true },
      { type: "text", text: "about" },
      { type: "file", source: { type: "base64", mediaType: "text/plain", data: "d29yZHM=" } },
    ]);
  });

  test("reads tool results of any shape", () => {
    const blocks = [
      { type: "tool_result", tool_use_id: "a", content: "x", is_error: true },
      { type: "tool_result", tool_use_id: "b" },
      {
        type: "tool_result",
        tool_use_id: "c",
        content: [
          { type: "image", source: { type: "base64", media_type: "image/png", data: "AA" } },
        ],
      },
    ];
    const source = { type: "base64", mediaType: "image/png", data: "AA" };
    expect(content(blocks)).toEqual([
      {
        type: "tool-result",
        toolCallId: "a",
        kind: "function",
        content: [{ type: "text", text: "x" }],
        isError: true,
      },
      { type: "tool-result", toolCallId: "b", kind: "function", content: [] },
      {
        type: "tool-result",
        toolCallId: "c",
        kind: "function",
        content: [{ type: "image", source }],
      },
    ]);
  });

  test("keeps thinking without text, redacted thinking, and tokens of other providers", () => {
    const foreign = { origin: "openai", value: "enc", itemId: "rs_1" } as const;
    const blocks = [
      { type: "thinking", thinking: "", signature: "sig" },
      { type: "redacted_thinking", data: "opaque" },
      { type: "thinking", thinking: "t", signature: wrapSignature(foreign) },
      { type: "thinking", thinking: "unsigned", signature: "" },
    ];
    expect(content(blocks, "assistant")).toEqual([
      { type: "reasoning", text: "", signature: { origin: "anthropic", value: "sig" } },
      {
        type: "reasoning",
        text: "",
        signature: { origin: "anthropic", value: "opaque", redacted: true },
      },
      { type: "reasoning", text: "t", signature: foreign },
      { type: "reasoning", text: "unsigned" },
    ]);
  });

  test("blocks and tools that only this protocol has pass through", () => {
    const block = { type: "mcp_tool_use", id: "x", anything: 1 };
    expect(content([block])).toEqual([
      { type: "native", protocol: "anthropic-messages", value: block },
    ]);
    const tools = [
      "web_search_20250305",
      "web_fetch_20250910",
      "code_execution_20260120",
      "bash_20250124",
    ];
    expect(parse({ tools: tools.map((type) => ({ type, name: "t" })) }).tools).toMatchObject(
      ["web-search", "web-fetch", "code-execution", "other"].map((kind) => ({
        type: "server",
        kind,
      })),
    );
  });

  test("a token count is the same request without a bound", () => {
    const body = { model: "m", messages: [{ role: "user", content: "hi" }] };
    expect(parseCountRequest({ body, headers: {} }).maxOutputTokens).toBeUndefined();
    expect(renderCountResponse(7)).toEqual({ input_tokens: 7 });
  });

  test.each([
    [{ messages: undefined }, "messages"],
    [{ messages: [] }, "messages"],
    [{ messages: "hi" }, "messages"],
    [{ model: 1 }, "model"],
    [{ messages: [{ role: "wizard", content: "x" }] }, "messages[0].role"],
    [{ messages: [{ role: "user", content: 5 }] }, "messages[0].content"],
    [{ messages: [{ role: "user", content: [{ text: "x" }] }] }, "messages[0].content[0].type"],
    [{ messages: [{ role: "user", content: [{ type: "text" }] }] }, "messages[0].content[0].text"],
    [
      { messages: [{ role: "user", content: [{ type: "image" }] }] },
      "messages[0].content[0].source",
    ],
    [{ max_tokens: "many" }, "max_tokens"],
    [{ tools: [{ name: 3 }] }, "tools[0].name"],
    [{ tool_choice: { type: "perhaps" } }, "tool_choice.type"],
    [{ thinking: { type: "hard" } }, "thinking.type"],
    [{ output_config: { effort: "heroic" } }, "output_config.effort"],
    [{ stop_sequences: [1] }, "stop_sequences[0]"],
    [{ system: [3] }, "system[0]"],
  ])("%j is refused and names its field", (body, field) => {
    const attempt = () => parse(body);
    expect(attempt).toThrow(GatewayError);
    expect(attempt).toThrow(
      expect.objectContaining({ failure: expect.objectContaining({ field }) }),
    );
  });
});
