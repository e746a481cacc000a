import { anyOf, mentions, some } from "../matches.ts";
import { HELLO, type Answer, type Scenario, type ScenarioGroup } from "../scenario.ts";

const SCHEMA = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};

const PARIS: Answer = { ...HELLO, text: ['{"city":', '"Paris"}'] };

const nothing: Scenario["ask"] = {
  "openai-chat": {},
  "openai-responses": {},
  "anthropic-messages": {},
  gemini: {},
};

const anything: Scenario["sent"] = {
  "openai-chat": {},
  "openai-responses": {},
  "anthropic-messages": {},
  gemini: {},
  "bedrock-converse": {},
  cohere: {},
};

export const STRUCTURED: ScenarioGroup = {
  title: "Structured output",
  scenarios: [
    {
      id: "json-schema",
      title: "an answer of a JSON Schema",
      ask: {
        "openai-chat": {
          response_format: {
            type: "json_schema",
            json_schema: { name: "place", schema: SCHEMA, strict: true },
          },
        },
        "openai-responses": {
          text: { format: { type: "json_schema", name: "place", schema: SCHEMA, strict: true } },
        },
        "anthropic-messages": {
          output_config: { format: { type: "json_schema", schema: SCHEMA } },
        },
        gemini: {
          generationConfig: { responseMimeType: "application/json", responseJsonSchema: SCHEMA },
        },
      },
      sent: {
        "openai-chat": {
          response_format: { type: "json_schema", json_schema: { schema: SCHEMA } },
        },
        "openai-responses": { text: { format: { type: "json_schema", schema: SCHEMA } } },
        "anthropic-messages": {
          output_config: { format: { type: "json_schema", schema: SCHEMA } },
        },
        gemini: {
          generationConfig: { responseMimeType: "application/json", responseJsonSchema: SCHEMA },
        },
        "bedrock-converse": { outputConfig: mentions("city") },
        cohere: { response_format: { type: "json_object", schema: SCHEMA } },
      },
      answer: PARIS,
    },
    {
      id: "json-object",
      title: "an answer of any JSON object",
      ask: {
        "openai-chat": { response_format: { type: "json_object" } },
        "openai-responses": { text: { format: { type: "json_object" } } },
        "anthropic-messages": "the dialect has no JSON mode without a schema",
        gemini: { generationConfig: { responseMimeType: "application/json" } },
      },
      sent: {
        "openai-chat": { response_format: { type: "json_object" } },
        "openai-responses": { text: { format: { type: "json_object" } } },
        "anthropic-messages": { tools: some({ name: "json_answer" }) },
        gemini: { generationConfig: { responseMimeType: "application/json" } },
        "bedrock-converse": { toolConfig: { tools: some({ toolSpec: { name: "json_answer" } }) } },
        cohere: { response_format: { type: "json_object" } },
      },
      answer: PARIS,
    },
  ],
};

export const ANSWERS: ScenarioGroup = {
  title: "What answers hold",
  scenarios: [
    {
      id: "citations",
      title: "a cited source",
      ask: nothing,
      sent: anything,
      answer: { ...HELLO, citation: { url: "https://example.com/a", title: "A page" } },
      look: ["citations"],
    },
    {
      id: "logprobs",
      title: "log probabilities",
      ask: {
        "openai-chat": { logprobs: true, top_logprobs: 2 },
        "openai-responses": { include: ["message.output_text.logprobs"], top_logprobs: 2 },
        "anthropic-messages": "the dialect has no log probabilities",
        gemini: { generationConfig: { responseLogprobs: true, logprobs: 2 } },
      },
      sent: {
        "openai-chat": { logprobs: true, top_logprobs: 2 },
        "openai-responses": { include: some("message.output_text.logprobs"), top_logprobs: 2 },
        "anthropic-messages": null,
        gemini: { generationConfig: { responseLogprobs: true, logprobs: 2 } },
        "bedrock-converse": null,
        cohere: { logprobs: true },
      },
      answer: { ...HELLO, logprobs: true },
      look: ["logprobs"],
    },
    {
      id: "stop",
      title: "stop sequences, and which was met",
      ask: {
        "openai-chat": { stop: ["END", "FIN"] },
        "openai-responses": "the dialect has no stop sequences",
        "anthropic-messages": { stop_sequences: ["END", "FIN"] },
        gemini: { generationConfig: { stopSequences: ["END", "FIN"] } },
      },
      sent: {
        "openai-chat": { stop: ["END", "FIN"] },
        "openai-responses": null,
        "anthropic-messages": { stop_sequences: ["END", "FIN"] },
        gemini: { generationConfig: { stopSequences: ["END", "FIN"] } },
        "bedrock-converse": { inferenceConfig: { stopSequences: ["END", "FIN"] } },
        cohere: { stop_sequences: ["END", "FIN"] },
      },
      answer: { ...HELLO, finish: "stop-sequence", stopSequence: "END" },
      look: ["stopSequence"],
    },
    {
      id: "n",
      title: "two answers",
      ask: {
        "openai-chat": { n: 2 },
        "openai-responses": "the dialect gives one answer",
        "anthropic-messages": "the dialect gives one answer",
        gemini: { generationConfig: { candidateCount: 2 } },
      },
      sent: {
        "openai-chat": { n: 2 },
        "openai-responses": null,
        "anthropic-messages": null,
        gemini: { generationConfig: { candidateCount: 2 } },
        "bedrock-converse": null,
        cohere: null,
      },
      answer: { ...HELLO, second: "Bonjour" },
      look: ["second"],
    },
    {
      id: "length",
      title: "an output bound that is met",
      ask: {
        "openai-chat": { max_completion_tokens: 500 },
        "openai-responses": { max_output_tokens: 500 },
        "anthropic-messages": { max_tokens: 500 },
        gemini: { generationConfig: { maxOutputTokens: 500 } },
      },
      sent: {
        "openai-chat": anyOf({ max_tokens: 500 }, { max_completion_tokens: 500 }),
        "openai-responses": { max_output_tokens: 500 },
        "anthropic-messages": { max_tokens: 500 },
        gemini: { generationConfig: { maxOutputTokens: 500 } },
        "bedrock-converse": { inferenceConfig: { maxTokens: 500 } },
        cohere: { max_tokens: 500 },
      },
      answer: { ...HELLO, finish: "length" },
    },
    {
      id: "refusal",
      title: "a refusal of the model",
      ask: nothing,
      sent: anything,
      answer: { refusal: "I cannot help with that.", finish: "refusal", usage: HELLO.usage },
      look: ["refusal"],
    },
    {
      id: "content-filter",
      title: "an answer that the provider's filter cut",
      ask: nothing,
      sent: anything,
      answer: { ...HELLO, finish: "content-filter" },
    },
    {
      id: "usage",
      title: "usage: cache read and written, reasoning",
      ask: nothing,
      sent: anything,
      answer: {
        ...HELLO,
        usage: { input: 1000, output: 200, cacheRead: 600, cacheWrite: 100, reasoning: 150 },
      },
      look: ["input", "output", "cacheRead", "reasoningTokens"],
    },
  ],
};

export const WEB_SEARCH: Scenario = {
  id: "web-search",
  title: "the provider's own web search",
  ask: {
    "openai-chat": { web_search_options: {} },
    "openai-responses": { tools: [{ type: "web_search" }] },
    "anthropic-messages": { tools: [{ type: "web_search_20250305", name: "web_search" }] },
    gemini: { tools: [{ googleSearch: {} }] },
  },
  sent: {
    "openai-chat": null,
    "openai-responses": { tools: [{ type: "web_search" }] },
    "anthropic-messages": { tools: [{ type: "web_search_20250305", name: "web_search" }] },
    gemini: { tools: [{ googleSearch: {} }] },
    "bedrock-converse": null,
    cohere: null,
  },
  sentAsWritten: anyOf(
    { web_search_options: {} },
    { tools: [{ type: "web_search" }] },
    { tools: [{ type: "web_search_20250305" }] },
    { tools: [{ googleSearch: {} }] },
  ),
  answer: HELLO,
};
