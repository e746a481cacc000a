import {
  asArray,
  asNumber,
  asObject,
  asString,
  isObject,
  type JsonObject,
  ownValue,
} from "#lib/json.ts";

/** Below this, optional members and list items are left out: recursive schemas must end. */
const FULL_DEPTH = 4;
const MAX_DEPTH = 32;
/** A schema of a few lines may describe billions of values (each member refers to the whole). */
const MAX_VALUES = 2_000;

interface Place {
  readonly root: JsonObject;
  readonly depth: number;
  /** Name of the member that the value is for. */
  readonly name: string;
  /** Counts what was made, for all places together. */
  readonly made: { values: number };
}

/** A value that fits a JSON schema: the same one every time, as small as the schema allows. */
export const sampleOf = (schema: JsonObject): unknown =>
  sample(schema, { root: schema, depth: 0, name: "value", made: { values: 0 } });

function sample(schema: JsonObject, place: Place): unknown {
  place.made.values += 1;
  if (place.depth > MAX_DEPTH || place.made.values > MAX_VALUES) return null;
  const inner = { ...place, depth: place.depth + 1 };
  const ref = asString(schema["$ref"]);
  if (ref !== undefined) return sample(resolveRef(ref, place.root), inner);
  if ("const" in schema) return schema["const"];
  const choices = asArray(schema["enum"]);
  if (choices.length > 0) return choices[0];
  const branch = pickBranch(schema, place.depth);
  if (branch !== undefined) return sample({ ...withoutBranches(schema), ...branch }, inner);
  return sampleOfType(schema, place);
}

function resolveRef(ref: string, root: JsonObject): JsonObject {
  if (!ref.startsWith("#")) return {};
  const path = ref.slice(1).split("/").slice(1);
  const names = path.map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  return asObject(names.reduce<unknown>((at, name) => asObject(at)[name], root));
}

function withoutBranches(schema: JsonObject): JsonObject {
  const { anyOf: _anyOf, oneOf: _oneOf, allOf: _allOf, ...rest } = schema;
  return rest;
}

/** The first alternative; deep down `null`, where it is one, ends the recursion. */
function pickBranch(schema: JsonObject, depth: number): JsonObject | undefined {
  const all = asArray(schema["allOf"]).filter(isObject);
  if (all.length > 0) return mergeAll(all);
  const branches = asArray(schema["anyOf"] ?? schema["oneOf"]).filter(isObject);
  const nothing = branches.find((branch) => branch["type"] === "null");
  return depth >= FULL_DEPTH && nothing !== undefined ? nothing : branches[0];
}

function mergeAll(schemas: readonly JsonObject[]): JsonObject {
  return {
    ...Object.assign({}, ...schemas),
    properties: Object.assign({}, ...schemas.map((schema) => asObject(schema["properties"]))),
    required: schemas.flatMap((schema) => asArray(schema["required"])),
  };
}

function typeOf(schema: JsonObject): string {
  const type: unknown = Array.isArray(schema["type"])
    ? (schema["type"].find((each) => each !== "null") ?? "null")
    : schema["type"];
  if (typeof type === "string") return type;
  return "properties" in schema ? "object" : "items" in schema ? "array" : "string";
}

function sampleOfType(schema: JsonObject, place: Place): unknown {
  switch (typeOf(schema)) {
    case "object":
      return sampleObject(schema, place);
    case "array":
      return sampleArray(schema, place);
    case "integer":
      return Math.ceil(sampleNumber(schema, 1));
    case "number":
      return sampleNumber(schema, 0.5);
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return sampleString(schema, place.name);
  }
}

function sampleObject(schema: JsonObject, place: Place): JsonObject {
  const required = asArray(schema["required"]);
  const depth = place.depth + 1;
  const members = Object.entries(asObject(schema["properties"])).filter(
    ([name]) => place.depth < FULL_DEPTH || required.includes(name),
  );
  return Object.fromEntries(
    members.map(([name, member]) => [name, sample(asObject(member), { ...place, name, depth })]),
  );
}

function sampleArray(schema: JsonObject, place: Place): readonly unknown[] {
  const prefix = asArray(schema["prefixItems"]).filter(isObject);
  const depth = place.depth + 1;
  const fixed = prefix.map((item) => sample(item, { ...place, depth }));
  const atLeast = asNumber(schema["minItems"]) ?? (place.depth < FULL_DEPTH ? 1 : 0);
  const count = Math.min(atLeast, asNumber(schema["maxItems"]) ?? Infinity, 100);
  const items = asObject(schema["items"]);
  const rest = Math.max(0, count - fixed.length);
  return [...fixed, ...Array.from({ length: rest }, () => sample(items, { ...place, depth }))];
}

function sampleNumber(schema: JsonObject, step: number): number {
  const above = asNumber(schema["exclusiveMinimum"]);
  const below = asNumber(schema["exclusiveMaximum"]);
  const minimum = asNumber(schema["minimum"]) ?? (above === undefined ? undefined : above + step);
  const maximum = asNumber(schema["maximum"]) ?? (below === undefined ? undefined : below - step);
  const value = minimum ?? Math.min(1, maximum ?? 1);
  const multiple = asNumber(schema["multipleOf"]);
  return multiple === undefined || multiple <= 0 ? value : Math.ceil(value / multiple) * multiple;
}

const FORMATS: Readonly<Record<string, string>> = {
  "date-time": "2026-01-01T00:00:00Z",
  date: "2026-01-01",
  time: "00:00:00Z",
  duration: "P1D",
  email: "demo@example.com",
  hostname: "example.com",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  uri: "https://example.com/",
  uuid: "00000000-0000-4000-8000-000000000000",
};

/** A harmless command: coding agents run what the demo asks for. */
const COMMANDS = new Set(["command", "cmd"]);

function sampleString(schema: JsonObject, name: string): string {
  const format = ownValue(FORMATS, asString(schema["format"]) ?? "");
  if (format !== undefined) return format;
  const text = COMMANDS.has(name) ? "echo demo" : `demo ${name}`;
  const shortest = Math.min(asNumber(schema["minLength"]) ?? 0, 10_000);
  return text.padEnd(shortest, ".").slice(0, asNumber(schema["maxLength"]) ?? Infinity);
}
