import { isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";

/**
 * The object with its own keys in camel case. Google's API reads both spellings (protobuf JSON), and
 * the Python SDK and many hand-written clients send snake case. Nested objects stay as they are, for
 * some hold the user's own keys (arguments, schemas).
 */
export function camelKeys(object: JsonObject): JsonObject {
  let result: JsonObject | undefined;
  for (const key in object) {
    if (!key.includes("_", 1)) continue;
    result ??= { ...object };
    const camel = key.replace(/(?!^)_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    delete result[key];
    result[camel] ??= object[key];
  }
  return result ?? object;
}

/** The nested object with its keys in camel case; empty where there is none. */
export const camelObject = (value: unknown): JsonObject =>
  isObject(value) ? camelKeys(value) : {};
