import { asNumber, asString, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import { camelKeys } from "./wire-case.ts";

/** Keywords that Google sends as text, being 64-bit integers. */
const INTEGERS = new Set([
  "minItems",
  "maxItems",
  "minLength",
  "maxLength",
  "minProperties",
  "maxProperties",
]);

/**
 * Google's subset of OpenAPI schemas (`type: "STRING"`, `nullable`) as the JSON Schema that all other
 * protocols take. Keywords of Google's own are left out.
 */
export function jsonSchemaOf(schema: JsonObject): JsonObject {
  const result: JsonObject = {};
  for (const [key, value] of Object.entries(camelKeys(schema))) {
    const converted = convert(key, value);
    if (converted !== undefined) result[key] = converted;
  }
  return withNull(result, schema["nullable"] === true);
}

function convert(key: string, value: unknown): unknown {
  if (value === null || key === "nullable" || key === "propertyOrdering") return undefined;
  // `example` is OpenAPI's; `format: enum` marks what the `enum` keyword already says.
  if (key === "example" || (key === "format" && value === "enum")) return undefined;
  if (key === "type") return typeName(value);
  if (INTEGERS.has(key)) return asNumber(Number(value)) ?? value;
  if (key === "properties") return isObject(value) ? eachSchema(value) : value;
  return nested(value, key);
}

function typeName(value: unknown): unknown {
  const name = asString(value)?.toLowerCase();
  if (name === undefined) return value;
  return name === "type_unspecified" ? undefined : name;
}

const eachSchema = (schemas: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [
      name,
      isObject(schema) ? jsonSchemaOf(schema) : schema,
    ]),
  );

const SCHEMA_KEYS = new Set(["items", "anyOf", "prefixItems", "additionalProperties", "not"]);

function nested(value: unknown, key: string): unknown {
  if (!SCHEMA_KEYS.has(key)) return value;
  if (Array.isArray(value))
    return value.map((item) => (isObject(item) ? jsonSchemaOf(item) : item));
  return isObject(value) ? jsonSchemaOf(value) : value;
}

function withNull(schema: JsonObject, nullable: boolean): JsonObject {
  if (!nullable || typeof schema["type"] !== "string") return schema;
  return { ...schema, type: [schema["type"], "null"] };
}
