import { expect, test } from "vitest";

import type { ChatResponse } from "#canonical/chat-response.ts";
import type { Part } from "#canonical/message.ts";
import { foldEvents } from "#canonical/fold-events.ts";
import { asObject, asObjects, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { AnswerContext } from "#protocols/codec.ts";
import { describeCorpus, recordings, responseBytes } from "#test/corpus.ts";
import type { Recording } from "#test/corpus.ts";
import { everySplitSse, parseStream, sseEvents } from "#test/every-split.ts";
import { wellFormed } from "#test/well-formed.ts";
import { NO_SIGNATURE } from "./parse-part.ts";
import { geminiClient as client, geminiUpstream as upstream } from "./codec.ts";
import { parseCountRequest } from "./count-tokens.ts";
import { parseTokenCount } from "./parse-response.ts";
import { jsonSchemaOf } from "./schema.ts";
import { camelKeys, camelObject } from "./wire-case.ts";

const ENDPOINTS = new Set(["gemini.generateContent", "gemini.streamGenerateContent"]);
const mine = recordings().filter(({ endpoint }) => ENDPOINTS.has(endpoint));
const counts = recordings().filter(({ endpoint }) => endpoint === "gemini.countTokens");
const named = (list: readonly Recording[]): [string, Recording][] =>
  list.map((recording) => [`${recording.id} ${recording.provider}`, recording]);

const withBody = mine.filter(({ request }) => isObject(request.body));
const whole = mine.filter(({ response }) => response.status < 400 && isObject(response.body));
const streams = mine.filter(
  ({ response }) => response.status < 400 && response.sse !== undefined && response.sse.length > 0,
);
const errors = [...mine, ...counts].filter(({ response }) => response.status >= 400);

/**
 * A request as the renderer writes it: camel case; schemas as JSON Schema; no members that say
 * nothing; the results of parallel calls in one content; functions before other tools.
 */
function expectedBody(body: JsonObject): JsonObject {
  const { model: _, ...camel } = camelKeys(body);
  const instruction = camelObject(camel["systemInstruction"]);
  const contents = Array.isArray(camel["contents"]) ? camel["contents"] : [camel["contents"]];
  return withoutNulls({
    ...camel,
    systemInstruction: withParts(asObjects(instruction["parts"]).map(expectedPart)),
    contents: expectedContents(asObjects(contents)),
    ...(camel["tools"] !== undefined && { tools: expectedTools(asObjects(camel["tools"])) }),
    ...(isObject(camel["generationConfig"]) && {
      generationConfig: expectedConfig(camelKeys(camel["generationConfig"])),
    }),
  });
}

const withParts = (parts: readonly JsonObject[]): JsonObject => (parts.length > 0 ? { parts } : {});

const hasResult = ({ parts }: { parts: readonly JsonObject[] }): boolean =>
  parts.some((part) => part["functionResponse"] !== undefined);

function expectedContents(contents: readonly JsonObject[]): JsonObject[] {
  const result: (JsonObject & { role: string; parts: JsonObject[] })[] = [];
  for (const content of contents) {
    const role = content["role"] === "model" ? "model" : "user";
    const next = { role, parts: asObjects(content["parts"]).map(expectedPart) };
    const last = result.at(-1);
    const results = last !== undefined && hasResult(last) && hasResult(next);
    if (last?.role === role && (results || role === "model")) last.parts.push(...next.parts);
    else result.push(next);
  }
  return result;
}

function expectedTools(tools: readonly JsonObject[]): JsonObject[] {
  const each = tools.map((tool) => withoutNulls(expectedTool(tool), "keep empty"));
  const rank = (tool: JsonObject): number => ("functionDeclarations" in tool ? 0 : 1);
  return each.toSorted((a, b) => rank(a) - rank(b));
}

function withoutNulls(object: JsonObject, empty?: "keep empty"): JsonObject {
  const says = (value: unknown): boolean =>
    value !== null && (!isObject(value) || Object.keys(value).length > 0 || empty !== undefined);
  const entries = Object.entries(object).filter(([, value]) => says(value));
  return Object.fromEntries(entries);
}

function expectedPart(wire: JsonObject): JsonObject {
  const part = Object.fromEntries(
    Object.entries(camelKeys(wire)).map(([key, value]) => [
      key,
      isObject(value) && key !== "functionCall" && key !== "functionResponse"
        ? camelKeys(value)
        : value,
    ]),
  );
  // Only a thought says so; on anything else the member says nothing.
  if (part["thought"] !== true || typeof part["text"] !== "string") delete part["thought"];
  const blob = asObject(part["inlineData"]);
  if (blob["displayName"] !== undefined) delete blob["displayName"];
  return part;
}

function expectedTool(wire: JsonObject): JsonObject {
  const tool = camelKeys(wire);
  if (!Array.isArray(tool["functionDeclarations"])) return tool;
  const functionDeclarations = asObjects(tool["functionDeclarations"]).map((wireFunction) => {
    const { parameters, ...rest } = camelKeys(wireFunction);
    return isObject(parameters)
      ? { ...rest, parametersJsonSchema: jsonSchemaOf(parameters) }
      : rest;
  });
  return { ...tool, functionDeclarations };
}

function expectedConfig(config: JsonObject): JsonObject {
  const { responseSchema, ...rest } = config;
  const thinking = camelObject(rest["thinkingConfig"]);
  return withoutNulls({
    ...rest,
    ...(isObject(responseSchema) && { responseJsonSchema: jsonSchemaOf(responseSchema) }),
    ...(Object.keys(thinking).length > 0 && { thinkingConfig: withoutNulls(thinking) }),
  });
}

/** Ids and the stand-in for a missing signature are the two things that are put in. */
function withoutAdded(body: JsonObject): JsonObject {
  for (const content of asObjects(body["contents"])) {
    for (const part of asObjects(content["parts"])) {
      if (part["thoughtSignature"] === NO_SIGNATURE) delete part["thoughtSignature"];
    }
  }
  return body;
}

const modelOf = ({ request }: Recording): string =>
  /models\/([^:]+):/.exec(request.url)?.[1] ?? "gemini";

function rerender(recording: Recording): JsonObject {
  const request = client.parseRequest({
    body: recording.request.body ?? {},
    headers: {},
    pathModel: modelOf(recording),
    pathVerb: recording.stream ? "streamGenerateContent" : "generateContent",
  });
  expect(request.stream).toBe(recording.stream);
  const { body } = upstream.renderRequest(request, {
    upstreamModel: modelOf(recording),
    dialect: {},
    reportLoss: () => {},
  });
  return withoutAdded(body);
}

const context = (recording: Recording): AnswerContext => ({
  request: { protocol: "gemini", model: "m", messages: [], stream: recording.stream },
  requestId: "r1",
  model: "shown",
  created: 0,
  costUsd: () => 0.5,
  reportLoss: (field, reason) => expect.unreachable(`${field}: ${reason}`),
});

const naiveText = (body: JsonObject): string =>
  asObjects(body["candidates"])
    .slice(0, 1)
    .flatMap((candidate) => asObjects(asObject(candidate["content"])["parts"]))
    .map((part) =>
      typeof part["text"] === "string" && part["thought"] !== true ? part["text"] : "",
    )
    .join("");

const textOf = ({ candidates }: ChatResponse): string =>
  (candidates[0]?.parts ?? []).map((part) => (part.type === "text" ? part.text : "")).join("");

const chunksOf = (bytes: Buffer): JsonObject[] =>
  sseEvents([bytes]).map(({ data }) => asObject(JSON.parse(data)));

function usageSum(body: JsonObject): number {
  const usage = asObject(body["usageMetadata"]);
  const names = [
    "promptTokenCount",
    "candidatesTokenCount",
    "thoughtsTokenCount",
    "toolUsePromptTokenCount",
  ];
  return names.reduce((sum, name) => sum + Number(usage[name] ?? 0), 0);
}

const total = ({ usage }: ChatResponse): number =>
  (usage?.inputTokens ?? 0) + (usage?.outputTokens ?? 0);

describeCorpus("gemini over recorded traffic", () => {
  test("there are recordings of all kinds", () => {
    expect(whole.length).toBeGreaterThan(20);
    expect(streams.length).toBeGreaterThan(15);
    expect(errors.length).toBeGreaterThan(6);
  });

  test.each(named(withBody))("request %s comes back as it was", (_, recording) => {
    expect(rerender(recording)).toEqual(expectedBody(recording.request.body ?? {}));
  });

  test.each(named(whole))("answer %s is read whole and written again", (_, recording) => {
    const body = asObject(recording.response.body);
    const parsed = upstream.parseResponse(body, {});
    if ("code" in parsed) {
      expect(body["candidates"]).toBeUndefined();
      expect(parsed.code).toBe("content_policy");
      return;
    }
    expect(textOf(parsed)).toBe(naiveText(body));
    expect(total(parsed)).toBe(usageSum(body));
    const again = upstream.parseResponse(client.renderResponse(parsed, context(recording)), {});
    if ("code" in again) throw new Error(again.message);
    expect(again.candidates.map(({ parts }) => parts)).toEqual(
      parsed.candidates.map(({ parts }) => parts),
    );
    expect(total(again)).toBe(total(parsed));
  });

  test.each(named(streams))("stream %s is the same at every split", (_, recording) => {
    const bytes = responseBytes(recording);
    const events = everySplitSse(bytes, () => upstream.createStreamParser({}));
    wellFormed(events);
    expect(events.filter(({ type }) => type === "error")).toEqual([]);
    const folded = foldEvents(events);
    const chunks = chunksOf(bytes);
    expect(textOf(folded)).toBe(chunks.map(naiveText).join(""));
    const last = chunks.findLast((chunk) => chunk["usageMetadata"] !== undefined);
    expect(total(folded)).toBe(usageSum(last ?? {}));
  });

  test.each(named(streams))("stream %s can be written to a client", (_, recording) => {
    const events = parseStream([responseBytes(recording)], upstream.createStreamParser({}));
    const renderer = client.createStreamRenderer(context(recording));
    const written = events.map((event) => renderer.push(event)).join("") + renderer.end();
    const again = parseStream([Buffer.from(written)], upstream.createStreamParser({}));
    wellFormed(again);
    const [before, after] = [foldEvents(events), foldEvents(again)];
    expect(after.candidates.map(({ parts }) => shown(parts))).toEqual(
      before.candidates.map(({ parts }) => shown(parts)),
    );
    expect(total(after)).toBe(total(before));
  });

  test.each(named(errors))("error %s is classified", (_, { response }) => {
    const { body, text, sse } = response;
    const failure = upstream.parseError({
      status: response.status,
      headers: response.headers,
      text: text ?? sse?.join("") ?? JSON.stringify(body),
    });
    const said = JSON.stringify(body ?? sse ?? text);
    expect(failure.code).toBe(expectedCode(response.status, said));
    expect(failure.message).not.toContain("DebugInfo");
  });

  test("token counts are read, and so are their requests", () => {
    const good = counts.filter(({ response }) => response.status === 200);
    expect(good.length).toBeGreaterThan(0);
    for (const recording of good) {
      const body = asObject(recording.response.body);
      expect(parseTokenCount(body)).toBe(body["totalTokens"]);
      const input = { body: recording.request.body ?? {}, headers: {}, pathModel: "m" };
      expect(parseCountRequest(input).messages.length).toBeGreaterThan(0);
    }
  });
});

function expectedCode(status: number, said: string): string {
  if (said.includes("API_KEY_INVALID")) return "upstream_auth";
  if (said.includes("exceeds the maximum number of tokens")) return "context_length_exceeded";
  const codes: Record<number, string> = {
    400: "upstream_invalid_request",
    403: "upstream_auth",
    404: "upstream_model_missing",
    429: "upstream_rate_limited",
  };
  return codes[status] ?? "?";
}

/**
 * Parts without what a stream writes at its end (sources), and with texts as one that a finish came
 * between.
 */
function shown(parts: readonly Part[]): Part[] {
  const result: Part[] = [];
  for (const part of parts) {
    const last = result.at(-1);
    if (part.type !== "text") result.push(part);
    else if (last?.type === "text" && last.signature === undefined) {
      result[result.length - 1] = { ...last, text: last.text + part.text };
    } else {
      const { citations: _, ...rest } = part;
      result.push(rest);
    }
  }
  return result;
}
