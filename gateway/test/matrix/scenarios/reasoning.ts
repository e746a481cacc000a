import { WRAPPED_SIGNATURE_PREFIX } from "#canonical/signature.ts";

import type { Answer, Scenario, ScenarioGroup, Upstream } from "../scenario.ts";
import { all, anyOf, mentions, some, without } from "../matches.ts";

const usage = { input: 50, output: 40, reasoning: 30 };

const THOUGHT: Answer = {
  reasoning: ["First I ", "think."],
  text: ["Hel", "lo"],
  signed: true,
  finish: "stop",
  usage,
};

const ASK: Scenario["ask"] = {
  "openai-chat": { reasoning_effort: "high" },
  "openai-responses": {
    reasoning: { effort: "high", summary: "auto" },
    include: ["reasoning.encrypted_content"],
  },
  "anthropic-messages": { thinking: { type: "adaptive" }, output_config: { effort: "high" } },
  gemini: {
    generationConfig: { thinkingConfig: { thinkingLevel: "high", includeThoughts: true } },
  },
};

/** The same with a tool, whose call the model makes after it thought. */
const WITH_TOOL: Scenario["ask"] = {
  "openai-chat": {
    ...(ASK["openai-chat"] as object),
    tools: [{ type: "function", function: { name: "now", parameters: { type: "object" } } }],
  },
  "openai-responses": {
    ...(ASK["openai-responses"] as object),
    tools: [{ type: "function", name: "now", parameters: { type: "object" }, strict: false }],
  },
  "anthropic-messages": {
    ...(ASK["anthropic-messages"] as object),
    tools: [{ name: "now", input_schema: { type: "object" } }],
  },
  gemini: {
    ...(ASK.gemini as object),
    tools: [{ functionDeclarations: [{ name: "now", parametersJsonSchema: { type: "object" } }] }],
  },
};

const ASKED: Scenario["sent"] = {
  "openai-chat": anyOf({ reasoning_effort: "high" }, { reasoning: { effort: "high" } }),
  "openai-responses": { reasoning: { effort: "high" } },
  "anthropic-messages": { thinking: { type: "adaptive" }, output_config: { effort: "high" } },
  gemini: { generationConfig: { thinkingConfig: { thinkingLevel: "high" } } },
  "bedrock-converse": {
    additionalModelRequestFields: { thinking: { type: "adaptive" } },
    outputConfig: { effort: "high" },
  },
  cohere: { thinking: { type: "enabled" } },
};

const CALL: Answer = {
  ...THOUGHT,
  text: [],
  calls: [{ id: "call_now_1", name: "now", input: ["{}"] }],
  finish: "tool-calls",
};

const upstreams: readonly Upstream[] = [
  "openai-chat",
  "openai-responses",
  "anthropic-messages",
  "gemini",
  "bedrock-converse",
  "cohere",
];

/** What must not reach a provider that did not make it; the last is the gateway's own wrapping. */
const TOKENS = [
  "ErchatSignature==",
  "gAAAAAopaqueReasoning==",
  "ErUBanthropicSignature==",
  "CiQBgeminiThought==",
  "ErcBbedrockSignature",
  WRAPPED_SIGNATURE_PREFIX,
];

/** The token of each provider where that provider wants it back. */
const RETURNED: Scenario["sent"] = {
  "openai-chat": {
    messages: some({
      role: "assistant",
      reasoning_details: some({ type: "reasoning.text", signature: "ErchatSignature==" }),
    }),
  },
  "openai-responses": {
    input: some({ type: "reasoning", encrypted_content: "gAAAAAopaqueReasoning==" }),
  },
  "anthropic-messages": {
    messages: some({
      role: "assistant",
      content: some({
        type: "thinking",
        thinking: "First I think.",
        signature: "ErUBanthropicSignature==",
      }),
    }),
  },
  gemini: {
    contents: some({ role: "model", parts: some({ thoughtSignature: "CiQBgeminiThought==" }) }),
  },
  "bedrock-converse": {
    messages: some({
      role: "assistant",
      content: some({
        reasoningContent: {
          reasoningText: { text: "First I think.", signature: "ErcBbedrockSignature" },
        },
      }),
    }),
  },
  cohere: {
    messages: some({
      role: "assistant",
      content: some({ type: "thinking", thinking: "First I think." }),
    }),
  },
};

const REDACTED: Scenario["sent"] = {
  ...(Object.fromEntries(upstreams.map((name) => [name, {}])) as Scenario["sent"]),
  "anthropic-messages": {
    messages: some({
      role: "assistant",
      content: some({ type: "redacted_thinking", data: "ErUBanthropicSignature==" }),
    }),
  },
  "bedrock-converse": {
    messages: some({
      role: "assistant",
      content: some({
        reasoningContent: {
          redactedContent: Buffer.from("ErcBbedrockSignature", "latin1").toString("base64"),
        },
      }),
    }),
  },
};

export const REASONING: ScenarioGroup = {
  title: "Reasoning",
  scenarios: [
    {
      id: "reasoning",
      title: "asked for, and shown",
      ask: ASK,
      sent: ASKED,
      answer: THOUGHT,
      look: ["reasoning", "reasoningTokens"],
    },
    {
      id: "reasoning-replay",
      title: "sent back on the next turn to the same provider, with its token",
      ask: ASK,
      sent: RETURNED,
      answer: THOUGHT,
      look: ["reasoning"],
      replay: "same",
    },
    {
      id: "reasoning-tool-loop",
      title: "sent back with the result of a call, to the same provider",
      ask: WITH_TOOL,
      sent: RETURNED,
      answer: CALL,
      look: ["reasoning", "calls"],
      replay: "same",
    },
    {
      id: "reasoning-switch",
      title:
        "sent back with the result of a call, to another provider: no foreign token reaches it",
      ask: WITH_TOOL,
      sent: Object.fromEntries(
        upstreams.map((name) => [
          name,
          all(mentions("42 degrees"), ...TOKENS.map((token) => without(token))),
        ]),
      ) as unknown as Scenario["sent"],
      answer: CALL,
      replay: "other",
    },
    {
      id: "reasoning-switch-text",
      title: "an answer after thought, sent back to another provider",
      ask: ASK,
      sent: Object.fromEntries(
        upstreams.map((name) => [
          name,
          all(mentions("And now?"), mentions("lo"), ...TOKENS.map((token) => without(token))),
        ]),
      ) as unknown as Scenario["sent"],
      answer: THOUGHT,
      replay: "other",
    },
    {
      id: "reasoning-redacted",
      title: "redacted thinking, sent back",
      ask: ASK,
      sent: REDACTED,
      answer: { ...THOUGHT, reasoning: [], redacted: true },
      replay: "same",
    },
  ],
};
