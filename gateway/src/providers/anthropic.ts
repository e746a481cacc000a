import { bearer, firstOf, header } from "./auth.ts";
import type { Provider } from "./provider.ts";
import { messages } from "./speeches.ts";

export const ANTHROPIC = {
  label: "Anthropic",
  // Without `/v1`: that is how ANTHROPIC_BASE_URL is written for Anthropic's own SDKs.
  baseUrl: "https://api.anthropic.com",
  auth: firstOf(
    header("x-api-key", "ANTHROPIC_API_KEY", "CLAUDE_API_KEY"),
    bearer("ANTHROPIC_AUTH_TOKEN"),
  ),
  speaks: [{ ...messages(), countPath: "/v1/messages/count_tokens" }],
  rateLimitHeaders: {
    remainingRequests: "anthropic-ratelimit-requests-remaining",
    remainingTokens: "anthropic-ratelimit-tokens-remaining",
    resetRequests: "anthropic-ratelimit-requests-reset",
    resetTokens: "anthropic-ratelimit-tokens-reset",
    resetFormat: "rfc3339",
  },
  cancelStopsBilling: true,
  retention: {
    // The page refers to the commercial terms for the default period.
    days: null,
    trainsOnApiData: null,
    zeroRetentionOffered: true,
    source: "https://platform.claude.com/docs/en/manage-claude/api-and-data-retention",
    date: "2026-11-21",
  },
  checkPath: "/v1/models",
} as const satisfies Provider;
