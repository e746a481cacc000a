import * as fc from "fast-check";

import { isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";

const JUNK = fc.oneof(
  fc.constantFrom<unknown>(null, "", "x", -1, 1e300, true, [], {}, [null], { type: "x" }, "{"),
  fc.jsonValue({ maxDepth: 2 }),
);

/** Copies of a good body in which one value, somewhere, is of a wrong kind. */
export const poisoned = (body: JsonObject): fc.Arbitrary<JsonObject> =>
  fc
    .tuple(fc.nat(10_000), JUNK)
    .map(([at, junk]) => replaceAt(body, at % countValues(body), junk) as JsonObject);

const children = (value: unknown): unknown[] => {
  if (Array.isArray(value)) return value;
  return isObject(value) ? Object.values(value) : [];
};

const countValues = (value: unknown): number =>
  children(value).reduce<number>((sum, child) => sum + 1 + countValues(child), 0);

/** Replaces the nth value in depth-first order. */
function replaceAt(value: unknown, target: number, junk: unknown): unknown {
  let left = target;
  const visit = (child: unknown): unknown => {
    if (left-- === 0) return junk;
    const inside = countValues(child);
    if (left < 0 || left >= inside) {
      left -= inside;
      return child;
    }
    const replaced = replaceAt(child, left, junk);
    left -= inside;
    return replaced;
  };
  if (Array.isArray(value)) return value.map(visit);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, visit(child)]));
}
