import { firstOf, header } from "./auth.ts";
import { ENTRA } from "./entra.ts";
import type { Provider } from "./provider.ts";
import { OPENAI_HEADERS, messages } from "./speeches.ts";

/**
 * Azure's v1 surface, which takes the name of the deployment as `model` and needs no api-version.
 * The operator's names of deployments are the models.
 */
export const AZURE = {
  label: "Azure AI Foundry",
  baseUrl: "https://{resource}.openai.azure.com",
  variables: {
    resource: { env: ["AZURE_RESOURCE_NAME", "AZURE_OPENAI_RESOURCE", "AZURE_FOUNDRY_RESOURCE"] },
  },
  baseUrlEnv: ["AZURE_OPENAI_ENDPOINT", "AZURE_API_BASE", "AZURE_AI_ENDPOINT"],
  auth: firstOf(
    header("api-key", "AZURE_API_KEY", "AZURE_OPENAI_API_KEY", "AZURE_AI_API_KEY"),
    ENTRA,
  ),
  speaks: [
    {
      ...messages("/anthropic/v1/messages", { models: /^claude/ }),
      baseUrl: "https://{resource}.services.ai.azure.com",
    },
    {
      protocol: "openai-chat",
      dialect: { maxTokensField: "max_completion_tokens", customTools: true },
      path: "/openai/v1/chat/completions",
      models: /^(?!claude)/,
    },
    {
      protocol: "openai-responses",
      dialect: {},
      path: "/openai/v1/responses",
      models: /^(?!claude)/,
    },
  ],
  embeddings: { protocol: "openai-embeddings", path: "/openai/v1/embeddings" },
  rateLimitHeaders: { ...OPENAI_HEADERS, resetFormat: "seconds" },
  cancelStopsBilling: true,
  retention: {
    days: null,
    trainsOnApiData: null,
    zeroRetentionOffered: true,
    source: "https://learn.microsoft.com/en-us/questions/5834904/enable-zero-data-retention",
    date: "2026-11-21",
  },
  checkPath: "/openai/v1/models",
} as const satisfies Provider;
