import { OpenAI, OpenAIEmbedding } from "@llamaindex/openai";
import { tool, type ChatMessage, type ToolCall } from "llamaindex";
import { describe, expect, test } from "vitest";
import { z } from "zod";

import { asNumber, asObject, asObjects, asString, type JsonObject } from "#lib/json.ts";
import { json } from "#test/fake-upstream.ts";
import { STAINLESS, WEATHER, type SdkDriver, type Target, type Told } from "#test/sdk/driver.ts";
import { describeSdk, setUpBench } from "#test/sdk/suite.ts";
import { textOf } from "#test/sdk/wire/wire.ts";
import { UPSTREAMS } from "#test/sdk/upstreams.ts";

const llmOf = ({ url, key, model, retries }: Target): OpenAI =>
  new OpenAI({ model, apiKey: key, baseURL: `${url}/v1`, maxRetries: retries });

const CITY = z.object({ city: z.string(), population: z.number().int() });

const told = (text: string, raw: unknown): Told => {
  const usage = asObject(asObject(raw)["usage"]);
  const [choice] = asObjects(asObject(raw)["choices"]);
  return {
    text,
    finish: asString(choice?.["finish_reason"]),
    usage: {
      input: asNumber(usage["prompt_tokens"]),
      output: asNumber(usage["completion_tokens"]),
    },
    cost: usage["cost"],
  };
};

const driver: SdkDriver = {
  name: "llamaindex",
  finish: { stop: "stop", length: "length" },
  shows: { cost: true, headers: false },
  shortfalls: {
    textBeforeStreamedCalls: "`streamExec` looks for calls in the first chunk alone",
  },
  ...STAINLESS,
  chat: async (target, prompt) => {
    const messages: ChatMessage[] = [{ role: "user", content: prompt }];
    const { message, raw } = await llmOf(target).chat({ messages });
    return told(textOf(message.content), raw);
  },
  stream: async (target, prompt) => {
    const llm = llmOf(target);
    const stream = await llm.chat({
      messages: [{ role: "user", content: prompt }],
      stream: true,
      additionalChatOptions: { stream_options: { include_usage: true } },
    });
    let text = "";
    let deltas = 0;
    const raws: JsonObject[] = [];
    for await (const chunk of stream) {
      text += chunk.delta;
      if (chunk.delta !== "") deltas++;
      raws.push(asObject(chunk.raw));
    }
    const choices = raws.findLast(({ choices }) => asObjects(choices)[0]?.["finish_reason"]);
    const usage = raws.findLast((raw) => raw["usage"]);
    return { ...told(text, { ...choices, usage: usage?.["usage"] }), deltas };
  },
  tools: async (target, { prompt, run, streamed }) => {
    const weather = tool({
      name: WEATHER.name,
      description: WEATHER.description,
      parameters: z.object({ city: z.string() }),
      execute: (args) => run(WEATHER.name, args),
    });
    const messages: ChatMessage[] = [{ role: "user", content: prompt }];
    const llm = llmOf(target);
    for (;;) {
      const step = { messages, tools: [weather] };
      const calls: ToolCall[] = [];
      let said: string;
      if (streamed) {
        const result = await llm.streamExec({ ...step, stream: true });
        said = "";
        for await (const chunk of result.stream) said += chunk.delta;
        calls.push(...result.toolCalls);
        messages.push(...(result.newMessages() as ChatMessage[]));
      } else {
        const result = await llm.exec(step);
        said = textOf(result.newMessages.at(-1)?.content);
        calls.push(...result.toolCalls);
        messages.push(...(result.newMessages as ChatMessage[]));
      }
      if (calls.length === 0) return said;
    }
  },
  structured: async (target, prompt) => {
    const { message } = await llmOf(target).chat({
      messages: [{ role: "user", content: prompt }],
      responseFormat: CITY,
    });
    return JSON.parse(textOf(message.content)) as unknown;
  },
};

const bench = setUpBench();

describeSdk(bench, driver, [
  UPSTREAMS.openai,
  UPSTREAMS.chatOnly,
  UPSTREAMS.anthropic,
  UPSTREAMS.google,
  UPSTREAMS.bedrock,
]);

describe("llamaindex, embeddings", () => {
  test("the vectors of several texts in order", async () => {
    const vector = (...numbers: number[]): string =>
      Buffer.from(Float32Array.from(numbers).buffer).toString("base64");
    bench.gateway.upstream.answer(
      json({
        object: "list",
        data: [
          { object: "embedding", index: 0, embedding: vector(1, 0) },
          { object: "embedding", index: 1, embedding: vector(0, 0.5) },
        ],
        model: "text-embedding-3-small",
        usage: { prompt_tokens: 8, total_tokens: 8 },
      }),
    );
    const embedding = new OpenAIEmbedding({
      model: "openai/text-embedding-3-small",
      apiKey: bench.gateway.key,
      baseURL: `${bench.gateway.url}/v1`,
    });
    expect(await embedding.getTextEmbeddings(["Paris", "Rome"])).toEqual([
      [1, 0],
      [0, 0.5],
    ]);
  });
});
