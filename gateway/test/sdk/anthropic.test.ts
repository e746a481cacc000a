import Anthropic from "@anthropic-ai/sdk";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import type {
  Message,
  MessageParam,
  Tool,
  ToolUseBlock,
} from "@anthropic-ai/sdk/resources/messages";
import { describe, expect, test } from "vitest";
import { z } from "zod";

import { asObject, type JsonObject } from "#lib/json.ts";
import { STAINLESS, WEATHER, type SdkDriver, type Target, type Told } from "#test/sdk/driver.ts";
import { describeSdk, setUpBench } from "#test/sdk/suite.ts";
import { UPSTREAMS } from "#test/sdk/upstreams.ts";

const clientOf = ({ url, key, retries }: Target): Anthropic =>
  new Anthropic({ baseURL: url, apiKey: key, maxRetries: retries });

const TOOLS: Tool[] = [
  {
    name: WEATHER.name,
    description: WEATHER.description,
    input_schema: { ...WEATHER.parameters, required: ["city"] },
  },
];

const CITY = z.object({ city: z.string(), population: z.number().int() });

const textOf = ({ content }: Message): string =>
  content.map((block) => (block.type === "text" ? block.text : "")).join("");

const told = (message: Message): Omit<Told, "header"> => ({
  text: textOf(message),
  finish: message.stop_reason,
  usage: { input: message.usage.input_tokens, output: message.usage.output_tokens },
  cost: asObject(message.usage)["cost"],
});

const driver: SdkDriver = {
  name: "@anthropic-ai/sdk",
  finish: { stop: "end_turn", length: "max_tokens" },
  shows: { cost: true, headers: true },
  ...STAINLESS,
  chat: async (target, prompt) => {
    const { data, response } = await clientOf(target)
      .messages.create({
        model: target.model,
        max_tokens: 1000,
        messages: [{ role: "user", content: prompt }],
      })
      .withResponse();
    return { ...told(data), header: (name) => response.headers.get(name) };
  },
  stream: async (target, prompt) => {
    let deltas = 0;
    let cost: unknown;
    const stream = clientOf(target)
      .messages.stream({
        model: target.model,
        max_tokens: 1000,
        messages: [{ role: "user", content: prompt }],
      })
      .on("text", () => deltas++)
      // The SDK's own sum leaves out what it does not know.
      .on("streamEvent", (event) => {
        if (event.type === "message_delta") cost = asObject(event.usage)["cost"];
      });
    const { response } = await stream.withResponse();
    const message = await stream.finalMessage();
    return { ...told(message), cost, deltas, header: (name) => response.headers.get(name) };
  },
  tools: async (target, { prompt, run, streamed }) => {
    const client = clientOf(target);
    const messages: MessageParam[] = [{ role: "user", content: prompt }];
    for (;;) {
      const request = { model: target.model, max_tokens: 1000, messages, tools: TOOLS };
      const message = streamed
        ? await client.messages.stream(request).finalMessage()
        : await client.messages.create(request);
      const calls = message.content.filter(
        (block): block is ToolUseBlock => block.type === "tool_use",
      );
      if (calls.length === 0) return textOf(message);
      expect(message.stop_reason).toBe("tool_use");
      const results = calls.map(({ id, name, input }) => ({
        type: "tool_result" as const,
        tool_use_id: id,
        content: run(name, input as JsonObject),
      }));
      messages.push({ role: "assistant", content: message.content });
      messages.push({ role: "user", content: results });
    }
  },
  structured: async (target, prompt) => {
    const message = await clientOf(target).messages.parse({
      model: target.model,
      max_tokens: 1000,
      messages: [{ role: "user", content: prompt }],
      output_config: { format: zodOutputFormat(CITY) },
    });
    return message.parsed_output;
  },
};

const bench = setUpBench();

describeSdk(bench, driver, [
  UPSTREAMS.anthropic,
  UPSTREAMS.openai,
  UPSTREAMS.responses,
  UPSTREAMS.google,
  UPSTREAMS.bedrock,
  UPSTREAMS.cohere,
]);

describe("@anthropic-ai/sdk, other operations", () => {
  const client = (): Anthropic => clientOf(bench.target(UPSTREAMS.anthropic));

  test.each([UPSTREAMS.anthropic, UPSTREAMS.openai])(
    "counts tokens for a model at $name",
    async ({ model }) => {
      const ask = (content: string) =>
        client().messages.countTokens({
          model,
          messages: [{ role: "user", content }],
          tools: TOOLS,
        });
      const { input_tokens: few } = await ask("Weather?");
      const { input_tokens: many } = await ask("Weather? ".repeat(500));
      expect(few).toBeGreaterThan(5);
      expect(many).toBeGreaterThan(few + 500);
    },
  );

  test("models: listed and read one by one", async () => {
    const ids: string[] = [];
    for await (const model of client().models.list()) ids.push(model.id);
    expect(ids).toContain("claude-sonnet-4-5");
    expect(ids).toContain("claude-auto");
    const model = await client().models.retrieve("claude-sonnet-4-5");
    expect(model).toMatchObject({ id: "claude-sonnet-4-5", type: "model" });
    expect(Date.parse(model.created_at)).toBeGreaterThan(0);
  });
});
