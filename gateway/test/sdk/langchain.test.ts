import { ChatAnthropic } from "@langchain/anthropic";
import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import {
  HumanMessage,
  ToolMessage,
  type AIMessage,
  type AIMessageChunk,
  type BaseMessage,
} from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import { z } from "zod";

import { asNumber, asObject, asString } from "#lib/json.ts";
import { STAINLESS, WEATHER, type SdkDriver, type Target, type Told } from "#test/sdk/driver.ts";
import { describeSdk, setUpBench } from "#test/sdk/suite.ts";
import { type Upstream, UPSTREAMS } from "#test/sdk/upstreams.ts";

type ChatModel = ChatOpenAI | ChatAnthropic;

const CITY = z.object({ city: z.string(), population: z.number().int() });

const told = (message: AIMessage | AIMessageChunk): Told => {
  const { response_metadata: metadata } = message;
  const usage = asObject(message.usage_metadata);
  const incomplete = asObject(metadata["incomplete_details"])["reason"];
  const finish =
    incomplete ?? metadata["finish_reason"] ?? metadata["stop_reason"] ?? metadata["status"];
  return {
    text: message.text,
    finish: asString(finish ?? asObject(message.additional_kwargs)["stop_reason"]),
    usage: { input: asNumber(usage["input_tokens"]), output: asNumber(usage["output_tokens"]) },
  };
};

async function gathered(stream: AsyncIterable<AIMessageChunk>): Promise<{
  message: AIMessageChunk;
  deltas: number;
}> {
  let message: AIMessageChunk | undefined;
  let deltas = 0;
  for await (const chunk of stream) {
    message = message?.concat(chunk) ?? chunk;
    if (chunk.text !== "") deltas++;
  }
  if (message === undefined) throw new Error("the stream was empty");
  return { message, deltas };
}

interface Flavour {
  readonly name: string;
  readonly finish: SdkDriver["finish"];
  readonly shortfalls?: NonNullable<SdkDriver["shortfalls"]>;
  readonly upstreams: readonly Upstream[];
  readonly model: (target: Target) => ChatModel;
}

function driverOf({ model, ...flavour }: Flavour): SdkDriver {
  const { name } = flavour;
  return {
    ...flavour,
    shows: { cost: false, headers: false },
    ...STAINLESS,
    retries: "its own way",
    chat: async (target, prompt) => told(await model(target).invoke(prompt)),
    stream: async (target, prompt) => {
      const { message, deltas } = await gathered(await model(target).stream(prompt));
      return { ...told(message), deltas };
    },
    tools: async (target, { prompt, run, streamed }) => {
      const weather = tool((args: { city: string }) => run(WEATHER.name, { ...args }), {
        name: WEATHER.name,
        description: WEATHER.description,
        schema: z.object({ city: z.string() }),
      });
      const bound = (model(target) as BaseChatModel).bindTools?.([weather]);
      if (bound === undefined) throw new Error(`${name} takes no tools`);
      const messages: BaseMessage[] = [new HumanMessage(prompt)];
      for (;;) {
        const message = streamed
          ? (await gathered(await bound.stream(messages))).message
          : ((await bound.invoke(messages)) as AIMessage);
        const { tool_calls: calls = [] } = message;
        if (calls.length === 0) return message.text;
        messages.push(message);
        for (const { id = "", name: called, args } of calls) {
          messages.push(new ToolMessage({ tool_call_id: id, content: run(called, args) }));
        }
      }
    },
    structured: (target, prompt) => model(target).withStructuredOutput(CITY).invoke(prompt),
  };
}

const openai =
  (useResponsesApi: boolean) =>
  ({ url, key, model, retries }: Target): ChatOpenAI =>
    new ChatOpenAI({
      model,
      apiKey: key,
      configuration: { baseURL: `${url}/v1` },
      maxRetries: retries,
      useResponsesApi,
    });

const FLAVOURS: readonly Flavour[] = [
  {
    name: "@langchain/openai, chat completions",
    finish: { stop: "stop", length: "length" },
    upstreams: [UPSTREAMS.openai, UPSTREAMS.chatOnly, UPSTREAMS.anthropic, UPSTREAMS.google],
    model: openai(false),
  },
  {
    name: "@langchain/openai, responses",
    finish: { stop: "completed", length: "max_output_tokens" },
    shortfalls: { brokenStreams: "passes over `response.failed`: the answer has no end at all" },
    upstreams: [UPSTREAMS.responses, UPSTREAMS.chatOnly, UPSTREAMS.anthropic],
    model: openai(true),
  },
  {
    name: "@langchain/anthropic",
    finish: { stop: "end_turn", length: "max_tokens" },
    shortfalls: {
      streamedUsage:
        "adds up message_start and message_delta, and reads input from the first alone",
    },
    upstreams: [UPSTREAMS.anthropic, UPSTREAMS.openai, UPSTREAMS.google, UPSTREAMS.bedrock],
    model: ({ url, key, model, retries }) =>
      new ChatAnthropic({
        model,
        apiKey: key,
        anthropicApiUrl: url,
        maxTokens: 1000,
        maxRetries: retries,
      }),
  },
];

const bench = setUpBench();

for (const flavour of FLAVOURS) describeSdk(bench, driverOf(flavour), flavour.upstreams);
