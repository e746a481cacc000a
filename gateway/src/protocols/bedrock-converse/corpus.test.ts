import { describe, expect, test } from "vitest";

import { describeCorpus, recordings, responseBytes } from "#test/corpus.ts";
import type { Recording } from "#test/corpus.ts";
import { splitPositions } from "#test/every-split.ts";
import { wellFormed } from "#test/well-formed.ts";
import type { ChatResponse } from "#canonical/chat-response.ts";
import { foldEvents } from "#canonical/fold-events.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import { asObject, asObjects, asString, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import { bedrockConverseUpstream as upstream } from "./codec.ts";
import { AwsEventFramer } from "./frames.ts";

const all = recordings().filter(({ endpoint }) => endpoint.startsWith("bedrock.converse"));
const table = (list: readonly Recording[]): [string, Recording][] =>
  list.map((recording) => [`${recording.model} ${recording.id}`, recording]);

const answers = all.filter(({ response }) => response.status === 200 && isObject(response.body));
const streams = all.filter(({ response }) => response.eventstream_b64 !== undefined);
const errors = all.filter(({ response }) => response.status >= 400);

function eventsOf(chunks: readonly Uint8Array[]): StreamEvent[] {
  const framer = new AwsEventFramer();
  const parser = upstream.createStreamParser({});
  const frames = chunks.flatMap((chunk) => framer.push(chunk));
  return [...frames.flatMap((frame) => parser.push(frame)), ...parser.end()];
}

const textOf = (response: ChatResponse): string =>
  (response.candidates[0]?.parts ?? [])
    .map((part) => (part.type === "text" ? part.text : ""))
    .join("");

const cacheTokens = (usage: JsonObject): number =>
  Number(usage["cacheReadInputTokens"] ?? 0) + Number(usage["cacheWriteInputTokens"] ?? 0);

const REASONS: Readonly<Record<string, string>> = {
  end_turn: "stop",
  tool_use: "tool-calls",
  max_tokens: "length",
  guardrail_intervened: "content-filter",
};

describeCorpus("recorded Converse answers", () => {
  test("there are some of each kind", () => {
    expect(answers.length).toBeGreaterThan(9);
    expect(streams.length).toBeGreaterThan(8);
    expect(errors.length).toBeGreaterThan(3);
  });

  test.each(table(answers))("%s gives a sensible response", (_name, recording) => {
    const body = asObject(recording.response.body);
    const response = upstream.parseResponse(body, {}) as ChatResponse;
    const content = asObjects(asObject(asObject(body["output"])["message"])["content"]);
    const wire = asObject(body["usage"]);
    expect(textOf(response)).toBe(content.map(({ text }) => (text as string) ?? "").join(""));
    expect(response.candidates[0]?.finishReason).toBe(REASONS[String(body["stopReason"])]);
    expect(response.usage?.inputTokens).toBe(Number(wire["inputTokens"]) + cacheTokens(wire));
    const { inputTokens = 0, outputTokens = 0 } = response.usage ?? {};
    expect(inputTokens + outputTokens).toBe(wire["totalTokens"]);
  });

  test.each(table(errors))("%s is classified", (_name, recording) => {
    const { status, headers } = recording.response;
    const text = responseBytes(recording).toString();
    const failure = upstream.parseError({ status, headers, text });
    const expected = status === 403 ? "upstream_auth" : "upstream_model_missing";
    expect(failure).toMatchObject({ code: expected, upstreamStatus: status });
  });
});

/** What the recorder itself decoded. */
function decodedEvents(recording: Recording): [string, JsonObject][] {
  const { events = [] } = recording.response;
  return events.map((event) => [
    String(asObject(event["headers"])[":event-type"]),
    asObject(event["payload"]),
  ]);
}

describeCorpus("recorded Converse streams", () => {
  test.each(table(streams))("%s is the same however it is cut", (_name, recording) => {
    const bytes = responseBytes(recording);
    const events = eventsOf([bytes]);
    wellFormed(events);
    const expected = JSON.stringify(events);
    for (const at of splitPositions(bytes.length)) {
      const again = eventsOf([bytes.subarray(0, at), bytes.subarray(at)]);
      if (JSON.stringify(again) !== expected) throw new Error(`other result when cut at ${at}`);
    }
    const response = foldEvents(events);
    const decoded = decodedEvents(recording);
    const text = decoded
      .map(([, payload]) => asString(asObject(payload["delta"])["text"]) ?? "")
      .join("");
    const stop = decoded.find(([type]) => type === "messageStop")?.[1]["stopReason"];
    const usage = asObject(decoded.find(([type]) => type === "metadata")?.[1]["usage"]);
    expect(textOf(response)).toBe(text);
    expect(response.candidates[0]?.finishReason).toBe(REASONS[String(stop)]);
    expect(response.usage?.inputTokens).toBe(Number(usage["inputTokens"]) + cacheTokens(usage));
  });

  test("a changed byte is found by its checksum, an impossible length at once", () => {
    const [recording] = streams;
    const bytes = Buffer.from(responseBytes(recording!));
    bytes[60] = (bytes[60] ?? 0) ^ 1;
    expect(() => eventsOf([bytes])).toThrow(/checksum/i);
    expect(() => new AwsEventFramer().push(Buffer.from([255, 0, 0, 0]))).toThrow(RangeError);
  });
});

describe("AwsEventFramer", () => {
  test("waits for a message that has not come whole", () => {
    expect(new AwsEventFramer().push(Buffer.from([0, 0]))).toEqual([]);
  });
});
