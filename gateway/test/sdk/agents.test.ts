import {
  Agent,
  OpenAIProvider,
  Runner,
  setTracingDisabled,
  tool,
  type Usage,
} from "@openai/agents";
import OpenAI from "openai";
import { z } from "zod";

import { asObject, asObjects, asString, type JsonObject } from "#lib/json.ts";
import { STAINLESS, WEATHER, type SdkDriver, type Target, type Told } from "#test/sdk/driver.ts";
import { describeSdk, setUpBench } from "#test/sdk/suite.ts";
import { UPSTREAMS } from "#test/sdk/upstreams.ts";

// It would send traces to OpenAI itself.
setTracingDisabled(true);

const CITY = z.object({ city: z.string(), population: z.number().int() });

/** How the API's own object, event or chunk says that it ended. */
function finishOf(data: JsonObject): string | undefined {
  const [choice] = asObjects(data["choices"]);
  const response = asObject(data["response"]);
  return asString(choice?.["finish_reason"]) ?? asString(response["status"] ?? data["status"]);
}

function driverOf(api: "chat completions" | "responses"): SdkDriver {
  const runnerOf = ({ url, key, retries }: Target): Runner =>
    new Runner({
      tracingDisabled: true,
      modelProvider: new OpenAIProvider({
        openAIClient: new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: retries }),
        useResponses: api === "responses",
      }),
    });
  const agentOf = ({ model }: Target): Agent => new Agent({ name: "assistant", model });
  const told = (
    text: unknown,
    { rawResponses }: { rawResponses: { usage: Usage; providerData?: object }[] },
  ): Told => {
    const last = rawResponses.at(-1);
    const data = asObject(last?.providerData);
    return {
      text: String(text),
      finish: finishOf(data),
      usage: { input: last?.usage.inputTokens, output: last?.usage.outputTokens },
    };
  };
  return {
    name: `@openai/agents, ${api}`,
    finish:
      api === "responses"
        ? { stop: "completed", length: "an error" }
        : { stop: "stop", length: "length" },
    shows: { cost: false, headers: false },
    shortfalls: {
      unfinishedAnswers: "throws instead of giving an answer that was cut or is empty",
    },
    ...STAINLESS,
    chat: async (target, prompt) => {
      const result = await runnerOf(target).run(agentOf(target), prompt);
      return told(result.finalOutput, result);
    },
    stream: async (target, prompt) => {
      const result = await runnerOf(target).run(agentOf(target), prompt, { stream: true });
      let text = "";
      let deltas = 0;
      let finish: string | undefined;
      for await (const event of result) {
        if (event.type !== "raw_model_stream_event") continue;
        if (event.data.type === "output_text_delta") {
          text += event.data.delta;
          deltas++;
        }
        if (event.data.type === "model") finish = finishOf(asObject(event.data.event)) ?? finish;
      }
      return { ...told(result.finalOutput, result), finish, text, deltas };
    },
    tools: async (target, { prompt, run, streamed }) => {
      const agent = new Agent({
        name: "assistant",
        model: target.model,
        tools: [
          tool({
            name: WEATHER.name,
            description: WEATHER.description,
            parameters: z.object({ city: z.string() }),
            execute: (args) => run(WEATHER.name, args),
          }),
        ],
      });
      if (!streamed) return (await runnerOf(target).run(agent, prompt)).finalOutput ?? "";
      const result = await runnerOf(target).run(agent, prompt, { stream: true });
      await result.completed;
      return result.finalOutput ?? "";
    },
    structured: async (target, prompt) => {
      const agent = new Agent({ name: "assistant", model: target.model, outputType: CITY });
      return (await runnerOf(target).run(agent, prompt)).finalOutput;
    },
  };
}

const bench = setUpBench();

describeSdk(bench, driverOf("responses"), [
  UPSTREAMS.responses,
  UPSTREAMS.chatOnly,
  UPSTREAMS.anthropic,
  UPSTREAMS.google,
]);
describeSdk(bench, driverOf("chat completions"), [
  UPSTREAMS.openai,
  UPSTREAMS.anthropic,
  UPSTREAMS.google,
  UPSTREAMS.bedrock,
]);
