import type { UpstreamProtocol } from "../../gateway/src/canonical/protocol-name.ts";
import { ANTHROPIC_MESSAGES } from "../../gateway/test/sdk/wire/anthropic-messages.ts";
import { BEDROCK_CONVERSE } from "../../gateway/test/sdk/wire/bedrock-converse.ts";
import { COHERE } from "../../gateway/test/sdk/wire/cohere.ts";
import { GEMINI } from "../../gateway/test/sdk/wire/gemini.ts";
import { OPENAI_CHAT } from "../../gateway/test/sdk/wire/openai-chat.ts";
import { OPENAI_RESPONSES } from "../../gateway/test/sdk/wire/openai-responses.ts";
import type { Wire } from "../../gateway/test/sdk/wire/wire.ts";

/** A protocol that agents are led to, by a model of a provider that speaks nothing else for it. */
export interface Dialect {
  readonly wire: Wire;
  readonly model: string;
  /** Makes the gateway know that provider, at the fake one's address. */
  readonly env: (origin: string) => Readonly<Record<string, string>>;
  /** Where the protocol has opaque tokens, which have to come back with the history. */
  readonly signs?: "reasoning" | "calls";
}

export const DIALECTS: Readonly<Record<UpstreamProtocol, Dialect>> = {
  "openai-chat": {
    wire: OPENAI_CHAT,
    model: "groq/openai/gpt-oss-120b",
    env: (origin) => ({ GROQ_API_KEY: "gsk-upstream", GROQ_BASE_URL: `${origin}/openai/v1` }),
  },
  "openai-responses": {
    wire: OPENAI_RESPONSES,
    model: "openai/gpt-5.3-codex",
    env: (origin) => ({ OPENAI_API_KEY: "sk-upstream", OPENAI_BASE_URL: `${origin}/v1` }),
    signs: "reasoning",
  },
  "anthropic-messages": {
    wire: ANTHROPIC_MESSAGES,
    model: "anthropic/claude-sonnet-4-6",
    env: (origin) => ({ ANTHROPIC_API_KEY: "sk-ant-upstream", ANTHROPIC_BASE_URL: origin }),
    signs: "reasoning",
  },
  gemini: {
    wire: GEMINI,
    model: "google/gemini-3.5-flash",
    env: (origin) => ({ GEMINI_API_KEY: "upstream", GEMINI_BASE_URL: `${origin}/v1beta` }),
    signs: "calls",
  },
  "bedrock-converse": {
    wire: BEDROCK_CONVERSE,
    model: "bedrock/us.anthropic.claude-sonnet-4-6",
    env: (origin) => ({ AWS_BEARER_TOKEN_BEDROCK: "upstream", BEDROCK_BASE_URL: origin }),
    signs: "reasoning",
  },
  cohere: {
    wire: COHERE,
    model: "cohere/command-a-03-2025",
    env: (origin) => ({ COHERE_API_KEY: "upstream", COHERE_BASE_URL: origin }),
  },
};
