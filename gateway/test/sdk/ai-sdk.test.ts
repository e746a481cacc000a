import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import {
  APICallError,
  generateText,
  jsonSchema,
  Output,
  stepCountIs,
  streamText,
  tool,
  type LanguageModel,
} from "ai";

import type { JsonObject } from "#lib/json.ts";
import { CITY_SCHEMA, WEATHER, type SdkDriver, type Target } from "#test/sdk/driver.ts";
import { describeSdk, setUpBench } from "#test/sdk/suite.ts";
import { type Upstream, UPSTREAMS } from "#test/sdk/upstreams.ts";

type Provide = (target: Target) => LanguageModel;

const ERROR_NAME = "AI_APICallError";

function driverOf(name: string, provide: Provide): SdkDriver {
  return {
    name: `ai with ${name}`,
    finish: { stop: "stop", length: "length" },
    shows: { cost: false, headers: true },
    errors: {
      badRequest: `${ERROR_NAME} 400`,
      wrongKey: `${ERROR_NAME} 401`,
      unknownModel: `${ERROR_NAME} 404`,
      rateLimited: `${ERROR_NAME} 429`,
    },
    retries: "its own way",
    failure: (error) => {
      if (!APICallError.isInstance(error)) throw error;
      const { name, statusCode, message } = error;
      return { type: `${name} ${statusCode}`, status: statusCode, message };
    },
    chat: async (target, prompt) => {
      const result = await generateText({
        model: provide(target),
        prompt,
        maxRetries: target.retries,
      });
      return {
        text: result.text,
        finish: result.finishReason,
        usage: { input: result.usage.inputTokens, output: result.usage.outputTokens },
        header: (header) => result.response.headers?.[header],
      };
    },
    stream: async (target, prompt) => {
      const result = streamText({
        model: provide(target),
        prompt,
        maxRetries: target.retries,
        // By itself it writes errors to the console besides throwing them.
        onError: () => undefined,
      });
      const texts: string[] = [];
      for await (const text of result.textStream) texts.push(text);
      const usage = await result.usage;
      const { headers } = await result.response;
      return {
        text: texts.join(""),
        deltas: texts.length,
        finish: await result.finishReason,
        usage: { input: usage.inputTokens, output: usage.outputTokens },
        header: (header) => headers?.[header],
      };
    },
    tools: async (target, { prompt, run, streamed }) => {
      const weather = tool({
        description: WEATHER.description,
        inputSchema: jsonSchema<JsonObject>({ ...WEATHER.parameters, required: ["city"] }),
        execute: (args) => run(WEATHER.name, args),
      });
      const settings = {
        model: provide(target),
        prompt,
        maxRetries: target.retries,
        tools: { [WEATHER.name]: weather },
        stopWhen: stepCountIs(3),
      };
      return streamed ? streamText(settings).text : (await generateText(settings)).text;
    },
    structured: async (target, prompt) => {
      const result = await generateText({
        model: provide(target),
        prompt,
        maxRetries: target.retries,
        output: Output.object({
          schema: jsonSchema({ ...CITY_SCHEMA, required: ["city", "population"] }),
        }),
      });
      return result.output;
    },
  };
}

const bench = setUpBench();

const PROVIDERS: readonly [string, Provide, readonly Upstream[]][] = [
  [
    "@ai-sdk/openai, responses",
    ({ url, key, model }) => createOpenAI({ baseURL: `${url}/v1`, apiKey: key })(model),
    [UPSTREAMS.responses, UPSTREAMS.chatOnly, UPSTREAMS.anthropic, UPSTREAMS.google],
  ],
  [
    "@ai-sdk/openai, chat",
    ({ url, key, model }) => createOpenAI({ baseURL: `${url}/v1`, apiKey: key }).chat(model),
    [UPSTREAMS.openai, UPSTREAMS.anthropic, UPSTREAMS.google, UPSTREAMS.bedrock],
  ],
  [
    "@ai-sdk/openai-compatible",
    ({ url, key, model }) =>
      createOpenAICompatible({
        name: "turnpike",
        baseURL: `${url}/v1`,
        apiKey: key,
        includeUsage: true,
        supportsStructuredOutputs: true,
      })(model),
    [UPSTREAMS.chatOnly, UPSTREAMS.responses, UPSTREAMS.anthropic, UPSTREAMS.google],
  ],
  [
    "@ai-sdk/anthropic",
    ({ url, key, model }) => createAnthropic({ baseURL: `${url}/v1`, apiKey: key })(model),
    [
      UPSTREAMS.anthropic,
      UPSTREAMS.openai,
      UPSTREAMS.responses,
      UPSTREAMS.google,
      UPSTREAMS.bedrock,
    ],
  ],
  [
    "@ai-sdk/google",
    ({ url, key, model }) =>
      createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, apiKey: key })(model),
    [UPSTREAMS.google, UPSTREAMS.chatOnly, UPSTREAMS.anthropic],
  ],
];

for (const [name, provide, upstreams] of PROVIDERS) {
  describeSdk(bench, driverOf(name, provide), upstreams);
}
