import { invalidRequest } from "#canonical/failure.ts";

import { bearer, header } from "./auth.ts";
import { checkBaseUrl } from "./base-url.ts";
import type { Auth, Provider } from "./provider.ts";
import { EMBEDDINGS, MODERATIONS, RERANK, chat, messages, responses } from "./speeches.ts";

const ID = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** What a server that is not in the table may be compatible with. */
export type CustomProtocol = "openai-chat" | "openai-responses" | "anthropic-messages";

/** A key is given in the settings or not at all: many servers of one's own want none. */
const withoutKey = (auth: Auth): Auth => ({
  ...auth,
  discover: () => ({ variable: "", authorize: () => ({}) }),
});

const OPENAI_OPERATIONS = { embeddings: EMBEDDINGS, rerank: RERANK, moderations: MODERATIONS };

const SURFACES = {
  "openai-chat": { auth: withoutKey(bearer()), speaks: [chat()], ...OPENAI_OPERATIONS },
  "openai-responses": {
    auth: withoutKey(bearer()),
    speaks: [responses(), chat()],
    ...OPENAI_OPERATIONS,
  },
  "anthropic-messages": { auth: withoutKey(header("x-api-key")), speaks: [messages()] },
} as const satisfies Record<CustomProtocol, Partial<Provider>>;

interface CustomServer {
  readonly baseUrl: string | undefined;
  readonly compatible: CustomProtocol | undefined;
}

/** The row of a server that only the operator knows. */
export function customProvider(id: string, server: CustomServer): Provider {
  if (!ID.test(id)) {
    throw invalidRequest("id", "A provider id is lower-case letters, digits and dashes.");
  }
  if (server.baseUrl === undefined) {
    throw invalidRequest("baseUrl", `${id} is not a known provider: give its baseUrl.`);
  }
  return {
    label: id,
    baseUrl: checkBaseUrl(server.baseUrl, "baseUrl"),
    ...SURFACES[server.compatible ?? "openai-chat"],
    cancelStopsBilling: null,
  };
}
