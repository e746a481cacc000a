import OpenAI from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import type { ChatCompletionMessageParam } from "openai/resources/chat/completions";
import type {
  Response as ModelResponse,
  ResponseInput,
  ResponseOutputItem,
} from "openai/resources/responses/responses";
import { describe, expect, test } from "vitest";
import { z } from "zod";

import { asObject, type JsonObject } from "#lib/json.ts";
import { json } from "#test/fake-upstream.ts";
import { STAINLESS, WEATHER, type SdkDriver, type Target, type Told } from "#test/sdk/driver.ts";
import { describeSdk, setUpBench } from "#test/sdk/suite.ts";
import { speak, UPSTREAMS } from "#test/sdk/upstreams.ts";

const clientOf = ({ url, key, retries }: Target): OpenAI =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: retries });

const CITY = z.object({ city: z.string(), population: z.number().int() });

const argsOf = (text: string): JsonObject => JSON.parse(text) as JsonObject;

const CHAT_TOOLS = [{ type: "function" as const, function: WEATHER }];

const chatUsage = (
  usage: OpenAI.CompletionUsage | null | undefined,
): Pick<Told, "usage" | "cost"> => ({
  usage: { input: usage?.prompt_tokens, output: usage?.completion_tokens },
  cost: asObject(usage)["cost"],
});

const chatDriver: SdkDriver = {
  name: "openai, chat completions",
  finish: { stop: "stop", length: "length" },
  shows: { cost: true, headers: true },
  ...STAINLESS,
  chat: async (target, prompt) => {
    const { data, response } = await clientOf(target)
      .chat.completions.create({
        model: target.model,
        messages: [{ role: "user", content: prompt }],
      })
      .withResponse();
    const choice = data.choices[0];
    return {
      text: choice?.message.content ?? "",
      finish: choice?.finish_reason,
      ...chatUsage(data.usage),
      header: (name) => response.headers.get(name),
    };
  },
  stream: async (target, prompt) => {
    const { data, response } = await clientOf(target)
      .chat.completions.create({
        model: target.model,
        messages: [{ role: "user", content: prompt }],
        stream: true,
        stream_options: { include_usage: true },
      })
      .withResponse();
    const texts: string[] = [];
    let finish: string | undefined;
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of data) {
      const choice = chunk.choices[0];
      if (choice?.delta.content) texts.push(choice.delta.content);
      finish = choice?.finish_reason ?? finish;
      usage = chunk.usage ?? usage;
    }
    return {
      text: texts.join(""),
      deltas: texts.length,
      finish,
      ...chatUsage(usage),
      header: (name) => response.headers.get(name),
    };
  },
  tools: async (target, { prompt, run, streamed }) => {
    const client = clientOf(target);
    const messages: ChatCompletionMessageParam[] = [{ role: "user", content: prompt }];
    for (;;) {
      const request = { model: target.model, messages, tools: CHAT_TOOLS };
      const completion = streamed
        ? await client.chat.completions.stream(request).finalChatCompletion()
        : await client.chat.completions.create(request);
      const message = completion.choices[0]!.message;
      messages.push(message);
      if (message.tool_calls === undefined || message.tool_calls.length === 0) {
        return message.content ?? "";
      }
      expect(completion.choices[0]!.finish_reason).toBe("tool_calls");
      for (const call of message.tool_calls) {
        if (call.type !== "function") throw new Error(`a call of type ${call.type}`);
        const content = run(call.function.name, argsOf(call.function.arguments));
        messages.push({ role: "tool", tool_call_id: call.id, content });
      }
    }
  },
  structured: async (target, prompt) => {
    const completion = await clientOf(target).chat.completions.parse({
      model: target.model,
      messages: [{ role: "user", content: prompt }],
      response_format: zodResponseFormat(CITY, "city"),
    });
    return completion.choices[0]?.message.parsed;
  },
};

const RESPONSE_TOOLS = [{ type: "function" as const, strict: true, ...WEATHER }];

const responseTold = (response: ModelResponse): Told => ({
  text: response.output_text,
  finish: response.incomplete_details?.reason ?? response.status,
  usage: { input: response.usage?.input_tokens, output: response.usage?.output_tokens },
  cost: asObject(response.usage)["cost"],
});

const responsesDriver: SdkDriver = {
  name: "openai, responses",
  finish: { stop: "completed", length: "max_output_tokens" },
  shows: { cost: true, headers: true },
  ...STAINLESS,
  chat: async (target, prompt) => {
    const { data, response } = await clientOf(target)
      .responses.create({ model: target.model, input: prompt })
      .withResponse();
    return { ...responseTold(data), header: (name) => response.headers.get(name) };
  },
  stream: async (target, prompt) => {
    const { data, response } = await clientOf(target)
      .responses.create({ model: target.model, input: prompt, stream: true })
      .withResponse();
    let text = "";
    let deltas = 0;
    let end: ModelResponse | undefined;
    for await (const event of data) {
      if (event.type === "response.output_text.delta") {
        text += event.delta;
        deltas++;
      }
      if (event.type === "response.completed" || event.type === "response.incomplete") {
        end = event.response;
      }
    }
    return {
      ...responseTold(end!),
      text,
      deltas,
      header: (name) => response.headers.get(name),
    };
  },
  tools: async (target, { prompt, run, streamed }) => {
    const client = clientOf(target);
    const input: ResponseInput = [{ role: "user", content: prompt }];
    for (;;) {
      const request = { model: target.model, input, tools: RESPONSE_TOOLS, store: false };
      const response = streamed
        ? await client.responses.stream(request).finalResponse()
        : await client.responses.create(request);
      input.push(...(response.output as ResponseInput));
      const calls = (response.output as ResponseOutputItem[]).flatMap((item) =>
        item.type === "function_call" ? [item] : [],
      );
      if (calls.length === 0) return response.output_text;
      for (const { name, arguments: args, call_id } of calls) {
        input.push({ type: "function_call_output", call_id, output: run(name, argsOf(args)) });
      }
    }
  },
  structured: async (target, prompt) => {
    const response = await clientOf(target).responses.parse({
      model: target.model,
      input: prompt,
      text: { format: zodTextFormat(CITY, "city") },
    });
    return response.output_parsed;
  },
};

const bench = setUpBench();

describeSdk(bench, chatDriver, [
  UPSTREAMS.openai,
  UPSTREAMS.chatOnly,
  UPSTREAMS.responses,
  UPSTREAMS.anthropic,
  UPSTREAMS.google,
  UPSTREAMS.bedrock,
  UPSTREAMS.cohere,
]);
describeSdk(bench, responsesDriver, [
  UPSTREAMS.responses,
  UPSTREAMS.chatOnly,
  UPSTREAMS.anthropic,
  UPSTREAMS.google,
  UPSTREAMS.bedrock,
  UPSTREAMS.cohere,
]);

describe("openai, other operations", () => {
  const client = (): OpenAI => clientOf(bench.target(UPSTREAMS.openai));

  test("embeddings: the SDK asks for base64 and gives numbers", async () => {
    const vector = [0.25, -0.5, 1];
    const base64 = Buffer.from(Float32Array.from(vector).buffer).toString("base64");
    bench.gateway.upstream.answer((request, response) => {
      expect(request.body["encoding_format"]).toBe("base64");
      return json({
        object: "list",
        data: [{ object: "embedding", index: 0, embedding: base64 }],
        model: "text-embedding-3-small",
        usage: { prompt_tokens: 8, total_tokens: 8 },
      })(request, response);
    });
    const result = await client().embeddings.create({
      model: "openai/text-embedding-3-small",
      input: "Paris",
    });
    expect(result.data[0]?.embedding).toEqual(vector);
    expect(result.usage.prompt_tokens).toBe(8);
    expect(asObject(result.usage)["cost"]).toBeCloseTo(8 * 0.02e-6, 9);
  });

  test("models: listed and read one by one", async () => {
    const ids: string[] = [];
    for await (const model of client().models.list()) ids.push(model.id);
    expect(ids).toContain("gpt-4o-mini");
    expect(ids).toContain("demo/echo");
    const model = await client().models.retrieve("gpt-4o-mini");
    expect(model).toMatchObject({ id: "gpt-4o-mini", object: "model", owned_by: "openai" });
  });

  test("the gateway's own fields pass through the SDK and stay in the gateway", async () => {
    bench.gateway.upstream.answer(
      speak(UPSTREAMS.chatOnly, { text: "hi", usage: { input: 1, output: 1 } }),
    );
    const body = {
      model: "openai/gpt-4o-mini",
      messages: [{ role: "user" as const, content: "x" }],
      models: [UPSTREAMS.chatOnly.model],
      provider: { order: ["groq"] },
    };
    await client().chat.completions.create(body);
    const sent = bench.gateway.upstream.requests[0]?.body ?? {};
    expect(Object.keys(sent)).not.toContain("models");
    expect(Object.keys(sent)).not.toContain("provider");
  });
});

describe.each([UPSTREAMS.responses, UPSTREAMS.chatOnly, UPSTREAMS.anthropic])(
  "openai, kept responses on $name",
  (upstream) => {
    test.each([false, true])(
      "are gone on from, read and deleted (streamed: %s)",
      async (streamed) => {
        const client = clientOf(bench.target(upstream));
        const usage = { input: 10, output: 2 };
        bench.gateway.upstream.answer(
          speak(upstream, { text: "Paris.", usage }),
          speak(upstream, { text: "Two million.", usage }),
        );
        const ask = { model: upstream.model, input: "Capital of France?", store: true };
        const first = streamed
          ? await client.responses.stream(ask).finalResponse()
          : await client.responses.create(ask);
        const second = await client.responses.create({
          model: upstream.model,
          input: "How many live there?",
          previous_response_id: first.id,
        });
        expect(second.output_text).toBe("Two million.");
        const asked = bench.received(upstream)[1];
        expect(asked?.user).toContain("Capital of France?");
        expect(asked?.user).toContain("How many live there?");
        expect(bench.gateway.upstream.requests[1]?.text).toContain("Paris.");

        const read = await client.responses.retrieve(first.id);
        // The SDK's stream helper adds a member of its own to the items.
        expect(first.output).toMatchObject(read.output);
        expect(read.output_text).toBe("Paris.");
        const items = await client.responses.inputItems.list(first.id);
        expect(JSON.stringify(items.data)).toContain("Capital of France?");
        await client.responses.delete(first.id);
        await expect(client.responses.retrieve(first.id)).rejects.toThrow(OpenAI.NotFoundError);
        await expect(client.responses.retrieve(first.id)).rejects.toThrow(/store/);
      },
    );
  },
);
