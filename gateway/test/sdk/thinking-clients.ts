import Anthropic from "@anthropic-ai/sdk";
import type { MessageParam } from "@anthropic-ai/sdk/resources/messages";
import { GoogleGenAI, type Content, type Part } from "@google/genai";
import OpenAI from "openai";
import type { ResponseInput, ResponseOutputItem } from "openai/resources/responses/responses";

import { asArray, asObject, asObjects, asString, type JsonObject } from "#lib/json.ts";
import { WEATHER } from "#test/sdk/driver.ts";

/** What came back in one turn of a conversation. */
export interface LoopTurn {
  readonly calls: readonly { readonly id: string; readonly name: string }[];
  readonly text: string;
  readonly warnings: string;
}

/** A conversation that its client carries on: it sends back what it got, as the SDKs' guides say. */
export interface Conversation {
  /** Sends the conversation so far to a model. */
  turn(model: string): Promise<LoopTurn>;
  /** Adds the results of the last turn's calls. */
  results(text: string): void;
}

export interface LoopOptions {
  readonly url: string;
  readonly key: string;
  readonly streamed: boolean;
  readonly prompt: string;
}

const warningsOf = (headers: Headers): string => headers.get("x-turnpike-warnings") ?? "";

function anthropicMessages({ url, key, streamed, prompt }: LoopOptions): Conversation {
  const client = new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 });
  const messages: MessageParam[] = [{ role: "user", content: prompt }];
  let calls: LoopTurn["calls"] = [];
  return {
    turn: async (model) => {
      const request = {
        model,
        max_tokens: 4000,
        thinking: { type: "enabled" as const, budget_tokens: 1024 },
        messages,
        tools: [
          {
            name: WEATHER.name,
            input_schema: { ...WEATHER.parameters, required: ["city"] },
          },
        ],
      };
      const stream = streamed ? client.messages.stream(request) : undefined;
      const { data, response } =
        stream === undefined
          ? await client.messages.create(request).withResponse()
          : { data: await stream.finalMessage(), response: (await stream.withResponse()).response };
      messages.push({ role: "assistant", content: data.content });
      calls = data.content.flatMap((block) => (block.type === "tool_use" ? [block] : []));
      const text = data.content.flatMap((block) => (block.type === "text" ? [block.text] : []));
      return { calls, text: text.join(""), warnings: warningsOf(response.headers) };
    },
    results: (content) => {
      messages.push({
        role: "user",
        content: calls.map(({ id }) => ({ type: "tool_result", tool_use_id: id, content })),
      });
    },
  };
}

function openaiResponses({ url, key, streamed, prompt }: LoopOptions): Conversation {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
  const input: ResponseInput = [{ role: "user", content: prompt }];
  let calls: LoopTurn["calls"] = [];
  return {
    turn: async (model) => {
      const request = {
        model,
        input,
        store: false,
        include: ["reasoning.encrypted_content" as const],
        reasoning: { effort: "low" as const, summary: "auto" as const },
        tools: [{ type: "function" as const, strict: true, ...WEATHER }],
      };
      const { data, response } = streamed
        ? await client.responses.create({ ...request, stream: true }).withResponse()
        : await client.responses.create(request).withResponse();
      const output: ResponseOutputItem[] = [];
      if ("output" in data) output.push(...data.output);
      else {
        for await (const event of data) {
          if (event.type === "response.output_item.done") output.push(event.item);
        }
      }
      input.push(...(output as ResponseInput));
      calls = output.flatMap((item) =>
        item.type === "function_call" ? [{ id: item.call_id, name: item.name }] : [],
      );
      const text = output.flatMap((item) => (item.type === "message" ? item.content : []));
      return {
        calls,
        text: text.map((part) => ("text" in part ? part.text : "")).join(""),
        warnings: warningsOf(response.headers),
      };
    },
    results: (output) => {
      for (const { id } of calls) {
        input.push({ type: "function_call_output", call_id: id, output });
      }
    },
  };
}

function gemini({ url, key, streamed, prompt }: LoopOptions): Conversation {
  const client = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: url } });
  const contents: Content[] = [{ role: "user", parts: [{ text: prompt }] }];
  let calls: { id: string; name: string; own: string | undefined }[] = [];
  return {
    turn: async (model) => {
      const request = {
        model,
        contents,
        config: {
          thinkingConfig: { includeThoughts: true },
          tools: [
            {
              functionDeclarations: [
                { name: WEATHER.name, parametersJsonSchema: WEATHER.parameters },
              ],
            },
          ],
        },
      };
      const parts: Part[] = [];
      let headers: Record<string, string> | undefined;
      const answers = streamed
        ? await client.models.generateContentStream(request)
        : [await client.models.generateContent(request)];
      for await (const answer of answers) {
        parts.push(...(answer.candidates?.[0]?.content?.parts ?? []));
        headers ??= answer.sdkHttpResponse?.headers;
      }
      contents.push({ role: "model", parts });
      calls = parts.flatMap(({ functionCall: call }) =>
        call === undefined ? [] : [{ id: call.id ?? "", name: call.name ?? "", own: call.id }],
      );
      const text = parts.map((part) => (part.thought === true ? "" : (part.text ?? "")));
      return { calls, text: text.join(""), warnings: headers?.["x-turnpike-warnings"] ?? "" };
    },
    results: (output) => {
      const parts = calls.map(({ name, own }) => ({
        functionResponse: { ...(own !== undefined && { id: own }), name, response: { output } },
      }));
      contents.push({ role: "user", parts });
    },
  };
}

/** The message that a stream's deltas add up to, `reasoning_details` and tool calls by their index. */
function gatheredMessage(text: string): JsonObject {
  const calls: JsonObject[] = [];
  const details: JsonObject[] = [];
  let content = "";
  for (const line of text.split("\n")) {
    if (!line.startsWith("data: {")) continue;
    const delta = asObject(asObjects(asObject(JSON.parse(line.slice(6)))["choices"])[0]?.["delta"]);
    content += asString(delta["content"]) ?? "";
    details.push(...asObjects(delta["reasoning_details"]));
    for (const { index, function: called, ...call } of asObjects(delta["tool_calls"])) {
      const at = Number(index);
      const known = asObject(calls[at]);
      const before = asObject(known["function"]);
      const { arguments: args, ...rest } = asObject(called);
      const soFar = asString(before["arguments"]) ?? "";
      calls[at] = {
        ...known,
        ...call,
        function: { ...before, ...rest, arguments: soFar + (asString(args) ?? "") },
      };
    }
  }
  return {
    role: "assistant",
    content,
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(details.length > 0 && { reasoning_details: details }),
  };
}

/** Over plain HTTP: the official SDK's helpers drop `reasoning_details`, which carry the tokens. */
function openaiChat({ url, key, streamed, prompt }: LoopOptions): Conversation {
  const messages: JsonObject[] = [{ role: "user", content: prompt }];
  let calls: LoopTurn["calls"] = [];
  return {
    turn: async (model) => {
      const response = await fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}` },
        body: JSON.stringify({
          model,
          messages,
          stream: streamed,
          reasoning_effort: "low",
          tools: [{ type: "function", function: WEATHER }],
        }),
      });
      const text = await response.text();
      if (response.status !== 200) throw new Error(text);
      const whole = (): JsonObject =>
        asObject(asObjects(asObject(JSON.parse(text))["choices"])[0]?.["message"]);
      const message = streamed ? gatheredMessage(text) : whole();
      messages.push(message);
      calls = asArray(message["tool_calls"]).map((call) => ({
        id: String(asObject(call)["id"]),
        name: String(asObject(asObject(call)["function"])["name"]),
      }));
      return {
        calls,
        text: asString(message["content"]) ?? "",
        warnings: warningsOf(response.headers),
      };
    },
    results: (content) => {
      for (const { id } of calls) messages.push({ role: "tool", tool_call_id: id, content });
    },
  };
}

/** The client dialects, each as one conversation with thinking turned on. */
export const THINKING_CLIENTS: Readonly<Record<string, (options: LoopOptions) => Conversation>> = {
  "anthropic-messages": anthropicMessages,
  "openai-responses": openaiResponses,
  "openai-chat": openaiChat,
  gemini,
};
