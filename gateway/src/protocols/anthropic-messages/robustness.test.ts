import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { GatewayError } from "#canonical/failure.ts";
import type { JsonObject } from "#lib/json.ts";
import { poisoned } from "#test/poison.ts";
import { streamFaults } from "#test/well-formed.ts";
import {
  anthropicMessagesClient as client,
  anthropicMessagesUpstream as upstream,
} from "./codec.ts";

const REQUEST: JsonObject = {
  model: "m",
  max_tokens: 5,
  system: [{ type: "text", text: "s", cache_control: { type: "ephemeral", ttl: "5m" } }],
  messages: [
    {
      role: "user",
      content: [
        { type: "image", source: { type: "base64", media_type: "image/png", data: "AA" } },
        { type: "document", source: { type: "content", content: [{ type: "text", text: "d" }] } },
      ],
    },
    {
      role: "assistant",
      content: [
        { type: "thinking", thinking: "t", signature: "s" },
        { type: "redacted_thinking", data: "d" },
        { type: "tool_use", id: "a", name: "f", input: { a: 1 } },
      ],
    },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "a", content: "x" }] },
  ],
  tools: [
    { name: "f", input_schema: { type: "object" } },
    { type: "web_search_20250305", name: "w" },
  ],
  tool_choice: { type: "auto" },
  thinking: { type: "enabled", budget_tokens: 1024 },
  output_config: { effort: "low", format: { type: "json_schema", schema: {} } },
  metadata: { user_id: "u" },
};

const ANSWER: JsonObject = {
  id: "msg_1",
  type: "message",
  model: "m",
  content: [
    { type: "thinking", thinking: "t", signature: "s" },
    { type: "text", text: "x", citations: [{ type: "char_location", cited_text: "c" }] },
    { type: "tool_use", id: "a", name: "f", input: {} },
    { type: "web_search_tool_result", tool_use_id: "w", content: [] },
  ],
  stop_reason: "end_turn",
  stop_sequence: null,
  usage: { input_tokens: 1, output_tokens: 2, cache_creation: { ephemeral_5m_input_tokens: 1 } },
};

const STREAM: JsonObject = {
  events: [
    { type: "message_start", message: { id: "i", model: "m", usage: { input_tokens: 1 } } },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "x" } },
    { type: "content_block_delta", index: 0, delta: { type: "citations_delta", citation: {} } },
    { type: "content_block_stop", index: 0 },
    { type: "content_block_start", index: 1, content_block: { type: "thinking", thinking: "" } },
    { type: "content_block_delta", index: 1, delta: { type: "signature_delta", signature: "s" } },
    {
      type: "content_block_start",
      index: 2,
      content_block: { type: "tool_use", id: "a", name: "f", input: {} },
    },
    {
      type: "content_block_delta",
      index: 2,
      delta: { type: "input_json_delta", partial_json: "{}" },
    },
    {
      type: "content_block_start",
      index: 3,
      content_block: { type: "server_tool_use", input: {} },
    },
    { type: "content_block_delta", index: 3, delta: { type: "other_delta", content: "x" } },
    { type: "content_block_stop", index: 3 },
    { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 3 } },
    { type: "message_stop" },
  ],
};

describe("wire data of a wrong kind", () => {
  test("in a request is read or refused, and what was read can be rendered", () => {
    fc.assert(
      fc.property(poisoned(REQUEST), (body) => {
        try {
          const request = client.parseRequest({ body, headers: {} });
          upstream.renderRequest(request, {
            upstreamModel: "claude-opus-4-8",
            dialect: {},
            reportLoss: () => {},
          });
        } catch (error) {
          expect(error).toBeInstanceOf(GatewayError);
        }
      }),
      { numRuns: 600 },
    );
  });

  test("in an answer never throws", () => {
    fc.assert(
      fc.property(poisoned(ANSWER), (body) => {
        const parsed = upstream.parseResponse(body, {});
        expect(parsed).toBeTypeOf("object");
        upstream.parseError({ status: 400, headers: {}, text: JSON.stringify({ error: body }) });
      }),
      { numRuns: 400 },
    );
  });

  test("in a stream never throws, and its events stay well-formed", () => {
    fc.assert(
      fc.property(poisoned(STREAM), ({ events }) => {
        const parser = upstream.createStreamParser({});
        const bodies = Array.isArray(events) ? events : [events];
        const parsed = bodies.flatMap((body) => parser.push({ data: JSON.stringify(body) }));
        const all = [...parsed, ...parser.end()];
        expect(streamFaults(all).filter((fault) => !fault.includes("response-start"))).toEqual([]);
      }),
      { numRuns: 600 },
    );
  });
});
