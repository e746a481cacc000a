import { bearer } from "./auth.ts";
import type { Provider } from "./provider.ts";

export const COHERE = {
  label: "Cohere",
  baseUrl: "https://api.cohere.com",
  auth: bearer("COHERE_API_KEY", "CO_API_KEY"),
  speaks: [{ protocol: "cohere", dialect: {}, path: "/v2/chat" }],
  embeddings: { protocol: "cohere-embed", path: "/v2/embed" },
  rerank: { protocol: "cohere-rerank", path: "/v2/rerank" },
  cancelStopsBilling: true,
  checkPath: "/v1/models",
} as const satisfies Provider;
