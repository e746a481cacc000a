import { describe, expect, test } from "vitest";

import { foldEvents } from "#canonical/fold-events.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import type { Dialect } from "#protocols/codec.ts";
import { wellFormed } from "#test/well-formed.ts";

import { createStreamParser } from "./parse-stream.ts";

const DONE = "[DONE]";

function parse(chunks: readonly (object | string)[], dialect: Dialect = {}): StreamEvent[] {
  const parser = createStreamParser(dialect);
  const events = chunks.flatMap((chunk) =>
    parser.push({ data: typeof chunk === "string" ? chunk : JSON.stringify(chunk) }),
  );
  const all = [...events, ...parser.end()];
  wellFormed(all);
  return all;
}

const chunk = (delta: object, beside: object = {}) => ({
  id: "c1",
  model: "m",
  created: 5,
  choices: [{ index: 0, delta, ...beside }],
});
const call = (fragment: object) => chunk({ tool_calls: [fragment] });
const partsOf = (events: readonly StreamEvent[]) => foldEvents(events).candidates[0]?.parts;
const named = (name: string, text: string | null) => ({ function: { name, arguments: text } });

describe("createStreamParser", () => {
  test("passes text on chunk by chunk and finishes at the end", () => {
    const events = parse([
      chunk({ role: "assistant", content: "" }),
      chunk({ content: "Hel" }),
      chunk({ content: "lo" }, { finish_reason: "stop" }),
      DONE,
    ]);
    expect(events).toEqual([
      { type: "response-start", id: "c1", model: "m", created: 5 },
      { type: "text-start", index: 0 },
      { type: "text-delta", text: "Hel", index: 0 },
      { type: "text-delta", text: "lo", index: 0 },
      { type: "text-end", index: 0 },
      { type: "finish", reason: "stop" },
    ]);
  });

  test("skips Azure's first chunk, which has filter results only", () => {
    const filter = { id: "", model: "", choices: [], prompt_filter_results: [{}] };
    const [first] = parse([filter, chunk({ content: "a" }), DONE]);
    expect(first).toEqual({ type: "response-start", id: "c1", model: "m", created: 5 });
  });

  test("a stream that is cut has no finish, and its blocks are closed", () => {
    const events = parse([chunk({ content: "a" })]);
    expect(events.at(-1)).toEqual({ type: "text-end", index: 0 });
  });

  test("a stream without [DONE] is complete once it has told its reason (Perplexity)", () => {
    const events = parse([chunk({ content: "a" }, { finish_reason: "length" })]);
    expect(events.at(-1)).toEqual({ type: "finish", reason: "length" });
  });

  test("a second finish chunk adds nothing (OpenRouter, Z.ai)", () => {
    const events = parse([
      call({ index: 0, id: "a", ...named("f", "{}") }),
      chunk({}, { finish_reason: "tool_calls" }),
      chunk({ content: "" }, { finish_reason: "stop" }),
      DONE,
    ]);
    expect(events.filter(({ type }) => type === "finish")).toEqual([
      { type: "finish", reason: "tool-calls" },
    ]);
  });

  test.each([
    ["tool_call", "tool-calls"],
    ["function_call", "tool-calls"],
    ["eos", "stop"],
    ["", "stop"],
    [null, "stop"],
    ["sensitive", "content-filter"],
    ["never_heard_of", "other"],
  ])("reads finish_reason %j as %s", (wire, reason) => {
    const events = parse([chunk({ content: "a" }, { finish_reason: wire }), DONE]);
    expect(events.at(-1)).toEqual({ type: "finish", reason });
  });

  test("takes MiniMax's last message for what it is: a repetition", () => {
    const last = { id: "c1", object: "chat.completion", choices: [{ message: { content: "ab" } }] };
    expect(partsOf(parse([chunk({ content: "ab" }), last, DONE]))).toEqual([
      { type: "text", text: "ab" },
    ]);
  });

  test("reads a whole message in place of a delta where nothing was streamed", () => {
    const only = { id: "c1", choices: [{ message: { content: "ab" }, finish_reason: "stop" }] };
    expect(partsOf(parse([only]))).toEqual([{ type: "text", text: "ab" }]);
  });

  test("Mistral's content lists hold thinking and text", () => {
    const thinking = { type: "thinking", thinking: [{ type: "text", text: "hm" }] };
    const events = parse([
      chunk({ content: [thinking] }),
      chunk({ content: [{ type: "text", text: "a" }] }),
      chunk({ content: "b" }),
      DONE,
    ]);
    expect(partsOf(events)).toEqual([
      { type: "reasoning", text: "hm" },
      { type: "text", text: "ab" },
    ]);
  });

  test("several answers are kept apart", () => {
    const second = { id: "c1", choices: [{ index: 1, delta: { content: "b" } }] };
    const { candidates } = foldEvents(parse([chunk({ content: "a" }), second, DONE]));
    expect(candidates.map(({ parts }) => parts)).toEqual([
      [{ type: "text", text: "a" }],
      [{ type: "text", text: "b" }],
    ]);
  });

  test("Perplexity's sources come once, with the text", () => {
    const sources = { search_results: [{ url: "https://a.example", title: "A" }] };
    const events = parse([
      { ...chunk({ content: "a" }), ...sources },
      { ...chunk({ content: "b" }), ...sources },
      DONE,
    ]);
    expect(partsOf(events)).toEqual([
      { type: "text", text: "ab", citations: [{ url: "https://a.example", title: "A" }] },
    ]);
  });
});

describe("reasoning", () => {
  test.each(["reasoning", "reasoning_content", "thinking"])("is read from %s", (field) => {
    const events = parse([chunk({ [field]: "hm", content: null }), chunk({ content: "a" }), DONE]);
    expect(partsOf(events)).toEqual([
      { type: "reasoning", text: "hm" },
      { type: "text", text: "a" },
    ]);
  });

  test("details and plain text say the same once, and the signature ends the block", () => {
    const detail = { type: "reasoning.text", format: "anthropic-claude-v1", index: 0 };
    const events = parse([
      chunk({ reasoning: "hm", reasoning_details: [{ ...detail, text: "hm" }] }),
      chunk({ reasoning_details: [{ ...detail, signature: "sig" }] }),
      chunk({ content: "a" }),
      DONE,
    ]);
    const signature = { origin: "anthropic", value: "sig" };
    expect(partsOf(events)).toEqual([
      { type: "reasoning", text: "hm", signature },
      { type: "text", text: "a" },
    ]);
  });

  test("Claude's redacted thinking is a block of its own", () => {
    const format = "anthropic-claude-v1";
    const events = parse([
      chunk({ reasoning_details: [{ type: "reasoning.text", text: "hm", format, index: 0 }] }),
      chunk({ reasoning_details: [{ type: "reasoning.encrypted", data: "x", format, index: 1 }] }),
      DONE,
    ]);
    expect(partsOf(events)).toEqual([
      { type: "reasoning", text: "hm" },
      {
        type: "reasoning",
        text: "",
        signature: { origin: "anthropic", value: "x", redacted: true },
      },
    ]);
  });

  test("a token with a tool call's id belongs to the call", () => {
    const token = { type: "reasoning.encrypted", data: "t", id: "a", format: "google-gemini-v1" };
    const events = parse([
      chunk({ reasoning: "hm" }),
      chunk({ reasoning_details: [token] }),
      call({ index: 0, id: "a", ...named("f", "{}") }),
      DONE,
    ]);
    expect(
      partsOf(events)?.map((part) => ("signature" in part ? part.signature?.value : "")),
    ).toEqual(["", "t"]);
  });
});

describe("tool calls", () => {
  const inputs = (events: readonly StreamEvent[]) =>
    partsOf(events)?.flatMap((part) =>
      part.type === "tool-call" ? [[part.id, part.name, part.input]] : [],
    );

  test("fragments are joined by index, whether or not the id is repeated (Baseten)", () => {
    const events = parse([
      call({ index: 0, id: "a", ...named("f", "") }),
      call({ index: 0, id: "a", function: { arguments: '{"x"' } }),
      call({ index: 0, function: { arguments: ":1}" } }),
      call({ index: 1, id: "b", ...named("g", null) }),
      chunk({ tool_calls: null }, { finish_reason: "tool_calls" }),
      DONE,
    ]);
    expect(inputs(events)).toEqual([
      ["a", "f", '{"x":1}'],
      ["b", "g", ""],
    ]);
  });

  test("another id takes the same index over (OpenRouter)", () => {
    const events = parse([
      call({ index: 0, id: "a", ...named("f", "{}") }),
      call({ index: 0, id: "b", ...named("f", "[]") }),
      DONE,
    ]);
    expect(inputs(events)).toEqual([
      ["a", "f", "{}"],
      ["b", "f", "[]"],
    ]);
  });

  test("whole calls without ids get ids of their own (Gemini)", () => {
    const events = parse([
      call({ index: 0, id: "", ...named("f", "{}") }),
      call({ index: 0, id: "", ...named("f", "{}") }),
      DONE,
    ]);
    expect(inputs(events)).toEqual([
      ["call_c1_0", "f", "{}"],
      ["call_c1_1", "f", "{}"],
    ]);
  });

  test("calls without an index are told apart by id (Mistral)", () => {
    const events = parse([
      chunk({
        tool_calls: [
          { id: "a", ...named("f", "1") },
          { id: "b", ...named("g", "2") },
        ],
      }),
      DONE,
    ]);
    expect(inputs(events)).toEqual([
      ["a", "f", "1"],
      ["b", "g", "2"],
    ]);
  });

  test("input that comes before the name waits for it", () => {
    const events = parse([
      call({ index: 0, id: "a", function: { arguments: "{" } }),
      call({ index: 0, ...named("f", "}") }),
      DONE,
    ]);
    expect(inputs(events)).toEqual([["a", "f", "{}"]]);
  });

  test("the older function_call is a tool call, an empty one is nothing", () => {
    const events = parse([
      chunk({ function_call: { name: "", arguments: "" } }),
      chunk({ function_call: { name: "f", arguments: "{" } }),
      chunk({ function_call: { arguments: "}" } }, { finish_reason: "function_call" }),
      DONE,
    ]);
    expect(inputs(events)).toEqual([["call_c1_0", "f", "{}"]]);
    expect(events.at(-1)).toEqual({ type: "finish", reason: "tool-calls" });
  });
});

describe("errors", () => {
  const failureOf = (events: readonly StreamEvent[]) => {
    const last = events.at(-1);
    return last?.type === "error" ? last.failure : undefined;
  };

  test("Groq's error event after HTTP 200 breaks the answer off without a finish", () => {
    const parser = createStreamParser({});
    const error = { message: "Failed to call a function", code: "tool_use_failed" };
    const events = [
      ...parser.push({ data: JSON.stringify(chunk({ content: "a" })) }),
      ...parser.push({ event: "error", data: JSON.stringify({ error }) }),
      ...parser.push({ data: DONE }),
      ...parser.end(),
    ];
    wellFormed(events);
    expect(events.map(({ type }) => type)).not.toContain("finish");
    expect(failureOf(events)).toMatchObject({
      code: "upstream_error",
      upstreamCode: "tool_use_failed",
    });
  });

  test("an error event with the members at the top is one too", () => {
    const parser = createStreamParser({});
    const events = parser.push({
      event: "error",
      data: '{"message":"busy","type":"overloaded_error"}',
    });
    expect(failureOf(events)).toMatchObject({ code: "upstream_overloaded", message: "busy" });
  });

  test("MiniMax's base_resp is an error when it is not zero", () => {
    const fine = { ...chunk({ content: "a" }), base_resp: { status_code: 0 } };
    expect(failureOf(parse([fine, DONE]))).toBeUndefined();
    const wrong = { base_resp: { status_code: 1008, status_msg: "insufficient balance" } };
    expect(failureOf(parse([wrong]))).toMatchObject({ code: "upstream_quota" });
  });

  test("an event that is not JSON is malformed", () => {
    expect(failureOf(parse([chunk({ content: "a" }), "{oops"]))?.code).toBe("upstream_malformed");
  });
});
