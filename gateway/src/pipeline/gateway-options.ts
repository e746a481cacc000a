import { invalidRequest } from "#canonical/failure.ts";
import { isObject, type JsonObject } from "#lib/json.ts";
import { headerText, type RequestHeaders } from "#pipeline/exchange.ts";

/** Members of a body that speak to the gateway and are removed before anything is forwarded. */
export const GATEWAY_FIELDS = ["models", "provider", "route", "cache", "tags"] as const;

export interface ProviderPreferences {
  /** Providers to try first, in this order. */
  readonly order?: readonly string[];
  readonly only?: readonly string[];
  readonly ignore?: readonly string[];
  /** `false`: only the first of the plan is tried. */
  readonly allowFallbacks: boolean;
  /** Refuse where a field would be lost, instead of warning. */
  readonly requireParameters: boolean;
  readonly sort?: "price" | "throughput" | "latency";
  /** USD for a million tokens; a hard bound. */
  readonly maxPrice?: { readonly prompt?: number; readonly completion?: number };
  /** Only endpoints with documented zero retention. */
  readonly zdr: boolean;
  /** `deny`: only providers that are documented not to train on API data. */
  readonly dataCollection: "allow" | "deny";
}

/** What a request asks of the gateway itself. */
export interface GatewayOptions {
  /** Models to try after the first one. */
  readonly models: readonly string[];
  readonly provider: ProviderPreferences;
  readonly preference?: string;
  readonly sessionId?: string;
  readonly tags: readonly string[];
}

const SESSION_HEADERS = [
  "x-turnpike-session-id",
  "x-claude-code-session-id",
  "x-session-id",
  "session-id",
  "session_id",
];

/** Reads them from the body and from the headers of the same meaning; the body wins. */
export function readGatewayOptions(body: JsonObject, headers: RequestHeaders): GatewayOptions {
  const provider = optional(body, "provider", isObject, "an object") ?? {};
  const route = optional(
    body,
    "route",
    (value) => isObject(value) || typeof value === "string",
    "an object",
  );
  const options = isObject(route) ? route : {};
  const session = text(options, "session_id", "route.") ?? firstHeader(headers, SESSION_HEADERS);
  const preference =
    text(options, "preference", "route.") ?? headerText(headers, "x-turnpike-preference");
  return {
    models: strings(body, "models") ?? headerList(headers, "x-turnpike-models") ?? [],
    provider: readPreferences(provider, headers),
    tags: strings(body, "tags") ?? headerList(headers, "x-turnpike-tags") ?? [],
    ...(session !== undefined && { sessionId: session.slice(0, 200) }),
    ...(preference !== undefined && { preference }),
  };
}

function readPreferences(provider: JsonObject, headers: RequestHeaders): ProviderPreferences {
  const at = "provider.";
  const order = strings(provider, "order", at) ?? headerList(headers, "x-turnpike-provider-order");
  const only = strings(provider, "only", at) ?? headerList(headers, "x-turnpike-provider-only");
  const ignore =
    strings(provider, "ignore", at) ?? headerList(headers, "x-turnpike-provider-ignore");
  const sort = choice(provider, "sort", ["price", "throughput", "latency"]);
  const maxPrice = readMaxPrice(provider);
  return {
    ...(order !== undefined && { order }),
    ...(only !== undefined && { only }),
    ...(ignore !== undefined && { ignore }),
    ...(sort !== undefined && { sort }),
    ...(maxPrice !== undefined && { maxPrice }),
    allowFallbacks: flag(provider, "allow_fallbacks") ?? true,
    requireParameters: flag(provider, "require_parameters") ?? false,
    zdr: flag(provider, "zdr") ?? false,
    dataCollection: choice(provider, "data_collection", ["allow", "deny"]) ?? "allow",
  };
}

function readMaxPrice(provider: JsonObject): ProviderPreferences["maxPrice"] {
  const value = optional(
    provider,
    "max_price",
    isObject,
    'an object like {"prompt": 1, "completion": 2}',
    "provider.",
  );
  if (value === undefined) return undefined;
  const price = (key: string): number | undefined => {
    const number = value[key];
    if (number === undefined) return undefined;
    if (typeof number === "number" && number >= 0) return number;
    throw invalidRequest(
      `provider.max_price.${key}`,
      "must be a number of USD for a million tokens, 0 or more.",
    );
  };
  const prompt = price("prompt");
  const completion = price("completion");
  return {
    ...(prompt !== undefined && { prompt }),
    ...(completion !== undefined && { completion }),
  };
}

function optional<T = JsonObject>(
  from: JsonObject,
  key: string,
  is: (value: unknown) => boolean,
  what: string,
  at = "",
): T | undefined {
  const value = from[key];
  if (value === undefined || value === null) return undefined;
  if (!is(value)) throw invalidRequest(`${at}${key}`, `"${at}${key}" must be ${what}.`);
  return value as T;
}

const isStrings = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.length <= 50 &&
  value.every((item) => typeof item === "string" && item !== "");

const strings = (from: JsonObject, key: string, at = ""): readonly string[] | undefined =>
  optional<string[]>(from, key, isStrings, "an array of up to 50 non-empty strings", at);

const text = (from: JsonObject, key: string, at: string): string | undefined =>
  optional<string>(from, key, (value) => typeof value === "string", "a string", at);

const flag = (from: JsonObject, key: string): boolean | undefined =>
  optional<boolean>(from, key, (value) => typeof value === "boolean", "true or false", "provider.");

function choice<T extends string>(from: JsonObject, key: string, of: readonly T[]): T | undefined {
  const known = (value: unknown): boolean => (of as readonly unknown[]).includes(value);
  return optional<T>(from, key, known, `one of ${of.join(", ")}`, "provider.");
}

function headerList(headers: RequestHeaders, name: string): readonly string[] | undefined {
  const items = headerText(headers, name)
    ?.split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
  return items === undefined || items.length === 0 ? undefined : items.slice(0, 50);
}

function firstHeader(headers: RequestHeaders, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = headerText(headers, name);
    if (value !== undefined && value !== "") return value;
  }
  return undefined;
}
