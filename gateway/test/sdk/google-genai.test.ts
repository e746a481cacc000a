import {
  ApiError,
  FunctionCallingConfigMode,
  GoogleGenAI,
  type Content,
  type FunctionCall,
  type GenerateContentParameters,
  type GenerateContentResponse,
  type Part,
} from "@google/genai";
import { describe, expect, test } from "vitest";

import { asObject, type JsonObject } from "#lib/json.ts";
import { CITY_SCHEMA, WEATHER, type SdkDriver, type Target, type Told } from "#test/sdk/driver.ts";
import { describeSdk, setUpBench } from "#test/sdk/suite.ts";
import { speak, UPSTREAMS } from "#test/sdk/upstreams.ts";

const clientOf = ({ url, key, retries }: Target): GoogleGenAI =>
  new GoogleGenAI({
    apiKey: key,
    httpOptions: { baseUrl: url, retryOptions: { attempts: retries + 1 } },
  });

const TOOLS = [
  {
    functionDeclarations: [
      {
        name: WEATHER.name,
        description: WEATHER.description,
        parametersJsonSchema: WEATHER.parameters,
      },
    ],
  },
];

const told = (response: GenerateContentResponse | undefined): Told => {
  const usage = response?.usageMetadata;
  const headers = response?.sdkHttpResponse?.headers;
  return {
    text: response?.text ?? "",
    finish: response?.candidates?.[0]?.finishReason,
    usage: { input: usage?.promptTokenCount, output: usage?.candidatesTokenCount },
    cost: asObject(usage)["cost"],
    header: (name) => headers?.[name],
  };
};

/** One turn, whole or gathered from its stream. */
async function turnOf(
  client: GoogleGenAI,
  request: GenerateContentParameters,
  streamed: boolean,
): Promise<{ parts: Part[]; calls: FunctionCall[] }> {
  const responses: GenerateContentResponse[] = [];
  if (streamed) {
    for await (const chunk of await client.models.generateContentStream(request)) {
      responses.push(chunk);
    }
  } else {
    responses.push(await client.models.generateContent(request));
  }
  return {
    parts: responses.flatMap((response) => response.candidates?.[0]?.content?.parts ?? []),
    calls: responses.flatMap((response) => response.functionCalls ?? []),
  };
}

const driver: SdkDriver = {
  name: "@google/genai",
  finish: { stop: "STOP", length: "MAX_TOKENS" },
  shows: { cost: true, headers: true },
  errors: {
    badRequest: "ApiError 400",
    wrongKey: "ApiError 401",
    unknownModel: "ApiError 404",
    rateLimited: "ApiError 429",
  },
  retries: "its own way",
  failure: (error) => {
    if (!(error instanceof ApiError)) throw error;
    return { type: `ApiError ${error.status}`, status: error.status, message: error.message };
  },
  chat: async (target, prompt) =>
    told(await clientOf(target).models.generateContent({ model: target.model, contents: prompt })),
  stream: async (target, prompt) => {
    const texts: string[] = [];
    let last: GenerateContentResponse | undefined;
    const stream = await clientOf(target).models.generateContentStream({
      model: target.model,
      contents: prompt,
    });
    for await (const chunk of stream) {
      if (chunk.text) texts.push(chunk.text);
      last = chunk;
    }
    return { ...told(last), text: texts.join(""), deltas: texts.length };
  },
  tools: async (target, { prompt, run, streamed }) => {
    const client = clientOf(target);
    const contents: Content[] = [{ role: "user", parts: [{ text: prompt }] }];
    for (;;) {
      const request = { model: target.model, contents, config: { tools: TOOLS } };
      const { parts, calls } = await turnOf(client, request, streamed);
      if (calls.length === 0) return parts.map(({ text }) => text ?? "").join("");
      contents.push({ role: "model", parts });
      contents.push({
        role: "user",
        parts: calls.map(({ id, name = "", args = {} }) => ({
          functionResponse: {
            ...(id !== undefined && { id }),
            name,
            response: { output: run(name, args) },
          },
        })),
      });
    }
  },
  structured: async (target, prompt) => {
    const response = await clientOf(target).models.generateContent({
      model: target.model,
      contents: prompt,
      config: { responseMimeType: "application/json", responseJsonSchema: CITY_SCHEMA },
    });
    return JSON.parse(response.text ?? "") as JsonObject;
  },
};

const bench = setUpBench();

describeSdk(bench, driver, [
  UPSTREAMS.google,
  UPSTREAMS.chatOnly,
  UPSTREAMS.responses,
  UPSTREAMS.anthropic,
  UPSTREAMS.bedrock,
  UPSTREAMS.cohere,
]);

describe("@google/genai, other operations", () => {
  test.each([UPSTREAMS.google, UPSTREAMS.anthropic])(
    "counts tokens for a model at $name",
    async (upstream) => {
      const client = clientOf(bench.target(upstream));
      const count = async (contents: string): Promise<number> =>
        (await client.models.countTokens({ model: upstream.model, contents })).totalTokens ?? 0;
      expect(await count("Weather? ".repeat(500))).toBeGreaterThan((await count("Weather?")) + 500);
    },
  );

  test("a forced tool reaches a foreign provider as one", async () => {
    const usage = { input: 1, output: 1 };
    const call = { id: "toolu_1", name: WEATHER.name, args: { city: "Bern" } };
    bench.gateway.upstream.answer(speak(UPSTREAMS.anthropic, { calls: [call], usage }));
    const response = await clientOf(bench.target(UPSTREAMS.anthropic)).models.generateContent({
      model: UPSTREAMS.anthropic.model,
      contents: "Weather?",
      config: {
        systemInstruction: "Be short.",
        tools: TOOLS,
        toolConfig: {
          functionCallingConfig: {
            mode: FunctionCallingConfigMode.ANY,
            allowedFunctionNames: [WEATHER.name],
          },
        },
      },
    });
    expect(response.functionCalls?.[0]).toMatchObject({ name: call.name, args: call.args });
    const [received] = bench.received(UPSTREAMS.anthropic);
    expect(received).toMatchObject({ forcedTool: WEATHER.name, system: "Be short." });
  });
});
