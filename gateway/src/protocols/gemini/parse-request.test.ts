import { describe, expect, test } from "vitest";

import { GatewayError } from "#canonical/failure.ts";
import { wrapSignature } from "#canonical/signature.ts";
import type { JsonObject } from "#lib/json.ts";
import { parseCountRequest, renderCountRequest, renderCountResponse } from "./count-tokens.ts";
import { parseRequest } from "./parse-request.ts";

const parse = (body: JsonObject) =>
  parseRequest({
    body: { contents: [{ parts: [{ text: "hi" }] }], ...body },
    headers: {},
    pathModel: "gemini-3-flash",
    pathVerb: "generateContent",
  });
const content = (parts: unknown, role = "user") =>
  parse({ contents: [{ role, parts }] }).messages[0]?.content;

describe("parseRequest", () => {
  const camel = {
    systemInstruction: { parts: [{ text: "rules" }] },
    contents: [{ role: "user", parts: [{ inlineData: { mimeType: "image/png", data: "AA" } }] }],
    tools: [
      {
        functionDeclarations: [
          { name: "f", description: "d", parametersJsonSchema: { type: "object" } },
        ],
      },
      { googleSearch: {} },
    ],
    toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["f"] } },
    generationConfig: {
      temperature: 0,
      topK: 3,
      seed: 7,
      maxOutputTokens: 10,
      candidateCount: 2,
      stopSequences: ["x"],
      responseMimeType: "application/json",
      responseJsonSchema: { type: "object" },
      responseModalities: ["TEXT"],
      responseLogprobs: true,
      logprobs: 2,
      thinkingConfig: { thinkingLevel: "LOW", includeThoughts: true },
      speechConfig: { a: 1 },
    },
    safetySettings: [{ category: "c" }],
    cachedContent: "cachedContents/1",
  };
  const expected = {
    protocol: "gemini",
    model: "gemini-3-flash",
    stream: false,
    messages: [
      { role: "system", content: [{ type: "text", text: "rules" }] },
      {
        role: "user",
        content: [
          { type: "image", source: { type: "base64", mediaType: "image/png", data: "AA" } },
        ],
      },
    ],
    tools: [
      { type: "function", name: "f", description: "d", parameters: { type: "object" } },
      { type: "server", kind: "web-search", protocol: "gemini", value: { googleSearch: {} } },
    ],
    toolChoice: { type: "tool", name: "f" },
    sampling: { temperature: 0, topK: 3, seed: 7 },
    maxOutputTokens: 10,
    candidateCount: 2,
    stopSequences: ["x"],
    outputFormat: { type: "json-schema", schema: { type: "object" } },
    outputModalities: ["text"],
    logprobs: { top: 2 },
    reasoning: { effort: "low", summary: "auto" },
    extra: {
      generationConfig: { speechConfig: { a: 1 } },
      safetySettings: [{ category: "c" }],
      cachedContent: "cachedContents/1",
    },
  };

  test("reads all members", () => {
    expect(parse(camel)).toEqual(expected);
  });

  test("reads the same in snake case", () => {
    const snake = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(snake);
      if (typeof value !== "object" || value === null) return value;
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [
          key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
          key === "speechConfig" ? item : snake(item),
        ]),
      );
    };
    expect(parse(snake(camel) as JsonObject)).toEqual(expected);
  });

  test("reads Google's own schemas as JSON Schema", () => {
    const parameters = {
      type: "OBJECT",
      properties: {
        type: { type: "STRING", nullable: true, format: "enum", enum: ["a"] },
        list: { type: "ARRAY", min_items: "1", items: { type: "INTEGER" } },
        either: { any_of: [{ type: "NUMBER" }, { type: "BOOLEAN" }] },
      },
      propertyOrdering: ["list"],
      required: ["list"],
    };
    const tools = parse({ tools: [{ function_declarations: [{ name: "f", parameters }] }] }).tools;
    expect(tools).toEqual([
      {
        type: "function",
        name: "f",
        parameters: {
          type: "object",
          properties: {
            type: { type: ["string", "null"], enum: ["a"] },
            list: { type: "array", minItems: 1, items: { type: "integer" } },
            either: { anyOf: [{ type: "number" }, { type: "boolean" }] },
          },
          required: ["list"],
        },
      },
    ]);
  });

  test("gives calls ids, and results those of the oldest open call of their name", () => {
    const call = (name: string) => ({ functionCall: { name, args: {} } });
    const result = (name: string) => ({ functionResponse: { name, response: { output: name } } });
    const { messages } = parse({
      contents: [
        { role: "user", parts: [{ text: "go" }] },
        {
          role: "model",
          parts: [call("a"), call("b"), call("a"), { functionCall: { id: "own", name: "c" } }],
        },
        {
          role: "function",
          parts: [
            result("b"),
            result("a"),
            result("a"),
            { functionResponse: { id: "own", name: "c", response: { error: "no" } } },
          ],
        },
      ],
    });
    const calls = messages[1]?.content.map((part) => (part.type === "tool-call" ? part.id : ""));
    const results = messages[2]?.content.map((part) =>
      part.type === "tool-result" ? part.toolCallId : "",
    );
    expect(new Set(calls).size).toBe(4);
    expect(results).toEqual([calls?.[1], calls?.[0], calls?.[2], "own"]);
    expect(messages[2]?.content[3]).toMatchObject({
      isError: true,
      content: [{ type: "text", text: "no" }],
    });
  });

  test("keeps signatures on thoughts, calls, texts and empty texts", () => {
    const foreign = { origin: "anthropic", value: "sig" } as const;
    const parts = [
      { text: "hm", thought: true, thoughtSignature: "a" },
      { text: "", thoughtSignature: "b" },
      {
        functionCall: { id: "1", name: "f", args: { x: 1 } },
        thoughtSignature: wrapSignature(foreign),
      },
      {
        functionCall: { id: "2", name: "f" },
        thought_signature: "skip_thought_signature_validator",
      },
    ];
    expect(content(parts, "model")).toEqual([
      { type: "reasoning", text: "hm", summary: true, signature: { origin: "gemini", value: "a" } },
      { type: "text", text: "", signature: { origin: "gemini", value: "b" } },
      {
        type: "tool-call",
        id: "1",
        name: "f",
        kind: "function",
        input: '{"x":1}',
        signature: foreign,
      },
      { type: "tool-call", id: "2", name: "f", kind: "function", input: "{}" },
    ]);
  });

  test("tells files of Google's own from addresses, and media by their types", () => {
    const parts = [
      {
        fileData: {
          fileUri: "https://generativelanguage.googleapis.com/v1beta/files/x",
          mimeType: "application/pdf",
        },
      },
      { fileData: { fileUri: "gs://b/f.mp3", mimeType: "audio/mpeg" } },
      { fileData: { fileUri: "https://www.youtube.com/watch?v=1" } },
      { executableCode: { code: "1" } },
    ];
    expect(content(parts)).toMatchObject([
      { type: "file", source: { type: "file-id" } },
      { type: "audio", source: { type: "file-id" } },
      { type: "video", source: { type: "url" } },
      { type: "native", protocol: "gemini" },
    ]);
  });

  test("reads loose contents", () => {
    const hi = [{ role: "user", content: [{ type: "text", text: "hi" }] }];
    expect(parse({ contents: "hi" }).messages).toEqual(hi);
    expect(parse({ contents: { parts: [{ text: "hi" }] } }).messages).toEqual(hi);
    expect(parse({ contents: [{ parts: "hi" }] }).messages).toEqual(hi);
  });

  test("a choice that the vocabulary cannot say stays whole beside what it can", () => {
    const toolConfig = { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["a", "b"] } };
    expect(parse({ toolConfig })).toMatchObject({
      toolChoice: { type: "required" },
      extra: { toolConfig },
    });
  });

  test.each([
    [{ thinkingBudget: 0 }, { enabled: false }],
    [{ thinkingBudget: -1 }, { enabled: true }],
    [
      { thinkingBudget: 99, includeThoughts: false },
      { enabled: true, budgetTokens: 99, summary: "none" },
    ],
  ])("thinking %j is %j", (thinkingConfig, reasoning) => {
    expect(parse({ generationConfig: { thinkingConfig } }).reasoning).toEqual(reasoning);
  });

  test.each([
    [{ contents: undefined }, "contents"],
    [{ contents: [] }, "contents"],
    [{ contents: [5] }, "contents[0]"],
    [{ contents: [{ role: "wizard", parts: [] }] }, "contents[0].role"],
    [{ contents: [{ parts: 5 }] }, "contents[0].parts"],
    [{ contents: [{ parts: [{ text: 5 }] }] }, "contents[0].parts[0].text"],
    [{ generationConfig: { temperature: "hot" } }, "generationConfig.temperature"],
    [{ tools: [{ functionDeclarations: [{}] }] }, "tools[0].functionDeclarations[0].name"],
    [
      { toolConfig: { functionCallingConfig: { mode: "SOME" } } },
      "toolConfig.functionCallingConfig.mode",
    ],
  ])("%j is refused and names its field", (body, field) => {
    const attempt = () => parse(body);
    expect(attempt).toThrow(GatewayError);
    expect(attempt).toThrow(
      expect.objectContaining({ failure: expect.objectContaining({ field }) }),
    );
  });
});

describe("countTokens", () => {
  test("reads contents alone and a whole request, and answers the total", () => {
    const contents = [{ parts: [{ text: "hi" }] }];
    const input = { headers: {}, pathModel: "m" };
    const plain = parseCountRequest({ ...input, body: { contents } });
    const wrapped = parseCountRequest({
      ...input,
      body: {
        generateContentRequest: {
          model: "models/m",
          contents,
          systemInstruction: { parts: [{ text: "s" }] },
        },
      },
    });
    expect(plain.messages).toHaveLength(1);
    expect(wrapped.messages).toHaveLength(2);
    expect(renderCountResponse(3)).toEqual({ totalTokens: 3 });
    const target = { upstreamModel: "g", dialect: {}, reportLoss: () => {} };
    expect(Object.keys(renderCountRequest(plain, target).body)).toEqual(["contents"]);
    expect(renderCountRequest(wrapped, target).body).toMatchObject({
      generateContentRequest: { model: "models/g" },
    });
  });
});
