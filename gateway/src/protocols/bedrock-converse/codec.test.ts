import { crc32 } from "node:zlib";

import { describe, expect, test } from "vitest";

import type { ChatRequest } from "#canonical/chat-request.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import type { JsonObject } from "#lib/json.ts";
import { wellFormed } from "#test/well-formed.ts";
import { bedrockConverseUpstream as upstream } from "./codec.ts";
import { AwsEventFramer } from "./frames.ts";

const CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

function render(request: Partial<ChatRequest>, upstreamModel = CLAUDE) {
  const losses: string[] = [];
  const { body } = upstream.renderRequest(
    { protocol: "openai-chat", model: "m", messages: [], stream: false, ...request },
    { upstreamModel, dialect: {}, reportLoss: (field) => losses.push(field) },
  );
  return { body, losses };
}

const text = (value: string) => ({ type: "text", text: value }) as const;

const uint = (bytes: 2 | 4, value: number): Buffer => {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
};

/** One message as Bedrock frames it: lengths, their checksum, string headers, body, checksum. */
function framed(headers: Readonly<Record<string, string>>, body: string): Buffer {
  const head = Buffer.concat(
    Object.entries(headers).flatMap(([name, value]) => [
      Buffer.from([name.length]),
      Buffer.from(name),
      Buffer.from([7]),
      uint(2, value.length),
      Buffer.from(value),
    ]),
  );
  const total = 16 + head.length + Buffer.byteLength(body);
  const lengths = Buffer.concat([uint(4, total), uint(4, head.length)]);
  const rest = Buffer.concat([lengths, uint(4, crc32(lengths)), head, Buffer.from(body)]);
  return Buffer.concat([rest, uint(4, crc32(rest))]);
}

function streamed(
  ...messages: readonly (readonly [type: string, payload: JsonObject])[]
): StreamEvent[] {
  const framer = new AwsEventFramer();
  const parser = upstream.createStreamParser({});
  const events = messages.flatMap(([type, payload]) => {
    const isException = type.endsWith("Exception");
    const headers = {
      [isException ? ":exception-type" : ":event-type"]: type,
      ":message-type": isException ? "exception" : "event",
    };
    const bytes = framed(headers, JSON.stringify(payload));
    return framer.push(bytes).flatMap((event) => [...parser.push(event)]);
  });
  return [...events, ...parser.end()];
}

describe("renderRequest", () => {
  test("says what Converse has, and names what it has not", () => {
    const { body, losses } = render({
      messages: [
        { role: "system", content: [{ ...text("rules"), cache: { ttl: "1h" } }] },
        {
          role: "user",
          content: [
            text("look"),
            { type: "image", source: { type: "base64", mediaType: "image/jpeg", data: "AA" } },
            { type: "image", source: { type: "url", url: "https://x.test/a.png" } },
            {
              type: "file",
              filename: "Q3  report_v2 (final).pdf",
              source: { type: "base64", mediaType: "application/pdf", data: "BB" },
              citations: true,
            },
            { type: "file", source: { type: "base64", mediaType: "text/plain", data: "CC" } },
            { type: "file", source: { type: "base64", mediaType: "text/plain", data: "DD" } },
          ],
        },
        { role: "developer", content: [text("later rule")] },
      ],
      maxOutputTokens: 100,
      sampling: { temperature: 0.5, topK: 4, seed: 1 },
      stopSequences: ["END"],
      outputFormat: { type: "json-schema", name: "n", schema: { type: "object" } },
      serviceTier: "flex",
      extra: { guardrailConfig: { guardrailIdentifier: "g" }, logit: 1 },
    });
    expect(body).toMatchInlineSnapshot(`
      {
        "additionalModelRequestFields": {
          "top_k": 4,
        },
        "guardrailConfig": {
          "guardrailIdentifier": "g",
        },
        "inferenceConfig": {
          "maxTokens": 100,
          "stopSequences": [
            "END",
          ],
          "temperature": 0.5,
        },
        "messages": [
          {
            "content": [
              {
                "text": "look",
              },
              {
                "image": {
                  "format": "jpeg",
                  "source": {
                    "bytes": "AA",
                  },
                },
              },
              {
                "document": {
                  "citations": {
                    "enabled": true,
                  },
                  "format": "pdf",
                  "name": "Q3 report v2 (final)",
                  "source": {
                    "bytes": "BB",
                  },
                },
              },
              {
                "document": {
                  "format": "txt",
                  "name": "document",
                  "source": {
                    "bytes": "CC",
                  },
                },
              },
              {
                "document": {
                  "format": "txt",
                  "name": "document (2)",
                  "source": {
                    "bytes": "DD",
                  },
                },
              },
              {
                "text": "later rule",
              },
            ],
            "role": "user",
          },
        ],
        "outputConfig": {
          "textFormat": {
            "structure": {
              "jsonSchema": {
                "name": "n",
                "schema": "{"type":"object"}",
              },
            },
            "type": "json_schema",
          },
        },
        "serviceTier": {
          "type": "flex",
        },
        "system": [
          {
            "text": "rules",
          },
          {
            "cachePoint": {
              "ttl": "1h",
              "type": "default",
            },
          },
        ],
      }
    `);
    expect(losses.toSorted()).toEqual(["logit", "messages", "messages.content", "seed"]);
  });

  test("calls and results become alternating turns with ids that Bedrock takes", () => {
    const { body } = render({
      messages: [
        { role: "user", content: [text("go")] },
        {
          role: "assistant",
          content: [
            text(""),
            { type: "tool-call", id: "functions.f:0", name: "f", kind: "function", input: "" },
            { type: "tool-call", id: "a|b", name: "g", kind: "custom", input: "free" },
          ],
        },
        {
          role: "tool",
          content: [
            {
              type: "tool-result",
              toolCallId: "functions.f:0",
              kind: "function",
              content: [text("1")],
            },
          ],
        },
        {
          role: "tool",
          content: [
            { type: "tool-result", toolCallId: "a|b", kind: "custom", content: [], isError: true },
          ],
        },
        { role: "user", content: [text("on")] },
      ],
    });
    expect(body).toMatchObject({
      messages: [
        { role: "user" },
        {
          role: "assistant",
          content: [
            { toolUse: { toolUseId: "functions.f:0", name: "f", input: {} } },
            {
              toolUse: {
                toolUseId: expect.stringMatching(/^a_b_[0-9a-f]{12}$/),
                input: { input: "free" },
              },
            },
          ],
        },
        {
          role: "user",
          content: [
            { toolResult: { toolUseId: "functions.f:0", content: [{ text: "1" }] } },
            { toolResult: { toolUseId: expect.stringMatching(/^a_b_/), status: "error" } },
            { text: "on" },
          ],
        },
      ],
      // The calls' tools must be declared although the request declares none.
      toolConfig: { tools: [{ toolSpec: { name: "f" } }, { toolSpec: { name: "g" } }] },
    });
  });

  test("tokens go back to their own models only, redacted ones as bytes", () => {
    const messages = [
      {
        role: "assistant",
        content: [
          { type: "reasoning", text: "", signature: { origin: "anthropic", value: "EsIg" } },
          {
            type: "reasoning",
            text: "",
            signature: { origin: "anthropic", value: "Ered", redacted: true },
          },
          { type: "reasoning", text: "x", signature: { origin: "openai", value: "tok" } },
          { type: "reasoning", text: "bare" },
        ],
      },
    ] as const;
    const { body, losses } = render({ messages });
    expect(body["messages"]).toEqual([
      {
        role: "assistant",
        content: [
          { reasoningContent: { reasoningText: { text: "", signature: "EsIg" } } },
          { reasoningContent: { redactedContent: Buffer.from("Ered").toString("base64") } },
        ],
      },
    ]);
    expect(losses).toEqual(["messages.reasoning", "messages.reasoning"]);
    expect(render({ messages }, "us.amazon.nova-2-lite-v1:0").losses).toHaveLength(4);
  });

  test.each([
    [
      CLAUDE,
      { effort: "low" },
      { additionalModelRequestFields: { thinking: { type: "enabled", budget_tokens: 2048 } } },
    ],
    [
      CLAUDE,
      { budgetTokens: 3000 },
      { additionalModelRequestFields: { thinking: { type: "enabled", budget_tokens: 3000 } } },
    ],
    [
      CLAUDE,
      { enabled: false },
      { additionalModelRequestFields: { thinking: { type: "disabled" } } },
    ],
    [
      "us.anthropic.claude-opus-4-6-v1",
      { effort: "high" },
      {
        additionalModelRequestFields: { thinking: { type: "adaptive" } },
        outputConfig: { effort: "high" },
      },
    ],
    [
      "us.amazon.nova-2-lite-v1:0",
      { effort: "max" },
      {
        additionalModelRequestFields: {
          reasoningConfig: { type: "enabled", maxReasoningEffort: "high" },
        },
      },
    ],
    [
      "openai.gpt-oss-120b-1:0",
      { effort: "low" },
      { additionalModelRequestFields: { reasoning_effort: "low" } },
    ],
  ] as const)("%s thinks by %j", (model, reasoning, expected) => {
    expect(render({ reasoning }, model).body).toEqual({ messages: [], ...expected });
  });

  test("Claude does not think where a tool is forced, and takes no sampling while it thinks", () => {
    const tools = [{ type: "function", name: "f" }] as const;
    const forced = render({
      tools,
      toolChoice: { type: "required" },
      reasoning: { effort: "high" },
    });
    expect(forced.body["additionalModelRequestFields"]).toBeUndefined();
    expect(forced.losses).toEqual(["reasoning"]);
    const sampling = { temperature: 0.5, topP: 0.9, topK: 5 };
    const thinking = render({ reasoning: { budgetTokens: 2000 }, sampling });
    expect(thinking.body["inferenceConfig"]).toBeUndefined();
    expect(thinking.losses).toEqual(["temperature", "top_p", "top_k"]);
    expect(render({ sampling: { temperature: 1.5 } }).body["inferenceConfig"]).toEqual({
      temperature: 1,
    });
  });

  test("no tools are sent where none may be called", () => {
    const tools = [{ type: "function", name: "f" }] as const;
    expect(render({ tools, toolChoice: { type: "none" } }).body).toEqual({ messages: [] });
    expect(render({ tools, toolChoice: { type: "required" } }).body).toMatchObject({
      toolConfig: {
        tools: [{ toolSpec: { inputSchema: { json: { type: "object" } } } }],
        toolChoice: { any: {} },
      },
    });
  });
});

describe("createStreamParser", () => {
  test("a server tool of the provider arrives whole, a call of the client's piece by piece", () => {
    const events = streamed(
      ["messageStart", { role: "assistant" }],
      [
        "contentBlockStart",
        {
          contentBlockIndex: 0,
          start: { toolUse: { toolUseId: "s", name: "code", type: "server_tool_use" } },
        },
      ],
      ["contentBlockDelta", { contentBlockIndex: 0, delta: { toolUse: { input: '{"a":1}' } } }],
      ["contentBlockStop", { contentBlockIndex: 0 }],
      [
        "contentBlockStart",
        { contentBlockIndex: 1, start: { toolUse: { toolUseId: "t", name: "f" } } },
      ],
      ["contentBlockDelta", { contentBlockIndex: 1, delta: { toolUse: { input: '{"b"' } } }],
      ["contentBlockDelta", { contentBlockIndex: 1, delta: { toolUse: { input: ":2}" } } }],
      ["contentBlockStop", { contentBlockIndex: 1 }],
      ["messageStop", { stopReason: "tool_use" }],
      [
        "metadata",
        {
          usage: {
            inputTokens: 3,
            outputTokens: 2,
            cacheReadInputTokens: 10,
            cacheWriteInputTokens: 5,
            cacheDetails: [{ ttl: "1h", inputTokens: 4 }],
          },
        },
      ],
    );
    wellFormed(events);
    expect(events).toEqual([
      { type: "response-start" },
      {
        type: "part",
        index: 0,
        part: {
          type: "native",
          protocol: "bedrock-converse",
          value: {
            toolUse: { toolUseId: "s", name: "code", type: "server_tool_use", input: { a: 1 } },
          },
        },
      },
      { type: "tool-call-start", index: 1, id: "t", name: "f", kind: "function" },
      { type: "tool-call-delta", index: 1, text: '{"b"' },
      { type: "tool-call-delta", index: 1, text: ":2}" },
      { type: "tool-call-end", index: 1 },
      { type: "finish", reason: "tool-calls" },
      {
        type: "usage",
        usage: {
          inputTokens: 18,
          outputTokens: 2,
          cacheReadTokens: 10,
          cacheWrite5mTokens: 1,
          cacheWrite1hTokens: 4,
        },
      },
    ]);
  });

  test.each([
    ["throttlingException", { message: "Too many tokens, please wait" }, "upstream_rate_limited"],
    ["modelStreamErrorException", { message: "x", originalStatusCode: 500 }, "upstream_error"],
    ["internalServerException", { message: "x" }, "upstream_error"],
    ["serviceUnavailableException", { message: "x" }, "upstream_overloaded"],
    [
      "validationException",
      { message: "Input is too long for requested model." },
      "context_length_exceeded",
    ],
    ["validationException", { message: "bad field" }, "upstream_invalid_request"],
  ])("%s %j ends the stream as %s", (type, payload, code) => {
    const events = streamed(["contentBlockDelta", { delta: { text: "a" } }], [type, payload]);
    wellFormed(events);
    expect(events.at(-1)).toMatchObject({ type: "error", failure: { code } });
  });

  test("a signature and its text come as one block; a cut stream has no finish", () => {
    const events = streamed(
      ["contentBlockDelta", { contentBlockIndex: 0, delta: { reasoningContent: { text: "hm" } } }],
      [
        "contentBlockDelta",
        { contentBlockIndex: 0, delta: { reasoningContent: { signature: "Esig" } } },
      ],
    );
    expect(events).toEqual([
      { type: "reasoning-start", index: 0 },
      { type: "reasoning-delta", index: 0, text: "hm" },
      { type: "reasoning-end", index: 0, signature: { origin: "anthropic", value: "Esig" } },
    ]);
  });
});

describe("parseError", () => {
  test.each([
    [429, "ThrottlingException", "Too many requests", "upstream_rate_limited"],
    [403, "AccessDeniedException:http://internal", "no", "upstream_auth"],
    [
      400,
      "ValidationException:http://internal",
      "prompt is too long: 9 tokens",
      "context_length_exceeded",
    ],
    [
      400,
      "ValidationException",
      "The model returned an error: temperature is deprecated for this model",
      "unsupported_parameter",
    ],
    [424, "ModelErrorException", "x", "upstream_error"],
    [503, "ServiceUnavailableException", "x", "upstream_overloaded"],
  ])("%s %s", (...[status, kind, message, code]) => {
    const headers = { "x-amzn-errortype": kind };
    const failure = upstream.parseError({ status, headers, text: JSON.stringify({ message }) });
    expect(failure).toMatchObject({ code, upstreamCode: kind.split(":")[0] });
  });

  test("a 200 that is no answer is malformed", () => {
    expect(upstream.parseResponse({ completion: "x" }, {})).toMatchObject({
      code: "upstream_malformed",
    });
  });
});
