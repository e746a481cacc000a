import type { Dialect } from "#protocols/codec.ts";

import type { OperationSpeech, RateLimitHeaders, Speech } from "./provider.ts";

/** OpenAI Chat Completions behind the base URL. */
export const chat = (dialect: Dialect = {}): Speech => ({
  protocol: "openai-chat",
  dialect,
  path: "/chat/completions",
});

/** OpenAI Responses behind the base URL. */
export const responses = (dialect: Dialect = {}): Speech => ({
  protocol: "openai-responses",
  dialect,
  path: "/responses",
});

/** Anthropic Messages; `baseUrl` where the surface does not lie behind the provider's own. */
export const messages = (
  path = "/v1/messages",
  rest: Pick<Speech, "baseUrl" | "models"> = {},
): Speech => ({
  protocol: "anthropic-messages",
  dialect: {},
  path,
  headers: { "anthropic-version": "2023-06-01" },
  ...rest,
});

export const EMBEDDINGS: OperationSpeech = { protocol: "openai-embeddings", path: "/embeddings" };
export const MODERATIONS: OperationSpeech = {
  protocol: "openai-moderations",
  path: "/moderations",
};

/** Rerankers that take `top_n` and answer `results[].relevance_score`, as Jina's. */
export const RERANK: OperationSpeech = { protocol: "jina-rerank", path: "/rerank" };

/** Headers as OpenAI names them, without resets (xAI sends none). */
export const REMAINING_HEADERS = {
  remainingRequests: "x-ratelimit-remaining-requests",
  remainingTokens: "x-ratelimit-remaining-tokens",
} as const satisfies RateLimitHeaders;

/** Headers as OpenAI sends them, resets as `1s` or `6m0s`. */
export const OPENAI_HEADERS = {
  ...REMAINING_HEADERS,
  resetRequests: "x-ratelimit-reset-requests",
  resetTokens: "x-ratelimit-reset-tokens",
  resetFormat: "duration",
} as const satisfies RateLimitHeaders;
