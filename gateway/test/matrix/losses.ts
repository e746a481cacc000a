import type { DeclaredLoss } from "./observed.ts";
import { INGRESSES, type Ingress, type Upstream } from "./scenario.ts";

/*
 * Every loss that is known and accepted, by scenario: an undeclared one fails the matrix, and so does
 * a declared one that no longer happens. The reasons are those that the caller is told.
 */

const ALL = INGRESSES;
const OPENAI = ["openai-chat", "openai-responses"] as const;
const SAMPLERS = ["openai-chat", "gemini"] as const;
const NOT_MESSAGES = [...OPENAI, "gemini"] as const;
const NOT_GEMINI = [...OPENAI, "anthropic-messages"] as const;

type Declare = (
  upstream: Upstream,
  from: readonly Ingress[],
  ...warnings: readonly string[]
) => DeclaredLoss;

/** It arrives, changed as the reason says. */
const changed: Declare = (upstream, from, ...warnings) => ({ upstream, from, warnings });

/** It does not arrive. */
const dropped: Declare = (upstream, from, ...warnings) => ({
  upstream,
  from,
  warnings,
  drops: true,
});

const GEMINI_TOKEN = "messages.reasoning: a signature made by gemini was dropped";
const UNSIGNED_CALL = "messages: changed: a call without Gemini's thought signature goes unchecked";
const FREE_TEXT = "tools[0]: changed: a free-text tool is sent as a function with `input`";
const EMULATED =
  "response_format: emulated: asked for as the arguments of a tool, json_answer, that must be called";
const NO_SUMMARY = "reasoning.summary: this provider cannot be asked for a summary";

const UNMARKED_FAILURE = "messages.content.is_error: a tool result cannot be marked as failed here";
const UNSIGNED = "messages.reasoning: reasoning without a signature was dropped";
const ANTHROPIC_TOKEN = "messages.reasoning: a signature made by anthropic was dropped";
const OPENAI_TOKEN = "messages.reasoning: a signature made by openai was dropped";
const ON_OR_OFF = "reasoning_effort: changed: thinking is on or off here";

export const LOSSES: Readonly<Record<string, readonly DeclaredLoss[]>> = {
  "system-between": [
    changed(
      "anthropic-messages",
      OPENAI,
      "messages[2]: changed: a system message inside the conversation becomes user",
    ),
    changed(
      "gemini",
      NOT_GEMINI,
      "messages[2]: changed: a system message that is not at the start becomes user",
    ),
    changed(
      "bedrock-converse",
      NOT_GEMINI,
      "messages: changed: a later system message became part of a user turn",
    ),
  ],
  "image-url": [
    dropped(
      "bedrock-converse",
      ALL,
      "messages.content: a image by URL cannot be read here; dropped",
    ),
  ],
  pdf: [
    changed("gemini", NOT_GEMINI, "messages[0].content[1].filename: cannot be said"),
    dropped("cohere", ALL, "messages.content: file cannot be sent to Cohere; it was dropped"),
  ],
  audio: [
    dropped(
      "anthropic-messages",
      OPENAI,
      "messages[0].content[1]: audio is not understood; only its transcript is sent",
    ),
    dropped(
      "anthropic-messages",
      ["gemini"],
      "contents[0].content[1]: audio is not understood; only its transcript is sent",
    ),
    dropped(
      "cohere",
      NOT_MESSAGES,
      "messages.content: audio cannot be sent to Cohere; it was dropped",
    ),
  ],
  video: [
    dropped(
      "openai-responses",
      SAMPLERS,
      "messages.content: video cannot stand in this message; it was dropped",
    ),
    dropped(
      "anthropic-messages",
      ["openai-chat"],
      "messages[0].content[1]: video is not understood",
    ),
    dropped("anthropic-messages", ["gemini"], "contents[0].content[1]: video is not understood"),
    dropped("cohere", SAMPLERS, "messages.content: video cannot be sent to Cohere; it was dropped"),
  ],
  "tool-call": [changed("cohere", ALL, "tool_choice: changed: the other tools are not offered")],
  "tool-serial": [
    dropped("gemini", NOT_GEMINI, "parallel_tool_calls: Gemini cannot say it"),
    dropped(
      "bedrock-converse",
      NOT_GEMINI,
      "parallel_tool_calls: parallel calls cannot be switched off",
    ),
    dropped("cohere", NOT_GEMINI, "parallel_tool_calls: Cohere has no such member"),
  ],
  "tool-custom": [
    changed("openai-chat", OPENAI, "tools[0]: changed: a custom tool is sent as a function"),
    changed("anthropic-messages", OPENAI, FREE_TEXT),
    changed("gemini", OPENAI, FREE_TEXT),
    changed("bedrock-converse", OPENAI, FREE_TEXT),
    changed("cohere", OPENAI, FREE_TEXT),
  ],
  "tool-result": [
    changed("openai-responses", ["gemini"], GEMINI_TOKEN),
    changed("anthropic-messages", ["gemini"], GEMINI_TOKEN),
    changed("gemini", NOT_GEMINI, UNSIGNED_CALL),
    changed("bedrock-converse", ["gemini"], GEMINI_TOKEN),
    changed("cohere", ["gemini"], GEMINI_TOKEN),
  ],
  "tool-result-error": [
    changed(
      "openai-chat",
      ["anthropic-messages", "gemini"],
      "tool_result.is_error: this protocol does not mark failed tool calls",
    ),
    changed("openai-responses", ["anthropic-messages"], UNMARKED_FAILURE),
    changed("openai-responses", ["gemini"], GEMINI_TOKEN, UNMARKED_FAILURE),
    changed("anthropic-messages", ["gemini"], GEMINI_TOKEN),
    changed("gemini", ["anthropic-messages"], UNSIGNED_CALL),
    changed("bedrock-converse", ["gemini"], GEMINI_TOKEN),
    changed("cohere", ["anthropic-messages"], UNMARKED_FAILURE),
    changed("cohere", ["gemini"], GEMINI_TOKEN, UNMARKED_FAILURE),
  ],
  "tool-result-image": [
    changed(
      "openai-chat",
      ["openai-responses", "anthropic-messages", "gemini"],
      "tool_result.content: changed: media is sent in a user message after it",
    ),
    changed("openai-responses", ["gemini"], GEMINI_TOKEN),
    changed("anthropic-messages", ["gemini"], GEMINI_TOKEN),
    changed("gemini", NOT_GEMINI, UNSIGNED_CALL),
    changed("bedrock-converse", ["gemini"], GEMINI_TOKEN),
    dropped(
      "cohere",
      NOT_GEMINI,
      "messages.content: image has no place in a tool result; it was dropped",
    ),
    dropped(
      "cohere",
      ["gemini"],
      GEMINI_TOKEN,
      "messages.content: image has no place in a tool result; it was dropped",
    ),
  ],
  "json-object": [
    changed("anthropic-messages", NOT_MESSAGES, EMULATED),
    changed("bedrock-converse", NOT_MESSAGES, EMULATED),
  ],
  reasoning: [
    changed("openai-chat", ["openai-responses", "gemini"], NO_SUMMARY),
    changed("gemini", ["anthropic-messages"], "content.text: its thought signature is not kept"),
    changed("cohere", ALL, ON_OR_OFF),
  ],
  "reasoning-replay": [
    changed("openai-chat", ["openai-responses", "gemini"], NO_SUMMARY),
    changed(
      "gemini",
      OPENAI,
      "messages.reasoning: reasoning without Gemini's own token is not sent on",
    ),
    dropped(
      "gemini",
      ["anthropic-messages"],
      "messages.reasoning: reasoning without Gemini's own token is not sent on",
    ),
    changed("cohere", ALL, ON_OR_OFF),
  ],
  "reasoning-tool-loop": [
    changed("openai-chat", ["openai-responses", "gemini"], NO_SUMMARY),
    changed(
      "gemini",
      NOT_GEMINI,
      "messages.reasoning: reasoning without Gemini's own token is not sent on",
    ),
    changed("cohere", ALL, ON_OR_OFF),
  ],
  "reasoning-switch": [
    changed("openai-chat", ["openai-responses", "gemini"], NO_SUMMARY),
    changed("openai-responses", ALL, ANTHROPIC_TOKEN),
    changed("anthropic-messages", ALL, OPENAI_TOKEN),
    changed("gemini", ALL, ANTHROPIC_TOKEN, UNSIGNED_CALL),
    changed("bedrock-converse", ALL, UNSIGNED, GEMINI_TOKEN),
    changed("cohere", ALL, ANTHROPIC_TOKEN, ON_OR_OFF),
  ],
  "reasoning-switch-text": [
    changed("openai-chat", ["openai-responses", "gemini"], NO_SUMMARY),
    changed("openai-responses", ALL, ANTHROPIC_TOKEN),
    changed("anthropic-messages", ALL, OPENAI_TOKEN),
    changed("gemini", ALL, ANTHROPIC_TOKEN),
    changed("bedrock-converse", NOT_MESSAGES, GEMINI_TOKEN, UNSIGNED),
    changed("bedrock-converse", ["anthropic-messages"], UNSIGNED),
    changed("cohere", ALL, ANTHROPIC_TOKEN, ON_OR_OFF),
  ],
  logprobs: [
    dropped("anthropic-messages", NOT_MESSAGES, "logprobs: Anthropic Messages cannot say it"),
    dropped("bedrock-converse", NOT_MESSAGES, "logprobs: the Converse API has no such member"),
    changed("cohere", NOT_MESSAGES, "top_logprobs: Cohere has no such member"),
  ],
  stop: [
    dropped(
      "openai-responses",
      ["openai-chat", "anthropic-messages", "gemini"],
      "stop: the Responses API has no stop sequences",
    ),
  ],
  n: [
    dropped("openai-responses", SAMPLERS, "n: the Responses API gives one answer"),
    dropped("anthropic-messages", SAMPLERS, "n: only one answer is given"),
    dropped("bedrock-converse", SAMPLERS, "n: the Converse API gives one answer"),
    dropped("cohere", SAMPLERS, "n: Cohere has no such member"),
  ],
  seed: [
    dropped("openai-responses", SAMPLERS, "seed: the Responses API has no such member"),
    dropped("anthropic-messages", SAMPLERS, "seed: Anthropic Messages cannot say it"),
    dropped("bedrock-converse", SAMPLERS, "seed: the Converse API has no such member"),
  ],
  "top-p-k": [
    changed(
      "openai-responses",
      ["openai-chat", "anthropic-messages", "gemini"],
      "top_k: the Responses API has no such member",
    ),
  ],
  penalties: [
    dropped(
      "openai-responses",
      SAMPLERS,
      "frequency_penalty: the Responses API has no such member",
      "presence_penalty: the Responses API has no such member",
    ),
    dropped(
      "anthropic-messages",
      SAMPLERS,
      "frequency_penalty: Anthropic Messages cannot say it",
      "presence_penalty: Anthropic Messages cannot say it",
    ),
    dropped(
      "bedrock-converse",
      SAMPLERS,
      "frequency_penalty: the Converse API has no such member",
      "presence_penalty: the Converse API has no such member",
    ),
  ],
  "logit-bias": [
    dropped(
      "openai-responses",
      ["openai-chat"],
      "logit_bias: the Responses API has no such member",
    ),
    dropped("anthropic-messages", ["openai-chat"], "logit_bias: Anthropic Messages cannot say it"),
    dropped("gemini", ["openai-chat"], "logit_bias: Gemini cannot say it"),
    dropped("bedrock-converse", ["openai-chat"], "logit_bias: the Converse API has no such member"),
    dropped("cohere", ["openai-chat"], "logit_bias: Cohere has no such member"),
  ],
  "cache-control": [
    dropped(
      "openai-responses",
      ["openai-chat", "anthropic-messages"],
      "cache_control: caching is automatic; breakpoints are not sent",
    ),
    dropped(
      "gemini",
      ["openai-chat", "anthropic-messages"],
      "cache_control: Gemini caches without being asked",
    ),
    dropped(
      "cohere",
      ["openai-chat", "anthropic-messages"],
      "cache_control: Cohere has no such member",
    ),
  ],
  "prompt-cache-key": [
    dropped("anthropic-messages", OPENAI, "prompt_cache_key: Anthropic Messages cannot say it"),
    dropped("gemini", OPENAI, "prompt_cache_key: Gemini cannot say it"),
    dropped("bedrock-converse", OPENAI, "prompt_cache_key: the Converse API has no such member"),
    dropped("cohere", OPENAI, "prompt_cache_key: Cohere has no such member"),
  ],
  "service-tier": [
    dropped(
      "anthropic-messages",
      NOT_MESSAGES,
      "service_tier: the tier priority has no counterpart",
    ),
    dropped("cohere", NOT_MESSAGES, "service_tier: Cohere has no such member"),
  ],
  user: [
    dropped("gemini", NOT_GEMINI, "user: Gemini cannot say it"),
    dropped("bedrock-converse", NOT_GEMINI, "user: the Converse API has no such member"),
    dropped("cohere", NOT_GEMINI, "user: Cohere has no such member"),
  ],
  metadata: [
    dropped("anthropic-messages", OPENAI, "metadata: Anthropic Messages cannot say it"),
    dropped("gemini", OPENAI, "metadata: Gemini cannot say it"),
    dropped("bedrock-converse", OPENAI, "metadata: the Converse API has no such member"),
    dropped("cohere", OPENAI, "metadata: Cohere has no such member"),
  ],
  "unknown-member": [
    dropped(
      "openai-chat",
      ["openai-responses", "anthropic-messages"],
      "brand_new: chat completions have no such member",
    ),
    dropped("openai-chat", ["gemini"], "brandNew: chat completions have no such member"),
    dropped(
      "openai-responses",
      ["openai-chat", "anthropic-messages"],
      "brand_new: the Responses API has no such member",
    ),
    dropped("openai-responses", ["gemini"], "brandNew: the Responses API has no such member"),
    dropped("anthropic-messages", OPENAI, "brand_new: Anthropic Messages cannot say it"),
    dropped("anthropic-messages", ["gemini"], "brandNew: Anthropic Messages cannot say it"),
    dropped("gemini", NOT_GEMINI, "brand_new: Gemini cannot say it"),
    dropped("bedrock-converse", NOT_GEMINI, "brand_new: the Converse API has no such member"),
    dropped("bedrock-converse", ["gemini"], "brandNew: the Converse API has no such member"),
    dropped("cohere", NOT_GEMINI, "brand_new: Cohere has no such member"),
    dropped("cohere", ["gemini"], "brandNew: Cohere has no such member"),
  ],
  "web-search": [
    dropped("openai-chat", ["openai-responses"], "tools[0]: only openai-responses has it"),
    dropped("openai-chat", ["anthropic-messages"], "tools[0]: only anthropic-messages has it"),
    dropped("openai-chat", ["gemini"], "tools[0]: only gemini has it"),
    changed(
      "anthropic-messages",
      NOT_MESSAGES,
      "tools[0]: changed: replaced by Anthropic's own tool of this kind; its options are dropped",
    ),
    changed(
      "gemini",
      NOT_GEMINI,
      "tools[0]: changed: replaced by Google's own tool of this kind; its options are dropped",
    ),
    dropped("bedrock-converse", ALL, "tools[0]: this server tool has no counterpart here"),
    dropped("cohere", ALL, "tools[0]: this server tool has no counterpart here"),
  ],
};
