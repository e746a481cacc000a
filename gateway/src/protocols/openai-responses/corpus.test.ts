import { expect, test } from "vitest";

import { describeCorpus, recordings, responseBytes } from "#test/corpus.ts";
import { everySplit, parseStream } from "#test/every-split.ts";
import { wellFormed } from "#test/well-formed.ts";
import type { Recording } from "#test/corpus.ts";
import type { ChatResponse } from "#canonical/chat-response.ts";
import { foldEvents } from "#canonical/fold-events.ts";
import type { ChatRequest } from "#canonical/chat-request.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import { asObject, asObjects, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { AnswerContext } from "#protocols/codec.ts";
import { openaiResponsesClient as client, openaiResponsesUpstream as upstream } from "./codec.ts";

const all = recordings().filter(({ endpoint }) => endpoint === "openai.responses");
const label = ({ provider, id }: Recording): string => `${provider} ${id}`;
const table = (list: readonly Recording[]): [string, Recording][] =>
  list.map((recording) => [label(recording), recording]);

const requests = all.filter(({ request }) => request.body !== undefined);
const answers = all.filter(({ response }) => response.status === 200 && isObject(response.body));
/** A stored response can be read as a stream too. */
const streams = recordings().filter(
  ({ endpoint, response }) =>
    /^openai\.responses(?:\.item)?$/.test(endpoint) && response.sse !== undefined,
);
const errors = all.filter(({ response }) => response.status >= 400);

const context = (request: ChatRequest, model: string): AnswerContext => ({
  request,
  requestId: "req_01TEST",
  model,
  created: 1_700_000_000,
  costUsd: () => 0.25,
  reportLoss: () => undefined,
});

const plainRequest: ChatRequest = {
  protocol: "openai-responses",
  model: "m",
  messages: [],
  stream: true,
  extra: { store: false },
};

/**
 * What crossing the vocabulary may change in a request: the one system text moves into `input`, ids
 * and states of items that are no part of the conversation go, single texts become strings, members
 * that are null or at their default go.
 */
function normalized(body: JsonObject): JsonObject {
  const { instructions, input, client_metadata: _, ...rest } = body;
  const items = typeof input === "string" ? [{ role: "user", content: input }] : asObjects(input);
  const system =
    typeof instructions === "string" ? [{ role: "system", content: instructions }] : [];
  return {
    ...withoutNulls(rest),
    input: [...system, ...items].map((item) => normalizedItem(asObject(item))),
    stream: rest["stream"] === true,
  };
}

function normalizedItem(item: JsonObject): JsonObject {
  const { status: _status, phase: _phase, id, ...rest } = item;
  const isSigned = typeof rest["encrypted_content"] === "string";
  // DeepSeek's reasoning has no token, only text; the recorded summary repeats it.
  const kept = rest["type"] === "reasoning" && (isSigned ? { id: id ?? null } : { summary: [] });
  const type = rest["type"] ?? "message";
  const content = asObjects(rest["content"]).map((part) => {
    const { annotations, ...other } = part;
    return Array.isArray(annotations) && annotations.length > 0 ? part : other;
  });
  const [first] = content;
  const isText = first?.["type"] === "input_text" || first?.["type"] === "output_text";
  const single = content.length === 1 && isText && Object.keys(first).length === 2;
  return withoutNulls({
    ...rest,
    ...kept,
    type,
    ...(Array.isArray(rest["content"]) && { content: single ? first["text"] : content }),
  });
}

function withoutNulls(value: JsonObject): JsonObject {
  return JSON.parse(
    JSON.stringify(value, (_key, member: unknown) => (member === null ? undefined : member)),
  ) as JsonObject;
}

describeCorpus("recorded Responses requests", () => {
  test("there are some of each kind", () => {
    expect(requests.length).toBeGreaterThan(40);
    expect(answers.length).toBeGreaterThan(20);
    expect(streams.length).toBeGreaterThan(12);
    expect(errors.length).toBeGreaterThanOrEqual(4);
  });

  test.each(table(requests))("%s is the same after parsing and rendering", (_name, recording) => {
    const body = recording.request.body ?? {};
    const losses: string[] = [];
    const parsed = client.parseRequest({ body, headers: {} });
    const rendered = upstream.renderRequest(parsed, {
      upstreamModel: String(body["model"]),
      dialect: { reasoningReplay: "reasoning_content" },
      reportLoss: (field, reason) => losses.push(`${field}: ${reason}`),
    });
    expect(losses).toEqual([]);
    expect(normalized(rendered.body)).toEqual(normalized(body));
  });
});

/** All output text of an answer, read without any of the code under test. */
const naiveText = (body: JsonObject): string =>
  asObjects(body["output"])
    .filter(({ type }) => type === "message")
    .flatMap(({ content }) => asObjects(content))
    .map(({ text }) => (typeof text === "string" ? text : ""))
    .join("");

const textOf = (response: ChatResponse): string =>
  (response.candidates[0]?.parts ?? [])
    .map((part) => (part.type === "text" ? part.text : ""))
    .join("");

function expectSensible(response: ChatResponse, body: JsonObject): void {
  const [candidate] = response.candidates;
  const types = new Set(asObjects(body["output"]).map(({ type }) => type));
  const wire = asObject(body["usage"]);
  expect(textOf(response)).toBe(naiveText(body));
  expect(response.usage?.inputTokens).toBe(wire["input_tokens"]);
  expect(response.usage?.outputTokens).toBe(wire["output_tokens"]);
  if (body["status"] === "incomplete") expect(candidate?.finishReason).toBe("length");
  else if (types.has("function_call")) expect(candidate?.finishReason).toBe("tool-calls");
  else if (types.has("message")) expect(candidate?.finishReason).toBe("stop");
}

const isFailure = (value: object): boolean => "code" in value;

describeCorpus("recorded Responses answers", () => {
  test.each(table(answers))("%s gives a sensible response", (_name, recording) => {
    const body = asObject(recording.response.body);
    const response = upstream.parseResponse(body, {}) as ChatResponse;
    expect(isFailure(response)).toBe(false);
    expectSensible(response, body);
  });

  test.each(table(answers))(
    "%s is the same after rendering it for a client",
    (_name, recording) => {
      const response = upstream.parseResponse(
        asObject(recording.response.body),
        {},
      ) as ChatResponse;
      const rendered = client.renderResponse(response, context(plainRequest, response.model));
      const again = upstream.parseResponse(rendered, {}) as ChatResponse;
      expect(again.candidates[0]?.parts).toEqual(response.candidates[0]?.parts);
      const unfinished = response.candidates[0]?.finishReason === "other";
      if (!unfinished) expect(again.candidates).toEqual(response.candidates);
    },
  );
});

/** The answer that the stream's last event closes, with the items as each one's own event says them. */
function lastResponse(recording: Recording): JsonObject {
  const data = (recording.response.sse ?? [])
    .flatMap((frame) => frame.split("\n"))
    .filter((line) => line.startsWith("data: {"))
    .map((line) => JSON.parse(line.slice(6)) as JsonObject);
  const done = data.filter(({ type }) => type === "response.output_item.done");
  const output = done
    .toSorted((a, b) => Number(a["output_index"]) - Number(b["output_index"]))
    .map(({ item }) => item);
  // ChatGPT's last event repeats no items.
  return { ...asObject(data.findLast(({ response }) => isObject(response))?.["response"]), output };
}

/** The events of the stream that a client would get. */
function renderedAgain(events: readonly StreamEvent[], model: string): StreamEvent[] {
  const renderer = client.createStreamRenderer(context(plainRequest, model));
  const text = events.map((event) => renderer.push(event)).join("") + renderer.end();
  expectContiguous(text);
  return parseStream([Buffer.from(text)], upstream.createStreamParser({}));
}

function expectContiguous(text: string): void {
  const frames = text.trimEnd().split("\n\n");
  const events = frames.map((frame) => {
    const [name, data] = frame.split("\n");
    return { name: name?.slice(7), data: JSON.parse(data?.slice(6) ?? "") as JsonObject };
  });
  expect(events.map(({ data }) => data["sequence_number"])).toEqual([...events.keys()]);
  expect(events.every(({ name, data }) => name === data["type"])).toBe(true);
}

describeCorpus("recorded Responses streams", () => {
  test.each(table(streams))("%s is the same however it is cut", (_name, recording) => {
    const parse = (chunks: readonly Buffer[]): StreamEvent[] =>
      parseStream(chunks, upstream.createStreamParser({}));
    const events = everySplit(responseBytes(recording), parse);
    wellFormed(events);
    const response = foldEvents(events);
    const body = lastResponse(recording);
    expectSensible(response, body);
    const whole = upstream.parseResponse(body, {}) as ChatResponse;
    expect(comparable(response)).toEqual(comparable(whole));
    const again = renderedAgain(events, response.model);
    wellFormed(again);
    expect(foldEvents(again).candidates).toEqual(response.candidates);
  });
});

/** A stream and its own last event differ in tokens: OpenAI encrypts anew each time it writes one. */
function comparable(response: ChatResponse): unknown {
  return JSON.parse(
    JSON.stringify(response.candidates, (key, value: unknown) =>
      key === "signature" ? "signed" : value,
    ),
  );
}

describeCorpus("recorded Responses errors", () => {
  const EXPECTED: Readonly<Record<string, string>> = {
    "deepseek 400": "upstream_invalid_request",
    "openai 400": "upstream_model_missing",
    "openai 401": "upstream_auth",
    "xai 400": "upstream_auth",
  };

  test.each(table(errors))("%s is classified", (_name, recording) => {
    const { status, headers } = recording.response;
    const text = responseBytes(recording).toString();
    const failure = upstream.parseError({ status, headers, text });
    expect(failure.code).toBe(EXPECTED[`${recording.provider} ${status}`]);
    expect(failure.upstreamStatus).toBe(status);
    expect(failure.message.length).toBeGreaterThan(5);
  });
});
