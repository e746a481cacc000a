import { scanObject } from "#lib/json-scan.ts";
import { isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";

/**
 * A tool call's JSON text as the object that some protocols want. No text at all means no arguments.
 * `exact` is false when the text is not an object, or one so deep that it could not be written
 * again: it then stands whole under `input`.
 */
export function toolInputObject(text: string): {
  readonly value: JsonObject;
  readonly exact: boolean;
} {
  if (text.trim() === "") return { value: {}, exact: true };
  try {
    const value: unknown = JSON.parse(text);
    scanObject(`{"input":${text}}`);
    if (isObject(value)) return { value, exact: true };
    if (value === null) return { value: {}, exact: true };
    return { value: { input: value }, exact: false };
  } catch {
    return { value: { input: text }, exact: false };
  }
}
