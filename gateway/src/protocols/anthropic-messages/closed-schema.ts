import { isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";

/** A schema that refers to itself by nesting does not exist in JSON; this bounds malicious depth. */
const MAX_DEPTH = 50;

/**
 * The schema with `additionalProperties: false` on every object that leaves it open: Anthropic
 * answers 400 to such a schema of an answer. The same object when there is nothing to do.
 */
export function closedSchema(schema: JsonObject, depth = 0): JsonObject {
  if (depth > MAX_DEPTH) return schema;
  const entries = Object.entries(schema).map(
    ([key, value]) => [key, closedValue(value, depth)] as const,
  );
  const changed = entries.some(([key, value]) => value !== schema[key]);
  const closed: JsonObject = changed ? Object.fromEntries(entries) : schema;
  const isOpen = schema["type"] === "object" && schema["additionalProperties"] === undefined;
  return isOpen ? { ...closed, additionalProperties: false } : closed;
}

function closedValue(value: unknown, depth: number): unknown {
  if (isObject(value)) return closedSchema(value, depth + 1);
  if (!Array.isArray(value)) return value;
  const items = value.map((item: unknown) => closedValue(item, depth + 1));
  return items.some((item, at) => item !== value[at]) ? items : value;
}
