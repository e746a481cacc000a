import { isObject } from "#lib/json.ts";

type Predicate = (actual: unknown) => string | undefined;

/** The list holds these, in this order, perhaps with others between. */
export const some =
  (...patterns: readonly unknown[]): Predicate =>
  (actual) => {
    if (!Array.isArray(actual)) return "is no list";
    let at = 0;
    for (const item of actual) {
      if (at < patterns.length && mismatch(item, patterns[at]) === undefined) at++;
    }
    return at === patterns.length
      ? undefined
      : `holds no ${JSON.stringify(patterns[at])?.slice(0, 200)}`;
  };

export const anyOf =
  (...patterns: readonly unknown[]): Predicate =>
  (actual) =>
    patterns.some((pattern) => mismatch(actual, pattern) === undefined)
      ? undefined
      : `is ${JSON.stringify(actual)?.slice(0, 200)}`;

/** The text of the whole value holds this. */
export const mentions =
  (text: string): Predicate =>
  (actual) =>
    JSON.stringify(actual).includes(text) ? undefined : `does not mention ${text.slice(0, 60)}`;

export const without =
  (text: string): Predicate =>
  (actual) =>
    JSON.stringify(actual).includes(text) ? `mentions ${text}` : undefined;

export const all =
  (...patterns: readonly unknown[]): Predicate =>
  (actual) =>
    patterns.map((pattern) => mismatch(actual, pattern)).find((fault) => fault !== undefined);

/** Where the value differs from the pattern; `undefined` where it does not. */
export function mismatch(actual: unknown, pattern: unknown, path = "body"): string | undefined {
  if (typeof pattern === "function") {
    const fault = (pattern as Predicate)(actual);
    return fault === undefined ? undefined : `${path} ${fault}`;
  }
  if (Array.isArray(pattern)) return listMismatch(actual, pattern, path);
  if (isObject(pattern)) {
    if (!isObject(actual)) return `${path} is ${JSON.stringify(actual)?.slice(0, 200)}`;
    for (const [key, value] of Object.entries(pattern)) {
      const fault = mismatch(actual[key], value, `${path}.${key}`);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
  return Object.is(actual, pattern)
    ? undefined
    : `${path} is ${JSON.stringify(actual)?.slice(0, 200)}, not ${JSON.stringify(pattern)}`;
}

function listMismatch(actual: unknown, pattern: readonly unknown[], path: string) {
  if (!Array.isArray(actual) || actual.length !== pattern.length) {
    return `${path} is ${JSON.stringify(actual)?.slice(0, 300)}`;
  }
  for (const [at, value] of pattern.entries()) {
    const fault = mismatch(actual[at], value, `${path}[${at}]`);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
