import { invalidRequest } from "#canonical/failure.ts";
import type { FieldReader } from "#canonical/field-reader.ts";
import { isObject } from "#lib/json.ts";
import { headerText, type RequestHeaders } from "#pipeline/exchange.ts";
import type { ProviderPreferences, SortBy } from "#routing/preferences.ts";

/** Members of `provider`, in OpenRouter's words; `region` and `byok` are our own. */
const PREFERENCES: ReadonlySet<string> = new Set([
  "order",
  "only",
  "ignore",
  "allow_fallbacks",
  "require_parameters",
  "sort",
  "max_price",
  "zdr",
  "data_collection",
  "region",
  "byok",
  "preferred_max_latency",
  "preferred_min_throughput",
]);
const MAX_PRICES: ReadonlySet<string> = new Set(["prompt", "completion", "request"]);
const SORTS: readonly SortBy[] = ["price", "throughput", "latency"];

/** A restriction with a slip in its name must not pass for one that is obeyed. */
export function refuseStrangers(reader: FieldReader, known: ReadonlySet<string>): void {
  const stranger = Object.keys(reader.object).find((key) => !known.has(key));
  if (stranger === undefined) return;
  const field = reader.field(stranger).slice(0, MAX_NAME);
  throw invalidRequest(field, `${field} is not offered. There are ${[...known].join(", ")}.`);
}

/** Reads the `provider` object; headers of the same meaning stand in for what it leaves out. */
export function readPreferences(reader: FieldReader, headers: RequestHeaders): ProviderPreferences {
  refuseStrangers(reader, PREFERENCES);
  const list = (key: "order" | "only" | "ignore"): readonly string[] | undefined =>
    (nameList(reader, key) ?? headerList(headers, `x-turnpike-provider-${key}`))?.map((name) =>
      name.toLowerCase(),
    );
  return defined({
    order: list("order"),
    only: list("only"),
    ignore: list("ignore"),
    sort: readSort(reader),
    maxPrice: readMaxPrice(reader.nested("max_price")),
    region: readRegion(reader, headers),
    byok: readByok(reader, headers),
    preferredMaxLatencyMs: inMs(readBound(reader, "preferred_max_latency", "seconds")),
    preferredMinThroughput: readBound(reader, "preferred_min_throughput", "tokens a second"),
    allowFallbacks: reader.boolean("allow_fallbacks") !== false,
    requireParameters: reader.boolean("require_parameters") === true,
    zdr: reader.boolean("zdr") === true,
    dataCollection: choice(reader, "data_collection", ["allow", "deny"]) ?? "allow",
  });
}

type Optional<T> = { readonly [Name in keyof T]: T[Name] | undefined };

/** Without the members that are `undefined`. */
const defined = (preferences: Optional<Required<ProviderPreferences>>): ProviderPreferences =>
  Object.fromEntries(
    Object.entries(preferences).filter(([, value]) => value !== undefined),
  ) as unknown as ProviderPreferences;

/** `"price"`, or `{by: "price", partition: "none"}`. */
function readSort(reader: FieldReader): ProviderPreferences["sort"] {
  if (!isObject(reader.object["sort"])) {
    const by = choice(reader, "sort", SORTS);
    return by === undefined ? undefined : { by, partition: "model" };
  }
  const sort = reader.nested("sort");
  const by = sort && choice(sort, "by", SORTS);
  if (sort === undefined || by === undefined) {
    const field = reader.field("sort.by");
    throw invalidRequest(field, `${field} is missing: it must be one of ${SORTS.join(", ")}.`);
  }
  return { by, partition: choice(sort, "partition", ["model", "none"]) ?? "model" };
}

function readMaxPrice(reader: FieldReader | undefined): ProviderPreferences["maxPrice"] {
  if (reader === undefined) return undefined;
  refuseStrangers(reader, MAX_PRICES);
  const prompt = nonNegative(reader, "prompt", "USD for a million tokens");
  const completion = nonNegative(reader, "completion", "USD for a million tokens");
  const request = nonNegative(reader, "request", "USD for a request");
  return {
    ...(prompt !== undefined && { prompt }),
    ...(completion !== undefined && { completion }),
    ...(request !== undefined && { request }),
  };
}

/** One region or several. */
function readRegion(reader: FieldReader, headers: RequestHeaders): readonly string[] | undefined {
  const value = reader.object["region"];
  const list =
    typeof value === "string"
      ? [value]
      : (nameList(reader, "region") ?? headerList(headers, "x-turnpike-region"));
  if (list === undefined) return undefined;
  if (list.length > 0 && !list.includes("")) return list.map((region) => region.toLowerCase());
  throw invalidRequest(
    reader.field("region"),
    `${reader.field("region")} is empty, which leaves no endpoint. Name a region such as "eu", or leave it out.`,
  );
}

const BYOK = ["only", "never"] as const;

function readByok(reader: FieldReader, headers: RequestHeaders): ProviderPreferences["byok"] {
  const header = headerText(headers, "x-turnpike-byok");
  if (header === undefined || reader.object["byok"] !== undefined)
    return choice(reader, "byok", BYOK);
  const known = BYOK.find((name) => name === header);
  if (known !== undefined) return known;
  throw invalidRequest("x-turnpike-byok", `x-turnpike-byok must be one of ${BYOK.join(", ")}.`);
}

const PERCENTILES = ["p50", "p75", "p90", "p99"] as const;

/**
 * A number, or one a percentile. What is known of an endpoint is an average that follows peaks: it is
 * compared with the lowest percentile that is given.
 */
function readBound(reader: FieldReader, key: string, unit: string): number | undefined {
  if (!isObject(reader.object[key])) return nonNegative(reader, key, unit);
  const nested = reader.nested(key);
  if (nested === undefined) return undefined;
  refuseStrangers(nested, new Set(PERCENTILES));
  const bounds = PERCENTILES.map((name) => nonNegative(nested, name, unit));
  return bounds.find((bound) => bound !== undefined);
}

const inMs = (seconds: number | undefined): number | undefined =>
  seconds === undefined ? undefined : seconds * 1_000;

/** A number that is 0 or more. */
export function nonNegative(reader: FieldReader, key: string, unit: string): number | undefined {
  const value = reader.number(key);
  if (value === undefined || value >= 0) return value;
  const field = reader.field(key);
  throw invalidRequest(field, `${field} must be ${unit}, 0 or more.`);
}

const MAX_NAMES = 50;
/** Longest name of anything that a caller can name. */
export const MAX_NAME = 200;

/** A list of names, none empty. */
export function nameList(reader: FieldReader, key: string): readonly string[] | undefined {
  const list = reader.strings(key);
  return list === undefined ? undefined : checkedNames(reader.field(key), list);
}

function checkedNames(field: string, list: readonly string[]): readonly string[] {
  const tooLong = list.some((name) => name.length > MAX_NAME);
  if (list.length <= MAX_NAMES && !list.includes("") && !tooLong) return list;
  throw invalidRequest(
    field,
    `${field} must be up to ${MAX_NAMES} names, none empty or over ${MAX_NAME} characters.`,
  );
}

function choice<T extends string>(
  reader: FieldReader,
  key: string,
  of: readonly T[],
): T | undefined {
  const value = reader.string(key);
  const known = of.find((name) => name === value);
  if (value === undefined || known !== undefined) return known;
  throw invalidRequest(reader.field(key), `${reader.field(key)} must be one of ${of.join(", ")}.`);
}

/** A header's list, separated by commas. A bound that cannot be read in full must not be obeyed in part. */
export function headerList(headers: RequestHeaders, name: string): readonly string[] | undefined {
  const text = headerText(headers, name);
  if (text === undefined) return undefined;
  const items = text.split(",").map((item) => item.trim());
  // A comma at the end is how lists are written by programs.
  if (items.length > 1 && items.at(-1) === "") items.pop();
  return checkedNames(name, items);
}
