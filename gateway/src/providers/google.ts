import { header } from "./auth.ts";
import type { Provider, UrlTarget } from "./provider.ts";

const generatePath = ({ model, stream }: UrlTarget): string =>
  `/v1beta/models/${model}:${stream ? "streamGenerateContent?alt=sse" : "generateContent"}`;

export const GOOGLE = {
  label: "Google AI Studio",
  baseUrl: "https://generativelanguage.googleapis.com",
  baseUrlEnv: ["GOOGLE_GEMINI_BASE_URL"],
  auth: header(
    "x-goog-api-key",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "GOOGLE_GENERATIVE_AI_API_KEY",
  ),
  speaks: [{ protocol: "gemini", dialect: {}, path: generatePath }],
  embeddings: {
    protocol: "gemini-embed",
    path: ({ model }: UrlTarget) => `/v1beta/models/${model}:batchEmbedContents`,
  },
  cancelStopsBilling: false,
  retention: {
    days: 55,
    // Paid services: no; the free tier: yes. A key does not tell which it is.
    trainsOnApiData: null,
    zeroRetentionOffered: true,
    source: "https://ai.google.dev/gemini-api/docs/usage-policies",
    date: "2026-11-21",
  },
  checkPath: "/v1beta/models",
} as const satisfies Provider;
