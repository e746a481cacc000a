import { invalidRequest } from "#canonical/failure.ts";
import { isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";

/** Member kinds that a request may have; `null` is the same as absent everywhere. */
interface Kinds {
  string: string;
  number: number;
  boolean: boolean;
  object: JsonObject;
  array: readonly unknown[];
}

const NOUNS: Record<keyof Kinds, string> = {
  string: "a string",
  number: "a number",
  boolean: "true or false",
  object: "an object",
  array: "an array",
};

function isKind(value: unknown, kind: keyof Kinds): boolean {
  if (kind === "object") return isObject(value);
  if (kind === "array") return Array.isArray(value);
  return typeof value === kind;
}

/** The value if it is of the kind, `undefined` if absent or null; throws `GatewayError` otherwise. */
export function optional<Kind extends keyof Kinds>(
  value: unknown,
  kind: Kind,
  field: string,
): Kinds[Kind] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isKind(value, kind)) {
    throw invalidRequest(field, `\`${field}\` must be ${NOUNS[kind]}, not ${nameOf(value)}.`);
  }
  return value as Kinds[Kind];
}

/** Like `optional`, but absence is an error too. */
export function required<Kind extends keyof Kinds>(
  value: unknown,
  kind: Kind,
  field: string,
): Kinds[Kind] {
  const present = optional(value, kind, field);
  if (present === undefined) {
    throw invalidRequest(field, `\`${field}\` is missing: it must be ${NOUNS[kind]}.`);
  }
  return present;
}

function nameOf(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
