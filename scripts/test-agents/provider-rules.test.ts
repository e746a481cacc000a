import { describe, expect, test } from "vitest";

import type { UpstreamProtocol } from "../../gateway/src/canonical/protocol-name.ts";
import type { JsonObject } from "../../gateway/src/lib/json.ts";
import { providerFaults } from "./provider-rules.ts";

const call = { id: "c1", type: "function", function: { name: "run", arguments: "{}" } };
const chat = (...messages: JsonObject[]): JsonObject => ({ model: "m", messages });
const functions = (...tools: JsonObject[]): JsonObject => ({
  ...chat({ role: "user", content: "x" }),
  tools: tools.map((tool) => ({ type: "function", function: tool })),
});
const object = { type: "object" };
const contents = (...all: JsonObject[][]): JsonObject => ({
  contents: all.map((parts, at) => ({ role: at % 2 === 0 ? "user" : "model", parts })),
});
const blocks = (...all: JsonObject[][]): JsonObject => ({
  max_tokens: 9,
  messages: all.map((content, at) => ({ role: at % 2 === 0 ? "user" : "assistant", content })),
});
const converse = (...all: JsonObject[][]): JsonObject => ({ messages: blocks(...all)["messages"] });
const run = { functionCall: { name: "run", args: {} }, thoughtSignature: "s" };

const REFUSED: readonly [fault: string, UpstreamProtocol, JsonObject][] = [
  ["unknown member cache", "openai-chat", { ...chat(), cache: {} }],
  ["role developer", "openai-chat", chat({ role: "developer", content: "x" })],
  ['tool name "a.b"', "openai-chat", functions({ name: "a.b", parameters: object })],
  [
    "two tools named a",
    "cohere",
    functions({ name: "a", parameters: object }, { name: "a", parameters: object }),
  ],
  ["the schema of a is not of an object", "openai-chat", functions({ name: "a" })],
  [
    "user before the result of c1",
    "openai-chat",
    chat({ role: "assistant", tool_calls: [call] }, { role: "user", content: "x" }),
  ],
  [
    "a result without its call before it: c1",
    "cohere",
    chat({ role: "tool", tool_call_id: "c1", content: "x" }),
  ],
  [
    "function_call with the id call_1",
    "openai-responses",
    { input: [{ type: "function_call", id: "call_1", call_id: "a" }] },
  ],
  ["no output of a", "openai-responses", { input: [{ type: "function_call", call_id: "a" }] }],
  [
    "an output without its call: a",
    "openai-responses",
    { input: [{ type: "function_call_output", call_id: "a" }] },
  ],
  ["no max_tokens", "anthropic-messages", { messages: [] }],
  ["a blank text", "anthropic-messages", blocks([{ type: "text", text: " " }])],
  [
    "a tool_result behind other blocks",
    "anthropic-messages",
    blocks([
      { type: "text", text: "x" },
      { type: "tool_result", tool_use_id: "a" },
    ]),
  ],
  [
    "no result right after a",
    "anthropic-messages",
    blocks([], [{ type: "tool_use", id: "a" }], [{ type: "text", text: "x" }]),
  ],
  ["unknown member model", "gemini", { model: "m" }],
  ["unknown member cache_control", "gemini", contents([{ text: "x", cache_control: {} }])],
  ["a content without parts", "gemini", contents([])],
  ["1 calls and 0 results", "gemini", contents([{ text: "x" }], [run])],
  ["an unsigned call", "gemini", contents([{ text: "x" }], [{ functionCall: run.functionCall }])],
  ["unknown member strict", "gemini", { tools: [{ functionDeclarations: [{ strict: true }] }] }],
  ["unknown member model", "bedrock-converse", { model: "m", ...converse([{ text: "x" }]) }],
  ["two user in a row", "bedrock-converse", { messages: [{ role: "user" }, { role: "user" }] }],
  ["begins with undefined", "bedrock-converse", { messages: [] }],
  [
    "calls without a toolConfig",
    "bedrock-converse",
    converse([{ text: "x" }], [{ toolUse: { toolUseId: "a" } }]),
  ],
  [
    "no result right after a",
    "bedrock-converse",
    converse([{ text: "x" }], [{ toolUse: { toolUseId: "a" } }]),
  ],
];

describe("providerFaults", () => {
  test.each(REFUSED)("%s: %s", (fault, protocol, body) => {
    expect(providerFaults(protocol, body)).toContain(fault);
  });

  test("has nothing against an ordinary round trip", () => {
    const answered = chat(
      { role: "user", content: "x" },
      { role: "assistant", tool_calls: [call] },
      { role: "tool", tool_call_id: "c1", content: "y" },
    );
    expect(providerFaults("openai-chat", answered)).toEqual([]);
    expect(providerFaults("cohere", answered)).toEqual([]);
    const result = { functionResponse: { name: "run", response: {} } };
    expect(providerFaults("gemini", contents([{ text: "x" }], [run], [result]))).toEqual([]);
  });
});
