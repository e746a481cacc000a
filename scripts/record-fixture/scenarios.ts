import type { ChatRequest } from "../../gateway/src/canonical/chat-request.ts";
import type { ChatResponse } from "../../gateway/src/canonical/chat-response.ts";
import type { Message, ToolCallPart } from "../../gateway/src/canonical/message.ts";
import type { FunctionTool } from "../../gateway/src/canonical/tool.ts";
import type { RecordedModel } from "./target.ts";

/** One exchange to record. */
export interface Scenario {
  readonly name: string;
  readonly request: Omit<ChatRequest, "protocol" | "model">;
  /** In place of the model that is recorded. */
  readonly model?: string;
  readonly wrongKey?: true;
  /** The next turn of the conversation, made from this one's answer. */
  readonly next?: (answer: ChatResponse) => Scenario | undefined;
}

/** Solid red, 64 × 64. */
const RED_PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAT0lEQVR42u3PQQkAAAgEsIty/dMYyQi+hcEKLNO+FgEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQGBywI6LQEAwyG+sAAAAABJRU5ErkJggg==";

const WEATHER: FunctionTool = {
  type: "function",
  name: "get_weather",
  description: "Current weather of a city",
  parameters: {
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false,
  },
};

const CITY_SCHEMA = {
  type: "object",
  properties: { city: { type: "string" }, population: { type: "integer" } },
  required: ["city", "population"],
  additionalProperties: false,
};

/** Room for models that think before the first word. */
const OUTPUT_TOKENS = 1_000;
const REASONING_TOKENS = 4_000;
/** Above the least prefix that any provider caches (4,096 tokens). */
const CACHED_WORDS = 6_000;
/** Larger prompts are refused for their bytes and not for their tokens. */
const MAX_CONTEXT_TOKENS = 1_100_000;

const user = (text: string): Message => ({ role: "user", content: [{ type: "text", text }] });

/** Different words: repeated ones compress to few tokens. */
const words = (count: number): string =>
  Array.from({ length: count }, (_, at) => `item${(at * 7919) % 99_991}`).join(" ");

/** The standard scenarios that a model can take, in the order in which they are recorded. */
export function standardScenarios(model: RecordedModel, run: string): readonly Scenario[] {
  return [
    { name: "text", request: chat([user("Say hello in five words.")]) },
    { name: "text-stream", request: chat([user("Count from one to twenty in words.")], true) },
    ...(model.tools ? [toolCall(false), toolCall(true)] : []),
    structuredOutput,
    ...(model.images ? [image] : []),
    ...(model.reasoning ? [reasoning(false), reasoning(true)] : []),
    cachedPrefix("cached-prefix-first", run),
    cachedPrefix("cached-prefix-second", run),
    { name: "bad-model", model: "no-such-model-0", request: chat([user("Hello")]) },
    { name: "bad-key", wrongKey: true, request: chat([user("Hello")]) },
    ...tooLong(model),
  ];
}

const chat = (messages: readonly Message[], stream = false): Scenario["request"] => ({
  messages,
  stream,
  maxOutputTokens: OUTPUT_TOKENS,
  ...(stream && { includeUsage: true }),
});

function toolCall(stream: boolean): Scenario {
  const question = user("What is the weather in Paris and in Rome? Use the tool for both.");
  const request = { ...chat([question], stream), tools: [WEATHER] };
  const name = stream ? "tool-call-stream" : "tool-call";
  return {
    name,
    request,
    next: (answer) => {
      const parts = answer.candidates[0]?.parts ?? [];
      const calls = parts.filter((part) => part.type === "tool-call");
      if (calls.length === 0) return undefined;
      const messages: readonly Message[] = [
        question,
        { role: "assistant", content: parts },
        { role: "tool", content: calls.map(toolResult) },
      ];
      return { name: name.replace("call", "result"), request: { ...request, messages } };
    },
  };
}

const toolResult = ({ id, name }: ToolCallPart) =>
  ({
    type: "tool-result",
    kind: "function",
    toolCallId: id,
    name,
    content: [{ type: "text", text: '{"temperature_celsius": 21}' }],
  }) as const;

const structuredOutput: Scenario = {
  name: "structured-output",
  request: {
    ...chat([user("The largest city of France, with its population.")]),
    outputFormat: { type: "json-schema", name: "city", schema: CITY_SCHEMA, strict: true },
  },
};

const image: Scenario = {
  name: "image",
  request: chat([
    {
      role: "user",
      content: [
        { type: "text", text: "Which colour is this? One word." },
        { type: "image", source: { type: "base64", mediaType: "image/png", data: RED_PNG } },
      ],
    },
  ]),
};

const reasoning = (stream: boolean): Scenario => ({
  name: stream ? "reasoning-stream" : "reasoning",
  request: {
    ...chat([user("How many of the numbers from 1 to 100 have the digit 7?")], stream),
    maxOutputTokens: REASONING_TOKENS,
    reasoning: { effort: "low", summary: "auto", encrypted: true },
  },
});

/** The run's name goes first, or the first request of a second run would find the prefix cached. */
const cachedPrefix = (name: string, run: string): Scenario => ({
  name,
  request: chat([
    {
      role: "system",
      content: [
        { type: "text", text: `Run ${run}. A list: ${words(CACHED_WORDS)}`, cache: { ttl: "5m" } },
      ],
    },
    user("What is the first item of the list?"),
  ]),
});

function tooLong({ contextTokens }: RecordedModel): readonly Scenario[] {
  if (contextTokens === undefined || contextTokens > MAX_CONTEXT_TOKENS) return [];
  // A word of the list is three tokens or more in every vocabulary.
  return [{ name: "too-long", request: chat([user(words(Math.ceil(contextTokens / 2)))]) }];
}
