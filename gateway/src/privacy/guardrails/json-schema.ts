import { asArray, asObject, isObject, ownValue, type JsonObject } from "#lib/json.ts";

/** Comparisons for one text, and how deep: a schema must not be able to take long. */
const MAX_STEPS = 100_000;
const MAX_DEPTH = 64;

interface Place {
  readonly root: JsonObject;
  readonly depth: number;
  /** `isUndecided`: something could not be looked at to its end, which `not` would turn into a yes. */
  readonly budget: { left: number; isUndecided: boolean };
}

/**
 * Whether a value obeys a JSON Schema (2020-12): types, enum, const, required, properties,
 * additionalProperties, items, prefixItems, bounds of numbers, lengths and counts, anyOf, oneOf,
 * allOf, not, and `$ref` within the schema. `pattern` and `format` are not looked at: patterns can
 * take forever. Interpreted, no code is made. What takes too many steps, goes too deep or
 * refers to nothing does not obey, wherever in the schema that is.
 */
export function obeysSchema(value: unknown, schema: JsonObject): boolean {
  const budget = { left: MAX_STEPS, isUndecided: false };
  return obeys(value, schema, { root: schema, depth: 0, budget }) && !budget.isUndecided;
}

function obeys(value: unknown, schema: unknown, place: Place): boolean {
  if (typeof schema === "boolean") return schema;
  if (!isObject(schema)) return true;
  if (place.budget.left-- <= 0 || place.depth > MAX_DEPTH) return undecided(place);
  const below = { ...place, depth: place.depth + 1 };
  return (
    hasType(value, schema["type"]) &&
    isAmong(value, schema) &&
    refers(value, schema["$ref"], below) &&
    combines(value, schema, below) &&
    ownRulesHold(value, schema, below)
  );
}

function undecided({ budget }: Place): boolean {
  budget.isUndecided = true;
  return false;
}

/** The rules of its own type. */
function ownRulesHold(value: unknown, schema: JsonObject, place: Place): boolean {
  if (typeof value === "number") return numberObeys(value, schema);
  if (typeof value === "string") return within(Array.from(value).length, schema, "Length");
  if (Array.isArray(value)) return listObeys(value, schema, place);
  return !isObject(value) || objectObeys(value, schema, place);
}

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === "boolean",
  null: (value) => value === null,
};

function hasType(value: unknown, type: unknown): boolean {
  if (type === undefined) return true;
  const names = typeof type === "string" ? [type] : asArray(type);
  return names.some((name) => typeof name === "string" && ownValue(TYPES, name)?.(value) === true);
}

function isAmong(value: unknown, schema: JsonObject): boolean {
  const { const: only, enum: listed } = schema as { const?: unknown; enum?: unknown };
  if ("const" in schema && !isEqual(value, only)) return false;
  return !Array.isArray(listed) || listed.some((one) => isEqual(value, one));
}

function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  return typeof a === "object" && typeof b === "object" && canonical(a) === canonical(b);
}

/** JSON with members in order. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    isObject(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

function refers(value: unknown, reference: unknown, place: Place): boolean {
  if (typeof reference !== "string") return true;
  const target = referenced(reference, place.root);
  return target === undefined ? undecided(place) : obeys(value, target, place);
}

/** A JSON pointer within the schema (RFC 6901). */
function referenced(reference: string, root: JsonObject): unknown {
  if (reference === "#") return root;
  if (!reference.startsWith("#/")) return undefined;
  let target: unknown = root;
  for (const name of reference.slice(2).split("/")) {
    const key = name.replaceAll("~1", "/").replaceAll("~0", "~");
    target = Array.isArray(target) ? target[Number(key)] : ownValue(asObject(target), key);
  }
  return target;
}

function combines(value: unknown, schema: JsonObject, place: Place): boolean {
  const count = (word: string): number =>
    asArray(schema[word]).filter((one) => obeys(value, one, place)).length;
  if (Array.isArray(schema["allOf"]) && count("allOf") < schema["allOf"].length) return false;
  if (Array.isArray(schema["anyOf"]) && count("anyOf") === 0) return false;
  if (Array.isArray(schema["oneOf"]) && count("oneOf") !== 1) return false;
  return !("not" in schema) || !obeys(value, schema["not"], place);
}

function numberObeys(value: number, schema: JsonObject): boolean {
  const bound = (word: string, fits: (limit: number) => boolean): boolean => {
    const limit = schema[word];
    return typeof limit !== "number" || fits(limit);
  };
  return (
    bound("minimum", (limit) => value >= limit) &&
    bound("maximum", (limit) => value <= limit) &&
    bound("exclusiveMinimum", (limit) => value > limit) &&
    bound("exclusiveMaximum", (limit) => value < limit) &&
    bound("multipleOf", (step) => Number.isInteger(value / step))
  );
}

function within(
  count: number,
  schema: JsonObject,
  what: "Length" | "Items" | "Properties",
): boolean {
  const [least, most] = [schema[`min${what}`], schema[`max${what}`]];
  return (
    (typeof least !== "number" || count >= least) && (typeof most !== "number" || count <= most)
  );
}

function listObeys(value: readonly unknown[], schema: JsonObject, place: Place): boolean {
  const prefix = asArray(schema["prefixItems"]);
  const isUnique =
    schema["uniqueItems"] !== true || new Set(value.map(canonical)).size === value.length;
  return (
    isUnique &&
    within(value.length, schema, "Items") &&
    value.every((item, at) => obeys(item, at < prefix.length ? prefix[at] : schema["items"], place))
  );
}

function objectObeys(value: JsonObject, schema: JsonObject, place: Place): boolean {
  const names = Object.keys(value);
  const properties = asObject(schema["properties"]);
  const required = asArray(schema["required"]);
  return (
    within(names.length, schema, "Properties") &&
    required.every((name) => typeof name === "string" && Object.hasOwn(value, name)) &&
    names.every((name) => {
      const own = ownValue(properties, name);
      return obeys(value[name], own ?? schema["additionalProperties"], place);
    })
  );
}
