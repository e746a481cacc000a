import type { JsonObject } from "#lib/json.ts";

const text = { type: "string" } as const;
const messages = {
  type: "array",
  items: {
    type: "object",
    properties: { role: text, content: {} },
    required: ["role", "content"],
  },
} as const;
const SAID = [{ role: "user", content: "Hello" }] as const;
const tokens = { type: "integer", minimum: 1 } as const;
const stream = { type: "boolean" } as const;

/** What a paid route takes at least: as much as catalogues of paid services need to show and try it. */
export interface RouteInput {
  readonly summary: string;
  readonly required: readonly string[];
  readonly properties: JsonObject;
  readonly example: JsonObject;
}

/** Paid routes by their paths. They take all that their APIs do: this is the least of it. */
export const ROUTE_INPUTS: Readonly<Record<string, RouteInput>> = {
  "/v1/chat/completions": {
    summary: "Chat, as OpenAI's Chat Completions",
    required: ["model", "messages"],
    properties: { model: text, messages, max_tokens: tokens, stream },
    example: { model: "auto", max_tokens: 200, messages: SAID },
  },
  "/v1/completions": {
    summary: "Completions, as OpenAI's legacy API",
    required: ["model", "prompt"],
    properties: { model: text, prompt: {}, max_tokens: tokens, stream },
    example: { model: "auto", max_tokens: 200, prompt: "Hello" },
  },
  "/v1/responses": {
    summary: "Responses, as OpenAI's",
    required: ["model", "input"],
    properties: { model: text, input: {}, max_output_tokens: tokens, stream },
    example: { model: "auto", max_output_tokens: 200, input: "Hello" },
  },
  "/v1/messages": {
    summary: "Messages, as Anthropic's",
    required: ["model", "max_tokens", "messages"],
    properties: { model: text, messages, max_tokens: tokens, stream },
    example: { model: "auto", max_tokens: 200, messages: SAID },
  },
  "/v1/embeddings": {
    summary: "Embeddings, as OpenAI's",
    required: ["model", "input"],
    properties: { model: text, input: {} },
    example: { model: "openai/text-embedding-3-small", input: "Hello" },
  },
  "/v1/rerank": {
    summary: "Rerank: documents by how well they answer a query",
    required: ["model", "query", "documents"],
    properties: { model: text, query: text, documents: { type: "array" } },
    example: { model: "cohere/rerank-v3.5", query: "Hello", documents: ["Hi", "Bye"] },
  },
  "/v1/moderations": {
    summary: "Moderations, as OpenAI's",
    required: ["input"],
    properties: { model: text, input: {} },
    example: { input: "Hello" },
  },
};

/** A route's body as JSON Schema. */
export const inputSchemaOf = ({ required, properties }: RouteInput): JsonObject => ({
  type: "object",
  required,
  properties,
});

/** Member of a 402's `extensions` by which facilitators' catalogues list a route; `{}`: it is not described. */
export function bazaarOf(path: string): Readonly<Record<string, unknown>> {
  const input = ROUTE_INPUTS[path];
  if (input === undefined) return {};
  return {
    bazaar: {
      info: { input: { type: "http", method: "POST", bodyType: "json", body: input.example } },
      schema: {
        $schema: "https://json-schema.org/draft/2020-12/schema",
        type: "object",
        properties: {
          input: {
            type: "object",
            properties: {
              type: { type: "string", const: "http" },
              method: { type: "string", enum: ["POST"] },
              bodyType: { type: "string", enum: ["json"] },
              body: inputSchemaOf(input),
            },
            required: ["type", "method", "bodyType", "body"],
            additionalProperties: false,
          },
        },
        required: ["input"],
      },
    },
  };
}
