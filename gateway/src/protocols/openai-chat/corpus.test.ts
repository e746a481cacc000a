import { describe, expect, test } from "vitest";

import type { ChatResponse } from "#canonical/chat-response.ts";
import { foldEvents } from "#canonical/fold-events.ts";
import type { Part } from "#canonical/message.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import { asArray, asObject, asObjects, asString, isObject, parseObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { AnswerContext, Dialect } from "#protocols/codec.ts";
import { describeCorpus, recordings, responseBytes } from "#test/corpus.ts";
import type { Recording } from "#test/corpus.ts";
import { everySplit, parseStream, sseEvents } from "#test/every-split.ts";
import { wellFormed } from "#test/well-formed.ts";

import { openaiChatClient, openaiChatUpstream } from "./codec.ts";

const all = recordings().filter(({ endpoint }) => endpoint === "openai.chat");

/** What the recorded requests show of each provider's dialect. */
const DIALECTS: Readonly<Record<string, Dialect>> = {
  openai: { developerRole: true, maxTokensField: "max_completion_tokens", customTools: true },
  xai: { usageExcludesReasoning: true, reasoningReplay: "reasoning_content" },
  openrouter: {
    reasoningRequest: "reasoning",
    reasoningReplay: "reasoning_details",
    cacheControl: true,
    developerRole: true,
  },
  "vercel-gateway": { reasoningReplay: "reasoning_details", cacheControl: true },
  snowflake: { reasoningRequest: "reasoning" },
  deepseek: { reasoningRequest: "thinking", reasoningReplay: "reasoning_content" },
  xiaomi: { reasoningRequest: "thinking", reasoningReplay: "reasoning_content" },
  zai: { reasoningRequest: "thinking", reasoningReplay: "reasoning_content" },
  dashscope: { reasoningRequest: "enable_thinking", reasoningReplay: "reasoning_content" },
  llamacpp: { reasoningReplay: "reasoning_content" },
  mistral: { reasoningReplay: "thinking-parts" },
  groq: { reasoningReplay: "reasoning" },
  "ollama-cloud": { reasoningReplay: "reasoning" },
};

/** Provider, status and what it was taken for, of every recorded error. */
const FAILURES = [
  "azure 404 upstream_model_missing",
  "azure 404 upstream_model_missing",
  "azure 429 upstream_rate_limited",
  "cerebras 401 upstream_auth",
  "dashscope 400 upstream_invalid_request",
  "dashscope 401 upstream_auth",
  "deepseek 400 context_length_exceeded",
  "deepseek 401 upstream_auth",
  "groq 400 upstream_invalid_request",
  "groq 404 upstream_model_missing",
  "groq 404 upstream_model_missing",
  "mistral 400 upstream_model_missing",
  "mistral 401 upstream_auth",
  "mistral 500 upstream_error",
  "openai 400 upstream_invalid_request",
  "openai 400 upstream_invalid_request",
  "openai 401 upstream_auth",
  "openai 404 upstream_model_missing",
  "openrouter 401 upstream_auth",
  "openrouter 403 content_policy",
  "openrouter 429 upstream_rate_limited",
  "perplexity 401 upstream_auth",
  "together 404 upstream_model_missing",
  "xai 400 unsupported_parameter",
  "xiaomi 400 upstream_model_missing",
  "xiaomi 401 upstream_auth",
];

/** Requests that lose something, and what. */
const CHANGED: Readonly<Record<string, string>> = {
  "713499ea8936": "reasoning_effort, where the dialect only turns thinking on",
  "3e3e1e7d3e24": "messages[].prefix",
  a16025671940: "content[].prompt_cache_breakpoint",
  eb96dac3435e: "an image in a tool message goes into a user message",
  "17b22ece5357": "thinking.clear_thinking",
  "3f9215bec05c": "a missing tool_call_id is found",
  f3e7a7705875: "a missing tool_call_id is found",
};

const dialectOf = ({ provider }: Recording): Dialect => DIALECTS[provider] ?? {};
const bodyOf = ({ request }: Recording): JsonObject => asObject(request.body);
const named = (list: readonly Recording[]) =>
  list.map((recording) => [`${recording.provider} ${recording.id}`, recording] as const);

const parse = (body: JsonObject) => openaiChatClient.parseRequest({ body, headers: {} });

const contextOf = (recording: Recording): AnswerContext => ({
  request: {
    ...parse({ model: "m", messages: [{ role: "user", content: "" }], ...bodyOf(recording) }),
    includeUsage: true,
  },
  requestId: "r1",
  model: "m",
  created: 1,
  costUsd: ({ reportedCostUsd }) => reportedCostUsd ?? null,
  reportLoss: () => {},
});

const isResponse = (value: object): value is ChatResponse => "candidates" in value;

describeCorpus("recorded chat completions", () => {
  const requests = all.filter(
    ({ request }) => asArray(asObject(request.body)["messages"]).length > 0,
  );

  describe("requests", () => {
    test("there are many of them", () => expect(requests.length).toBeGreaterThan(150));

    test.each(named(requests))("%s keeps its meaning", (_name, recording) => {
      const body = bodyOf(recording);
      const { body: rendered } = openaiChatUpstream.renderRequest(parse({ model: "m", ...body }), {
        upstreamModel: asString(body["model"]) ?? "m",
        dialect: dialectOf(recording),
        reportLoss: () => {},
      });
      if (CHANGED[recording.id] === undefined) {
        expect(normalised(rendered)).toEqual(normalised(body));
      } else expect(normalised(rendered)).not.toEqual(normalised(body));
    });
  });

  describe("whole answers", () => {
    const answers = all.filter(
      ({ stream, response }) => !stream && response.status === 200 && isObject(response.body),
    );

    test.each(named(answers))("%s is read", (_name, recording) => {
      const body = asObject(recording.response.body);
      const parsed = openaiChatUpstream.parseResponse(body, dialectOf(recording));
      if (!isResponse(parsed)) throw new Error(`a failure: ${parsed.message}`);
      for (const [at, choice] of asObjects(body["choices"]).entries()) {
        expect(textOf(parsed.candidates[at]?.parts ?? [])).toBe(
          naiveText(asObject(choice["message"])),
        );
      }
      expect(parsed.candidates.map(({ finishReason }) => finishReason)).not.toContain("other");
      expect(nonNegative(parsed)).toBe(true);
      rendersBack(parsed, recording);
    });
  });

  describe("streams", () => {
    const streams = all.filter(({ stream, response }) => stream && response.status === 200);

    test("there are many of them", () => expect(streams.length).toBeGreaterThan(50));

    test.each(named(streams))("%s is read", (_name, recording) => {
      const bytes = responseBytes(recording);
      // The parser sees nothing but these: the same at every split, the same answer.
      everySplit(bytes, sseEvents);
      const parser = openaiChatUpstream.createStreamParser(dialectOf(recording));
      const events = parseStream([bytes], parser);
      wellFormed(events);
      const response = foldEvents(events);
      expect(textOf(response.candidates[0]?.parts ?? [])).toBe(naiveStreamText(bytes));
      expect(nonNegative(response)).toBe(true);
      if (events.some((event) => event.type === "error")) return;
      expect(events.filter((event) => event.type === "finish").length).toBeGreaterThan(0);
      rendersBack(response, recording);
      expect(throughClientStream(events, recording)).toEqual(comparable(response));
    });

    test("errors inside streams are failures", () => {
      const broken = streams.flatMap((recording) => {
        const parser = openaiChatUpstream.createStreamParser(dialectOf(recording));
        return parseStream([responseBytes(recording)], parser)
          .filter((event) => event.type === "error")
          .map(({ failure }) => [recording.provider, failure.code]);
      });
      expect(broken).toEqual([
        ["dashscope", "upstream_invalid_request"],
        ["openrouter", "upstream_error"],
      ]);
    });
  });

  test("errors are classified", () => {
    const failures = all
      .filter(({ response }) => response.status >= 400)
      .map((recording) => {
        const { status, headers } = recording.response;
        const text = responseBytes(recording).toString();
        const failure = openaiChatUpstream.parseError({ status, headers, text });
        expect(failure.message.length).toBeGreaterThan(0);
        return `${recording.provider} ${status} ${failure.code}`;
      });
    expect(failures.toSorted()).toEqual(FAILURES);
  });
});

/** One form for what may be written in several ways; what is dropped is named here. */
function normalised(body: JsonObject): JsonObject {
  const { max_completion_tokens: bound, ...rest } = body;
  const { stop, stream, tools } = body;
  const hasTools = asArray(tools).length > 0;
  const result: JsonObject = {
    ...rest,
    model: body["model"] ?? "m",
    messages: asObjects(body["messages"]).map(normalisedMessage),
    max_tokens: bound ?? rest["max_tokens"],
    stop: typeof stop === "string" ? [stop] : stop,
    stream: stream === true ? true : undefined,
    stream_options: undefined,
    reasoning: undefined,
    reasoning_effort: body["reasoning_effort"] ?? asObject(body["reasoning"])["effort"],
    reasoning_budget: asObject(body["reasoning"])["max_tokens"],
    tools: hasTools ? tools : undefined,
    // Neither means anything without tools.
    tool_choice: hasTools ? normalisedChoice(body["tool_choice"]) : undefined,
    parallel_tool_calls: hasTools ? body["parallel_tool_calls"] : undefined,
  };
  return Object.fromEntries(Object.entries(result).filter(([, value]) => (value ?? null) !== null));
}

function normalisedChoice(choice: unknown): unknown {
  if (choice === "any") return "required";
  const { type, name } = asObject(choice);
  return type === "tool" ? { type: "function", function: { name } } : choice;
}

function normalisedMessage(message: JsonObject): JsonObject {
  const { content, tool_calls: calls, role } = message;
  const result: JsonObject = {
    ...message,
    // Beside tool calls, empty text is no text.
    content:
      content === "" && calls ? undefined : normalisedContent(content, message["cache_control"]),
    tool_calls: Array.isArray(calls)
      ? asObjects(calls).map(({ index: _index, ...call }) => call)
      : undefined,
    cache_control: undefined,
    // Ollama's client sends both; the details say it again.
    reasoning: undefined,
    reasoning_content:
      message["reasoning_details"] === undefined
        ? message["reasoning_content"] || message["reasoning"] || undefined
        : undefined,
    // Ids tell results apart.
    name: role === "tool" ? undefined : message["name"],
  };
  return Object.fromEntries(Object.entries(result).filter(([, value]) => (value ?? null) !== null));
}

function normalisedContent(content: unknown, cache: unknown): unknown {
  if (cache !== undefined) return [{ type: "text", text: content, cache_control: cache }];
  const [first, ...others] = asObjects(content);
  const plain = first?.["type"] === "text" && first["cache_control"] === undefined;
  return plain && others.length === 0 ? first["text"] : content;
}

const textOf = (parts: readonly Part[]): string =>
  parts.map((part) => (part.type === "text" ? part.text : "")).join("");

function naiveText(message: JsonObject): string {
  const content = message["content"];
  if (typeof content === "string") return content;
  return asObjects(content)
    .map((piece) => asString(piece["text"]) ?? "")
    .join("");
}

const naiveStreamText = (bytes: Buffer): string =>
  sseEvents([bytes])
    .flatMap(({ data }) => asObjects(parseObject(data)?.["choices"]))
    .filter((choice) => (choice["index"] ?? 0) === 0)
    .map((choice) => naiveText(asObject(choice["delta"])))
    .join("");

const nonNegative = ({ usage }: ChatResponse): boolean =>
  Object.values(usage ?? {}).every((value) => typeof value !== "number" || value >= 0);

/** Streams with a thought after the text: a whole message has one place for thoughts. */
const INTERLEAVED: ReadonlySet<string> = new Set(["58e7b84f33b7"]);

/** What the client sees of it, read as an answer again. */
function rendersBack(response: ChatResponse, recording: Recording): void {
  if (INTERLEAVED.has(recording.id)) return;
  const rendered = openaiChatClient.renderResponse(response, contextOf(recording));
  const again = openaiChatUpstream.parseResponse(rendered, {});
  if (!isResponse(again)) throw new Error(again.message);
  expect(comparable(again)).toEqual(comparable(response));
}

function throughClientStream(events: readonly StreamEvent[], recording: Recording) {
  const renderer = openaiChatClient.createStreamRenderer(contextOf(recording));
  const wire = events.map((event) => renderer.push(event)).join("") + renderer.end();
  expect(wire.endsWith("data: [DONE]\n\n")).toBe(true);
  const parsed = parseStream([Buffer.from(wire)], openaiChatUpstream.createStreamParser({}));
  wellFormed(parsed);
  return comparable(foldEvents(parsed));
}

function comparable(response: ChatResponse): unknown {
  return {
    usage: response.usage,
    candidates: response.candidates.map(({ parts, finishReason }) => ({
      finishReason,
      text: textOf(parts),
      // Streamed audio has another format than whole audio, and no name for either.
      others: parts.filter(({ type }) => type !== "text" && type !== "audio"),
    })),
  };
}
