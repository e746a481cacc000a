import { describe, expect, test } from "vitest";

import { foldEvents } from "#canonical/fold-events.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import { renderSse } from "#lib/sse.ts";
import type { JsonObject } from "#lib/json.ts";
import { sseEvents } from "#test/every-split.ts";
import { wellFormed } from "#test/well-formed.ts";
import { createStreamParser } from "./parse-stream.ts";
import { createStreamRenderer } from "./render-stream.ts";

const context = {
  request: { protocol: "anthropic-messages", model: "m", messages: [], stream: true },
  requestId: "r1",
  model: "shown",
  created: 1,
  costUsd: () => 0.25,
  reportLoss: () => {},
} as const;

function parse(...bodies: (JsonObject | string)[]): StreamEvent[] {
  const parser = createStreamParser();
  const data = bodies.map((body) => (typeof body === "string" ? body : JSON.stringify(body)));
  return [...data.flatMap((text) => parser.push({ data: text })), ...parser.end()];
}

function render(events: readonly StreamEvent[]): { types: string[]; bodies: JsonObject[] } {
  const renderer = createStreamRenderer(context);
  const text = events.map((event) => renderer.push(event)).join("") + renderer.end();
  const bodies = sseEvents([Buffer.from(text)]).map(({ data }) => JSON.parse(data) as JsonObject);
  return {
    types: bodies.map(({ type, index }) => [type, index].join(" ").trim()),
    bodies,
  };
}

const start = (index: number, block: JsonObject) => ({
  type: "content_block_start",
  index,
  content_block: block,
});
const delta = (index: number, value: JsonObject) => ({
  type: "content_block_delta",
  index,
  delta: value,
});
const stop = (index: number) => ({ type: "content_block_stop", index });

describe("createStreamParser", () => {
  test("reads thoughts, calls with and without arguments, and natives", () => {
    const events = parse(
      {
        type: "message_start",
        message: { id: "msg_1", model: "c", usage: { input_tokens: 3, output_tokens: 1 } },
      },
      start(0, { type: "thinking", thinking: "", signature: "" }),
      { type: "ping" },
      delta(0, { type: "signature_delta", signature: "sig" }),
      stop(0),
      start(1, { type: "redacted_thinking", data: "opaque" }),
      stop(1),
      start(2, { type: "tool_use", id: "t1", name: "none", input: {} }),
      delta(2, { type: "input_json_delta", partial_json: "" }),
      stop(2),
      start(3, { type: "tool_use", id: "t2", name: "whole", input: { a: 1 } }),
      stop(3),
      start(4, { type: "server_tool_use", id: "s1", name: "web_search", input: {} }),
      delta(4, { type: "input_json_delta", partial_json: '{"query":' }),
      delta(4, { type: "input_json_delta", partial_json: '"x"}' }),
      stop(4),
      start(5, { type: "compaction", content: null }),
      delta(5, { type: "compaction_delta", content: "short" }),
      stop(5),
      { type: "message_delta", delta: { stop_reason: "tool_use" }, usage: { output_tokens: 9 } },
      { type: "message_stop" },
    );
    wellFormed(events);
    const { candidates, usage, id } = foldEvents(events);
    expect(id).toBe("msg_1");
    expect(usage).toEqual({ inputTokens: 3, outputTokens: 9 });
    expect(candidates).toEqual([
      {
        finishReason: "tool-calls",
        parts: [
          { type: "reasoning", text: "", signature: { origin: "anthropic", value: "sig" } },
          {
            type: "reasoning",
            text: "",
            signature: { origin: "anthropic", value: "opaque", redacted: true },
          },
          { type: "tool-call", id: "t1", name: "none", kind: "function", input: "{}" },
          { type: "tool-call", id: "t2", name: "whole", kind: "function", input: '{"a":1}' },
          {
            type: "native",
            protocol: "anthropic-messages",
            value: { type: "server_tool_use", id: "s1", name: "web_search", input: { query: "x" } },
          },
          {
            type: "native",
            protocol: "anthropic-messages",
            value: { type: "compaction", content: "short" },
          },
        ],
      },
    ]);
  });

  test("a cut stream ends its blocks and does not finish", () => {
    const events = parse(
      start(0, { type: "text", text: "" }),
      delta(0, { type: "text_delta", text: "ha" }),
    );
    wellFormed(events);
    expect(events.map(({ type }) => type)).toEqual(["text-start", "text-delta", "text-end"]);
  });

  test.each([
    [
      { type: "error", error: { type: "overloaded_error", message: "Overloaded" } },
      "upstream_overloaded",
    ],
    [
      { type: "error", error: { type: "rate_limit_error", message: "slow down" } },
      "upstream_rate_limited",
    ],
    [
      { type: "error", error: { type: "api_error", message: "Internal server error" } },
      "upstream_error",
    ],
    [{ error: { code: "1302", message: "rate limit" } }, "upstream_error"],
    ["{broken", "upstream_malformed"],
  ])("%j is an error inside the stream", (body, code) => {
    expect(parse(body)).toMatchObject([{ type: "error", failure: { code } }]);
  });
});

describe("createStreamRenderer", () => {
  const call = (index: number, id: string): StreamEvent =>
    ({ type: "tool-call-start", index, id, name: id, kind: "function" }) as const;

  test("writes overlapping blocks one after another", () => {
    const { types, bodies } = render([
      { type: "response-start", id: "x" },
      { type: "text-start", index: 0 },
      { type: "text-delta", index: 0, text: "let me" },
      call(1, "a"),
      call(2, "b"),
      { type: "tool-call-delta", index: 2, text: "{}" },
      { type: "tool-call-delta", index: 1, text: '{"q":1}' },
      { type: "text-delta", index: 0, text: " look" },
      { type: "tool-call-end", index: 1 },
      { type: "tool-call-end", index: 2 },
      { type: "text-end", index: 0 },
      { type: "finish", reason: "tool-calls" },
      { type: "usage", usage: { inputTokens: 10, outputTokens: 4, cacheReadTokens: 6 } },
    ]);
    expect(types).toEqual([
      "message_start",
      "content_block_start 0",
      "content_block_delta 0",
      "content_block_stop 0",
      "content_block_start 1",
      "content_block_delta 1",
      "content_block_delta 1",
      "content_block_stop 1",
      "content_block_start 2",
      "content_block_delta 2",
      "content_block_delta 2",
      "content_block_stop 2",
      "content_block_start 3",
      "content_block_delta 3",
      "content_block_stop 3",
      "message_delta",
      "message_stop",
    ]);
    expect(bodies[0]).toMatchObject({
      message: { id: "msg_r1", model: "shown", content: [], stop_reason: null },
    });
    expect(bodies.at(-2)).toMatchObject({
      delta: { stop_reason: "tool_use", stop_sequence: null },
      usage: { input_tokens: 4, cache_read_input_tokens: 6, output_tokens: 4, cost: 0.25 },
    });
  });

  test("a foreign signature is wrapped, and comes back as it was", () => {
    const signature = { origin: "openai", value: "enc", itemId: "rs_1" } as const;
    const { bodies } = render([
      { type: "reasoning-start", index: 0 },
      { type: "reasoning-delta", index: 0, text: "hm" },
      { type: "reasoning-end", index: 0, signature },
      { type: "finish", reason: "stop" },
    ]);
    const token = bodies
      .map((body) => body["delta"] as JsonObject | undefined)
      .find((value) => value?.["type"] === "signature_delta");
    expect(String(token?.["signature"])).toMatch(/^turnpikeSig1/);
  });

  test("closes what was left open, and a failure ends without a success terminator", () => {
    expect(
      render([
        { type: "text-start", index: 0 },
        { type: "text-delta", index: 0, text: "x" },
      ]).types.slice(-3),
    ).toEqual(["content_block_stop 0", "message_delta", "message_stop"]);
    const failed = createStreamRenderer(context).fail({
      code: "upstream_overloaded",
      message: "busy",
    });
    expect(failed).toBe(
      renderSse(
        JSON.stringify({
          type: "error",
          error: { type: "overloaded_error", message: "busy", code: "upstream_overloaded" },
          request_id: "r1",
        }),
        "error",
      ),
    );
  });
});
