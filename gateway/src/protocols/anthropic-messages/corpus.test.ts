import { expect, test } from "vitest";

import { foldEvents } from "#canonical/fold-events.ts";
import { asObject, asObjects, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { ChatResponse } from "#canonical/chat-response.ts";
import type { AnswerContext } from "#protocols/codec.ts";
import { describeCorpus, recordings, responseBytes } from "#test/corpus.ts";
import type { Recording } from "#test/corpus.ts";
import { everySplitSse, parseStream, sseEvents } from "#test/every-split.ts";
import { wellFormed } from "#test/well-formed.ts";
import {
  anthropicMessagesClient as client,
  anthropicMessagesUpstream as upstream,
} from "./codec.ts";
import { parseTokenCount } from "./parse-response.ts";

const mine = recordings().filter(
  ({ endpoint }) => endpoint === "anthropic.messages" || endpoint === "anthropic.messages(vertex)",
);
const counts = recordings().filter(
  ({ endpoint }) => endpoint === "anthropic.messages.count_tokens",
);
const named = (list: readonly Recording[]): [string, Recording][] =>
  list.map((recording) => [`${recording.id} ${recording.provider}`, recording]);

const withBody = [...mine, ...counts].filter(({ request }) => isObject(request.body));
const whole = mine.filter(({ response }) => response.status < 400 && isObject(response.body));
const streams = mine.filter(({ response }) => response.sse !== undefined);
const errors = [...mine, ...counts].filter(({ response }) => response.status >= 400);

/** As the renderer writes it: one plain text is a string, and members that say nothing are absent. */
function normalised(value: unknown, key = ""): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => normalised(item));
    const [only] = items;
    const isText = items.length === 1 && isObject(only) && only["type"] === "text";
    const plain = isText && Object.keys(only).length === 2;
    return plain && (key === "content" || key === "system") ? only["text"] : items;
  }
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([name, item]) => [name, normalised(item, name)]);
  return Object.fromEntries(entries) as unknown;
}

/** What the canonical form knows no word for; such requests travel as they are to this protocol. */
const FORGOTTEN_TOOL_MEMBERS = ["type", "defer_loading"];

function expectedBody(body: JsonObject): unknown {
  const expected = normalised(body) as JsonObject;
  if (expected["stream"] === false) delete expected["stream"];
  if (Array.isArray(expected["system"]) && expected["system"].length === 0)
    delete expected["system"];
  for (const tool of asObjects(expected["tools"])) {
    if (tool["type"] !== undefined && tool["type"] !== "custom") continue;
    for (const member of FORGOTTEN_TOOL_MEMBERS) delete tool[member];
  }
  for (const message of asObjects(expected["messages"])) {
    for (const block of asObjects(message["content"])) {
      if (block["type"] === "tool_use") delete block["caller"];
    }
  }
  return expected;
}

function rerender(body: JsonObject): unknown {
  const version = body["anthropic_version"];
  const model = typeof body["model"] === "string" ? body["model"] : "in-the-path";
  const request = client.parseRequest({ body: { model, ...body }, headers: {} });
  const { body: rendered } = upstream.renderRequest(request, {
    upstreamModel: model,
    dialect: typeof version === "string" ? { anthropicVersionInBody: version } : {},
    reportLoss: () => {},
  });
  if (body["max_tokens"] === undefined) delete rendered["max_tokens"];
  // Vertex tells by the URL's verb whether to stream; some clients say it in the body as well.
  if (typeof version === "string" && body["stream"] === true) rendered["stream"] = true;
  if (body["model"] === undefined) delete rendered["model"];
  return rendered;
}

const context = (recording: Recording): AnswerContext => ({
  request: { protocol: "anthropic-messages", model: "m", messages: [], stream: recording.stream },
  requestId: "req_1",
  model: recording.model ?? "m",
  created: 0,
  costUsd: () => 0.5,
  reportLoss: (field, reason) => expect.unreachable(`${field}: ${reason}`),
});

/** What a client shows of an answer, read without any of this code. */
const naiveText = (content: readonly JsonObject[]): string =>
  content.map((block) => (block["type"] === "text" ? String(block["text"]) : "")).join("");

const textOf = (response: ChatResponse): string =>
  (response.candidates[0]?.parts ?? [])
    .map((part) => (part.type === "text" ? part.text : ""))
    .join("");

describeCorpus("anthropic-messages over recorded traffic", () => {
  test("there are recordings of all kinds", () => {
    expect(mine.length).toBeGreaterThan(40);
    expect(streams.length).toBeGreaterThan(15);
    expect(errors.length).toBeGreaterThan(3);
  });

  test.each(named(withBody))("request %s comes back as it was", (_, { request }) => {
    const body = request.body ?? {};
    expect(rerender(body)).toEqual(expectedBody(body));
  });

  test.each(named(whole))("answer %s is read whole and written again", (_, recording) => {
    const body = asObject(recording.response.body);
    const parsed = upstream.parseResponse(body, {});
    if ("code" in parsed) throw new Error(parsed.message);
    expect(textOf(parsed)).toBe(naiveText(asObjects(body["content"])));
    expect(parsed.candidates[0]?.finishReason).not.toBe("error");
    const usage = asObject(body["usage"]);
    const cached = Number(usage["cache_read_input_tokens"] ?? 0);
    const written = Number(usage["cache_creation_input_tokens"] ?? 0);
    expect(parsed.usage?.inputTokens).toBe(Number(usage["input_tokens"]) + cached + written);
    const again = client.renderResponse(parsed, context(recording));
    expect(upstream.parseResponse(again, {})).toEqual({
      ...parsed,
      id: again["id"],
      model: again["model"],
      ...(parsed.usage && { usage: { ...parsed.usage, reportedCostUsd: 0.5 } }),
      serviceTier: undefined,
    });
    if (body["stop_reason"] !== null) expect(again["stop_reason"]).toBe(body["stop_reason"]);
  });

  test.each(named(streams))("stream %s is the same at every split", (_, recording) => {
    const bytes = responseBytes(recording);
    const events = everySplitSse(bytes, () => upstream.createStreamParser({}));
    wellFormed(events);
    expect(events.some(({ type }) => type === "error")).toBe(false);
    expect(textOf(foldEvents(events))).toBe(naiveStreamText(bytes));
  });

  test.each(named(streams))("stream %s can be written to a client", (_, recording) => {
    const events = parseStream([responseBytes(recording)], upstream.createStreamParser({}));
    const renderer = client.createStreamRenderer(context(recording));
    const written = events.map((event) => renderer.push(event)).join("") + renderer.end();
    const again = parseStream([Buffer.from(written)], upstream.createStreamParser({}));
    wellFormed(again);
    const [before, after] = [foldEvents(events), foldEvents(again)];
    expect(after.candidates[0]?.parts).toEqual(
      before.candidates[0]?.parts.filter((part) => part.type !== "text" || part.text !== ""),
    );
    expect(after.usage?.inputTokens).toBe(before.usage?.inputTokens ?? 0);
    expect(blockOrderFaults(written)).toEqual([]);
  });

  test.each(named(errors))("error %s is classified", (_, { response }) => {
    const failure = upstream.parseError({
      status: response.status,
      headers: response.headers,
      text: response.text ?? JSON.stringify(response.body),
    });
    const expected: Record<number, string> = {
      400: "upstream_invalid_request",
      401: "upstream_auth",
      404: "upstream_model_missing",
    };
    expect(failure.code).toBe(expected[response.status]);
    expect(failure.upstreamStatus).toBe(response.status);
  });

  test("token counts are read", () => {
    const bodies = counts.filter(({ response }) => response.status === 200);
    expect(bodies.length).toBeGreaterThan(0);
    for (const { response } of bodies) {
      const body = asObject(response.body);
      expect(parseTokenCount(body)).toBe(body["input_tokens"]);
    }
  });
});

function naiveStreamText(bytes: Buffer): string {
  return sseEvents([bytes])
    .filter(({ data }) => data !== "[DONE]")
    .map(({ data }) => asObject(JSON.parse(data)))
    .map((data) => asObject(data["delta"]))
    .map((delta) => (delta["type"] === "text_delta" ? String(delta["text"]) : ""))
    .join("");
}

/** Blocks must open and close one after another, with indexes that count up. */
function blockOrderFaults(written: string): string[] {
  const faults: string[] = [];
  let open: unknown;
  let next = 0;
  for (const { data, event } of sseEvents([Buffer.from(written)])) {
    const body = asObject(JSON.parse(data));
    const { type, index } = body;
    if (event !== type) faults.push(`event ${event} of type ${String(type)}`);
    if (type === "content_block_start") {
      if (open !== undefined || index !== next++) faults.push(`start of ${String(index)}`);
      open = index;
    } else if (type === "content_block_delta" && index !== open) {
      faults.push(`delta of ${String(index)} in ${String(open)}`);
    } else if (type === "content_block_stop") {
      if (index !== open) faults.push(`stop of ${String(index)}`);
      open = undefined;
    }
  }
  return faults;
}
