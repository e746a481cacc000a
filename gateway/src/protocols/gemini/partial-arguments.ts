import { isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import { camelKeys } from "./wire-case.ts";

const UNSAFE = new Set(["__proto__", "constructor", "prototype"]);
const MAX_ARRAY_INDEX = 10_000;

/**
 * Adds a piece of streamed arguments: `{jsonPath: "$.city", stringValue: "Par", willContinue: true}`.
 * Pieces of one text come under the same path, one after another. A path that cannot be is left out.
 */
export function addPartialArguments(args: JsonObject, wire: JsonObject): void {
  const piece = camelKeys(wire);
  const value = valueOf(piece);
  const keys = keysOf(piece["jsonPath"]);
  const last = keys?.pop();
  if (value === undefined || keys === undefined || last === undefined) return;
  let holder: Holder = args;
  for (const [at, key] of keys.entries()) {
    holder = childOf(holder, key, typeof (keys[at + 1] ?? last) === "number");
  }
  const before = holder[last];
  holder[last] = typeof before === "string" && typeof value === "string" ? before + value : value;
}

/** An object or an array: both are written by key here. */
type Holder = Record<string | number, unknown>;

function childOf(holder: Holder, key: string | number, isArray: boolean): Holder {
  const known = holder[key];
  if (isObject(known) || Array.isArray(known)) return known as Holder;
  const child = (isArray ? [] : {}) as Holder;
  holder[key] = child;
  return child;
}

function valueOf(piece: JsonObject): unknown {
  if ("nullValue" in piece) return null;
  return piece["stringValue"] ?? piece["numberValue"] ?? piece["boolValue"];
}

/** Keys of a path such as `$.a.b[0]['c d']`; `undefined` for one that is unsafe or no path. */
function keysOf(path: unknown): (string | number)[] | undefined {
  if (typeof path !== "string" || !path.startsWith("$")) return undefined;
  const keys: (string | number)[] = [];
  for (const match of path.matchAll(/\.([^.[\]]+)|\[(\d+)\]|\[['"]([^'"]*)['"]\]/g)) {
    const key = match[2] === undefined ? (match[1] ?? match[3] ?? "") : Number(match[2]);
    if (UNSAFE.has(String(key)) || (typeof key === "number" && key > MAX_ARRAY_INDEX)) {
      return undefined;
    }
    keys.push(key);
  }
  return keys;
}
