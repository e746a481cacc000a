import { anyOf, mentions } from "../matches.ts";
import { HELLO, type ErrorKind, type Scenario, type ScenarioGroup } from "../scenario.ts";
import { WEB_SEARCH } from "./answers.ts";

const LONG = "A long text that is worth caching.";

export const SETTINGS: ScenarioGroup = {
  title: "Settings",
  scenarios: [
    {
      id: "seed",
      title: "seed",
      ask: {
        "openai-chat": { seed: 7 },
        "openai-responses": "the dialect has no seed",
        "anthropic-messages": "the dialect has no seed",
        gemini: { generationConfig: { seed: 7 } },
      },
      sent: {
        "openai-chat": { seed: 7 },
        "openai-responses": null,
        "anthropic-messages": null,
        gemini: { generationConfig: { seed: 7 } },
        "bedrock-converse": null,
        cohere: { seed: 7 },
      },
      answer: HELLO,
    },
    {
      id: "temperature",
      title: "temperature",
      ask: {
        "openai-chat": { temperature: 0.5 },
        "openai-responses": { temperature: 0.5 },
        "anthropic-messages": { temperature: 0.5 },
        gemini: { generationConfig: { temperature: 0.5 } },
      },
      sent: {
        "openai-chat": { temperature: 0.5 },
        "openai-responses": { temperature: 0.5 },
        "anthropic-messages": { temperature: 0.5 },
        gemini: { generationConfig: { temperature: 0.5 } },
        "bedrock-converse": { inferenceConfig: { temperature: 0.5 } },
        cohere: { temperature: 0.5 },
      },
      answer: HELLO,
    },
    {
      id: "top-p-k",
      title: "top_p and top_k",
      ask: {
        "openai-chat": { top_p: 0.9, top_k: 40 },
        "openai-responses": { top_p: 0.9 },
        "anthropic-messages": { top_p: 0.9, top_k: 40 },
        gemini: { generationConfig: { topP: 0.9, topK: 40 } },
      },
      sent: {
        "openai-chat": { top_p: 0.9 },
        "openai-responses": { top_p: 0.9 },
        "anthropic-messages": { top_p: 0.9 },
        gemini: { generationConfig: { topP: 0.9 } },
        "bedrock-converse": { inferenceConfig: { topP: 0.9 } },
        cohere: { p: 0.9 },
      },
      answer: HELLO,
    },
    {
      id: "penalties",
      title: "frequency and presence penalty",
      ask: {
        "openai-chat": { frequency_penalty: 0.5, presence_penalty: 0.4 },
        "openai-responses": "the dialect has no penalties",
        "anthropic-messages": "the dialect has no penalties",
        gemini: { generationConfig: { frequencyPenalty: 0.5, presencePenalty: 0.4 } },
      },
      sent: {
        "openai-chat": { frequency_penalty: 0.5, presence_penalty: 0.4 },
        "openai-responses": null,
        "anthropic-messages": null,
        gemini: { generationConfig: { frequencyPenalty: 0.5, presencePenalty: 0.4 } },
        "bedrock-converse": null,
        cohere: { frequency_penalty: 0.5, presence_penalty: 0.4 },
      },
      answer: HELLO,
    },
    {
      id: "logit-bias",
      title: "logit bias",
      ask: {
        "openai-chat": { logit_bias: { "50256": -100 } },
        "openai-responses": "the dialect has no logit bias",
        "anthropic-messages": "the dialect has no logit bias",
        gemini: "the dialect has no logit bias",
      },
      sent: {
        "openai-chat": { logit_bias: { "50256": -100 } },
        "openai-responses": null,
        "anthropic-messages": null,
        gemini: null,
        "bedrock-converse": null,
        cohere: null,
      },
      answer: HELLO,
    },
    {
      id: "cache-control",
      title: "a cache breakpoint (5 minutes, 1 hour)",
      ask: {
        "openai-chat": {
          messages: [
            {
              role: "user",
              content: [
                { type: "text", text: LONG, cache_control: { type: "ephemeral", ttl: "1h" } },
                { type: "text", text: "Hi" },
              ],
            },
          ],
        },
        "openai-responses": "the dialect has no breakpoints",
        "anthropic-messages": {
          system: [{ type: "text", text: LONG, cache_control: { type: "ephemeral", ttl: "1h" } }],
        },
        gemini: "the dialect has no breakpoints",
      },
      sent: {
        "openai-chat": mentions('"cache_control":{"type":"ephemeral","ttl":"1h"}'),
        "openai-responses": null,
        "anthropic-messages": mentions('"cache_control":{"type":"ephemeral","ttl":"1h"}'),
        gemini: null,
        "bedrock-converse": mentions('"cachePoint":{"type":"default","ttl":"1h"}'),
        cohere: null,
      },
      answer: HELLO,
    },
    {
      id: "prompt-cache-key",
      title: "prompt cache key",
      ask: {
        "openai-chat": { prompt_cache_key: "user-7" },
        "openai-responses": { prompt_cache_key: "user-7" },
        "anthropic-messages": "the dialect has no cache keys",
        gemini: "the dialect has no cache keys",
      },
      sent: {
        "openai-chat": { prompt_cache_key: "user-7" },
        "openai-responses": { prompt_cache_key: "user-7" },
        "anthropic-messages": null,
        gemini: null,
        "bedrock-converse": null,
        cohere: null,
      },
      answer: HELLO,
    },
    {
      id: "service-tier",
      title: "service tier",
      ask: {
        "openai-chat": { service_tier: "priority" },
        "openai-responses": { service_tier: "priority" },
        "anthropic-messages": "its tiers, auto and standard_only, are no priority to ask for",
        gemini: { serviceTier: "priority" },
      },
      sent: {
        "openai-chat": { service_tier: "priority" },
        "openai-responses": { service_tier: "priority" },
        "anthropic-messages": null,
        gemini: { serviceTier: "priority" },
        "bedrock-converse": { serviceTier: { type: "priority" } },
        cohere: null,
      },
      answer: HELLO,
    },
    {
      id: "user",
      title: "the end user's id",
      ask: {
        "openai-chat": { user: "u-7" },
        "openai-responses": { user: "u-7" },
        "anthropic-messages": { metadata: { user_id: "u-7" } },
        gemini: "the dialect has no end user",
      },
      sent: {
        "openai-chat": anyOf({ user: "u-7" }, { safety_identifier: "u-7" }),
        "openai-responses": anyOf({ user: "u-7" }, { safety_identifier: "u-7" }),
        "anthropic-messages": { metadata: { user_id: "u-7" } },
        gemini: null,
        "bedrock-converse": null,
        cohere: null,
      },
      answer: HELLO,
    },
    {
      id: "metadata",
      title: "metadata",
      ask: {
        "openai-chat": { metadata: { team: "red" } },
        "openai-responses": { metadata: { team: "red" } },
        "anthropic-messages": "metadata holds the user's id only",
        gemini: "the dialect has no metadata",
      },
      sent: {
        "openai-chat": { metadata: { team: "red" } },
        "openai-responses": { metadata: { team: "red" } },
        "anthropic-messages": null,
        gemini: null,
        "bedrock-converse": null,
        cohere: null,
      },
      answer: HELLO,
    },
    {
      id: "unknown-member",
      title: "a member that nobody knows",
      ask: {
        "openai-chat": { brand_new: { x: 1 } },
        "openai-responses": { brand_new: { x: 1 } },
        "anthropic-messages": { brand_new: { x: 1 } },
        gemini: { brandNew: { x: 1 } },
      },
      sent: {
        "openai-chat": null,
        "openai-responses": null,
        "anthropic-messages": null,
        gemini: null,
        "bedrock-converse": null,
        cohere: null,
      },
      sentAsWritten: anyOf({ brand_new: { x: 1 } }, { brandNew: { x: 1 } }),
      answer: HELLO,
    },
    WEB_SEARCH,
  ],
};

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

const failing = (error: ErrorKind, title: string): Scenario => ({
  id: `error-${error}`,
  title,
  ask: nothing,
  sent: anything,
  error,
});

export const ERRORS: ScenarioGroup = {
  title: "Errors, in the caller's own dialect",
  scenarios: [
    failing("context", "the prompt is too long"),
    failing("rate-limit", "the provider's rate limit"),
    failing("auth", "the provider refuses the gateway's key"),
    failing("content-policy", "the provider's policy refuses the prompt"),
    {
      id: "error-in-stream",
      title: "the stream breaks with an error after content",
      ask: nothing,
      sent: anything,
      answer: { ...HELLO, fails: true },
      streamOnly: true,
    },
  ],
};
