import { bearer } from "./auth.ts";
import type { Provider } from "./provider.ts";
import { EMBEDDINGS, MODERATIONS, OPENAI_HEADERS, chat, responses } from "./speeches.ts";

export const OPENAI = {
  label: "OpenAI",
  baseUrl: "https://api.openai.com/v1",
  auth: bearer("OPENAI_API_KEY"),
  speaks: [
    {
      ...chat({
        maxTokensField: "max_completion_tokens",
        developerRole: true,
        customTools: true,
      }),
      // These answer over Responses alone: chat gives 404.
      models: /^(?!.*(?:codex|deep-research|computer-use)|o\d+-pro|gpt-5(?:\.\d+)?-pro)/,
    },
    responses(),
  ],
  embeddings: EMBEDDINGS,
  moderations: MODERATIONS,
  rateLimitHeaders: OPENAI_HEADERS,
  cancelStopsBilling: true,
  retention: {
    days: 30,
    trainsOnApiData: false,
    zeroRetentionOffered: true,
    source: "https://developers.openai.com/api/docs/guides/your-data",
    date: "2026-11-21",
  },
} as const satisfies Provider;
