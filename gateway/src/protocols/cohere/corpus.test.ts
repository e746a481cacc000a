import { expect, test } from "vitest";

import { describeCorpus, recordings, responseBytes } from "#test/corpus.ts";
import type { Recording } from "#test/corpus.ts";
import { everySplit, parseStream } from "#test/every-split.ts";
import { wellFormed } from "#test/well-formed.ts";
import type { ChatResponse } from "#canonical/chat-response.ts";
import { foldEvents } from "#canonical/fold-events.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import { asObject, asObjects, asString, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import { cohereUpstream as upstream } from "./codec.ts";

const all = recordings().filter(({ endpoint }) => endpoint === "cohere.v2.chat");
const table = (list: readonly Recording[]): [string, Recording][] =>
  list.map((recording) => [`${recording.model} ${recording.id}`, recording]);

const answers = all.filter(({ response }) => response.status === 200 && isObject(response.body));
const streams = all.filter(({ response }) => response.sse !== undefined);
const errors = all.filter(({ response }) => response.status >= 400);

const textOf = (response: ChatResponse): string =>
  (response.candidates[0]?.parts ?? [])
    .map((part) => (part.type === "text" ? part.text : ""))
    .join("");

const REASONS: Readonly<Record<string, string>> = {
  COMPLETE: "stop",
  STOP_SEQUENCE: "stop-sequence",
  MAX_TOKENS: "length",
  TOOL_CALL: "tool-calls",
};

function expectEnd(response: ChatResponse, end: JsonObject): void {
  const tokens = asObject(asObject(end["usage"])["tokens"]);
  expect(response.candidates[0]?.finishReason).toBe(REASONS[String(end["finish_reason"])]);
  expect(response.usage?.inputTokens).toBe(tokens["input_tokens"]);
  expect(response.usage?.outputTokens).toBe(tokens["output_tokens"]);
}

describeCorpus("recorded Cohere chats", () => {
  test("there are some of each kind", () => {
    expect(answers.length).toBeGreaterThan(6);
    expect(streams.length).toBeGreaterThan(2);
    expect(errors.length).toBeGreaterThan(1);
  });

  test.each(table(answers))("%s gives a sensible response", (_name, recording) => {
    const body = asObject(recording.response.body);
    const message = asObject(body["message"]);
    const response = upstream.parseResponse(body, {}) as ChatResponse;
    const content = asObjects(message["content"]);
    const parts = response.candidates[0]?.parts ?? [];
    expect(textOf(response)).toBe(content.map(({ text }) => asString(text) ?? "").join(""));
    expect(parts.filter(({ type }) => type === "tool-call")).toHaveLength(
      asObjects(message["tool_calls"]).length,
    );
    const cited = parts.flatMap((part) => (part.type === "text" ? (part.citations ?? []) : []));
    expect(cited).toHaveLength(asObjects(message["citations"]).length);
    expectEnd(response, body);
  });

  test.each(table(streams))("%s is the same however it is cut", (_name, recording) => {
    const parse = (chunks: readonly Buffer[]): StreamEvent[] =>
      parseStream(chunks, upstream.createStreamParser({}));
    const events = everySplit(responseBytes(recording), parse);
    wellFormed(events);
    const response = foldEvents(events);
    const data = (recording.response.sse ?? [])
      .flatMap((frame) => frame.split("\n"))
      .filter((line) => line.startsWith("data: {"))
      .map((line) => JSON.parse(line.slice(6)) as JsonObject);
    const text = data
      .map(({ delta }) => asObject(asObject(asObject(delta)["message"])["content"])["text"])
      .map((piece) => asString(piece) ?? "")
      .join("");
    expect(textOf(response)).toBe(text);
    const end = data.find(({ type }) => type === "message-end");
    expectEnd(response, asObject(end?.["delta"]));
  });

  test.each(table(errors))("%s is classified", (_name, recording) => {
    const { status, headers } = recording.response;
    const text = responseBytes(recording).toString();
    const { code } = upstream.parseError({ status, headers, text });
    expect(code).toBe(status === 400 ? "context_length_exceeded" : "upstream_error");
  });
});
