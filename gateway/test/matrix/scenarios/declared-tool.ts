import type { JsonObject } from "#lib/json.ts";
import { all } from "../matches.ts";
import type { Scenario } from "../scenario.ts";

export const SCHEMA = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
export const DESCRIPTION = "The weather of a city";

/** The tool as each client declares it. */
export function declared(name: string, schema: JsonObject = SCHEMA) {
  const declaration = { name, description: DESCRIPTION };
  return {
    "openai-chat": {
      tools: [{ type: "function", function: { ...declaration, parameters: schema } }],
    },
    "openai-responses": {
      tools: [{ type: "function", ...declaration, parameters: schema, strict: false }],
    },
    "anthropic-messages": { tools: [{ ...declaration, input_schema: schema }] },
    gemini: {
      tools: [{ functionDeclarations: [{ ...declaration, parametersJsonSchema: schema }] }],
    },
  };
}

/** The tool as each provider must get it. */
export function received(name: unknown, schema: unknown = SCHEMA) {
  const declaration = { name, description: DESCRIPTION };
  return {
    "openai-chat": {
      tools: [{ type: "function", function: { ...declaration, parameters: schema } }],
    },
    "openai-responses": { tools: [{ type: "function", ...declaration, parameters: schema }] },
    "anthropic-messages": { tools: [{ ...declaration, input_schema: schema }] },
    gemini: {
      tools: [{ functionDeclarations: [{ ...declaration, parametersJsonSchema: schema }] }],
    },
    "bedrock-converse": {
      toolConfig: { tools: [{ toolSpec: { ...declaration, inputSchema: { json: schema } } }] },
    },
    cohere: { tools: [{ type: "function", function: { ...declaration, parameters: schema } }] },
  };
}

export type ByUpstream = Scenario["sent"];

export const both = (first: ByUpstream, second: Readonly<Record<string, unknown>>): ByUpstream =>
  Object.fromEntries(
    Object.entries(first).map(([key, value]) => [key, all(value, second[key] ?? {})]),
  ) as unknown as ByUpstream;

export const merged = <Ask extends Scenario["ask"]>(
  first: Ask,
  second: Record<string, object>,
): Ask =>
  Object.fromEntries(
    Object.entries(first).map(([key, value]) => [
      key,
      typeof value === "string" ? value : { ...value, ...second[key] },
    ]),
  ) as Ask;
