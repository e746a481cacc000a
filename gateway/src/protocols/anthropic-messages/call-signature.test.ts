import { describe, expect, test } from "vitest";

import type { Part } from "#canonical/message.ts";
import { unfoldResponse } from "#canonical/unfold-response.ts";
import { asObject, asObjects, type JsonObject } from "#lib/json.ts";
import { sseEvents } from "#test/every-split.ts";
import { parseRequest } from "./parse-request.ts";
import { renderResponse } from "./render-response.ts";
import { createStreamRenderer } from "./render-stream.ts";

const context = {
  request: { protocol: "anthropic-messages", model: "m", messages: [], stream: true },
  requestId: "r1",
  model: "gemini",
  created: 1,
  costUsd: () => null,
  reportLoss: () => {},
} as const;

const PARTS: readonly Part[] = [
  { type: "reasoning", text: "hm" },
  { type: "text", text: "I run it." },
  {
    type: "tool-call",
    id: "call_1",
    name: "Bash",
    kind: "function",
    input: '{"command":"ls"}',
    signature: { origin: "gemini", value: "token==" },
  },
  { type: "tool-call", id: "call_2", name: "Bash", kind: "function", input: "{}" },
];

const answer = {
  id: "x",
  model: "gemini",
  candidates: [{ parts: PARTS, finishReason: "tool-calls" }],
} as const;

/** The blocks as Anthropic's clients put a stream together. */
function collect(events: readonly JsonObject[]): JsonObject[] {
  const blocks: JsonObject[] = [];
  const json: string[] = [];
  for (const event of events) {
    const at = Number(event["index"]);
    const delta = asObject(event["delta"]);
    const block = blocks[at] ?? { ...asObject(event["content_block"]) };
    if (Number.isNaN(at)) continue;
    blocks[at] = block;
    if (delta["type"] === "thinking_delta") block["thinking"] = delta["thinking"];
    if (delta["type"] === "text_delta") block["text"] = delta["text"];
    if (delta["type"] === "signature_delta") block["signature"] = delta["signature"];
    if (delta["type"] === "input_json_delta") {
      json[at] = (json[at] ?? "") + String(delta["partial_json"]);
      block["input"] = JSON.parse(json[at] || "{}");
    }
  }
  return blocks;
}

const sentBack = (content: readonly JsonObject[]): readonly Part[] | undefined =>
  parseRequest({ body: { model: "m", messages: [{ role: "assistant", content }] }, headers: {} })
    .messages[0]?.content;

describe("the signature of a call", () => {
  test("comes back from a client that kept the whole answer", () => {
    const content = asObjects(renderResponse(answer, context)["content"]);
    expect(content.map(({ type }) => type)).toEqual([
      "thinking",
      "text",
      "thinking",
      "tool_use",
      "tool_use",
    ]);
    expect(sentBack(content)).toEqual(PARTS);
  });

  test("comes back from a client that collected the stream", () => {
    const renderer = createStreamRenderer(context);
    const text = unfoldResponse(answer)
      .map((event) => renderer.push(event))
      .join("");
    const events = sseEvents([Buffer.from(text)]).map(({ data }) => asObject(JSON.parse(data)));
    expect(sentBack(collect(events))).toEqual(PARTS);
  });
});
