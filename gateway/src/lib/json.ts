/** A JSON value as `JSON.parse` gives it. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

/**
 * A JSON object of unknown shape. Values are `unknown`, not `JsonValue`: wire data is read field by
 * field with the helpers below, so that a wrong type is a decision of the reader and never a crash.
 */
export interface JsonObject {
  [key: string]: unknown;
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The value when it is an object, else an empty one: for reading optional nested wire fields. */
export const asObject = (value: unknown): JsonObject => (isObject(value) ? value : {});

export const asArray = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** The array's objects; anything else in it is left out. */
export const asObjects = (value: unknown): readonly JsonObject[] => asArray(value).filter(isObject);

export const asString = (value: unknown): string | undefined =>
  typeof value === "string" ? value : undefined;

export const asNumber = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) ? value : undefined;

export const asBoolean = (value: unknown): boolean | undefined =>
  typeof value === "boolean" ? value : undefined;

/**
 * What a table has under a name from the wire. Read by index, "constructor" and "toString" would be
 * found in every object.
 */
export const ownValue = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

/** Parses text to an object; `undefined` when it is not JSON or not an object. Never throws. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Copies an object without its `undefined` members, so that renderers can list optional fields in
 * one literal and still never send a key that the client did not set.
 */
export function compact(object: JsonObject): JsonObject {
  const result: JsonObject = {};
  for (const key in object) if (object[key] !== undefined) result[key] = object[key];
  return result;
}
