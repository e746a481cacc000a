import { invalidRequest } from "#canonical/failure.ts";

import type { Environment, Provider } from "./provider.ts";

const PRIVATE_IPV4 = /^(?:127|10|192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01]))\./;
const PRIVATE_IPV6 = /^\[(?:::1|f[cd][0-9a-f]{2}:.*|fe80:.*)\]$/;
const PRIVATE_NAME = /(?:^|\.)(?:localhost|local|internal|lan|svc|home\.arpa)$/;

/** Whether a host is one of the operator's own: loopback, a private range, or a name of the house. */
export function isNearbyHost(hostname: string): boolean {
  if (PRIVATE_IPV4.test(hostname) || PRIVATE_IPV6.test(hostname)) return true;
  return PRIVATE_NAME.test(hostname) || !/[.:]/.test(hostname);
}

function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

function faultOf(url: URL): string | undefined {
  if (url.protocol !== "https:" && url.protocol !== "http:") return "must begin with https://";
  if (url.username !== "" || url.password !== "") return "must not hold a user or password";
  if (url.search !== "" || url.hash !== "") return "must not hold a query or fragment";
  if (url.protocol === "http:" && !isNearbyHost(url.hostname)) {
    return "must begin with https://: a key would travel in the clear";
  }
  return undefined;
}

/**
 * The operator's base URL without trailing slashes. Throws `invalid_request` naming `field` where
 * it is none. Plain http is taken only for hosts of the operator's own network.
 */
export function checkBaseUrl(text: string, field: string): string {
  const url = parseUrl(text.trim());
  const fault = url === undefined ? "is not a URL" : faultOf(url);
  if (url === undefined || fault !== undefined) throw invalidRequest(field, `${field} ${fault}.`);
  return url.href.replace(/\/+$/, "");
}

/**
 * Cuts from the end of a base URL what the path begins with. SDKs disagree on where one ends and
 * the other begins: `https://api.anthropic.com` and `…/v1` are both in use for one variable.
 */
export function trimOverlap(base: string, path: string): string {
  const bare = path.split("?", 1)[0] ?? "";
  for (let end = bare.length; end > 0; end = bare.lastIndexOf("/", end - 1)) {
    const prefix = bare.slice(0, end);
    if (base.endsWith(prefix)) return base.slice(0, -prefix.length);
  }
  return base;
}

/**
 * Environment variables that replace a row's base URL, in order: the row's own names, then
 * `<ID>_BASE_URL` and `<ID>_API_BASE`, then the same with the stem of its first key variable
 * (`GEMINI_API_KEY` → `GEMINI_BASE_URL`).
 */
export function baseUrlVariables(
  id: string,
  provider: Pick<Provider, "baseUrlEnv" | "auth">,
): readonly string[] {
  const stem = /^(.+)_API_KEY$/.exec(provider.auth.env[0] ?? "")?.[1];
  const stems = [id.toUpperCase().replaceAll("-", "_"), stem].filter((name) => name !== undefined);
  const names = stems.flatMap((name) => [`${name}_BASE_URL`, `${name}_API_BASE`]);
  return [...new Set([...(provider.baseUrlEnv ?? []), ...names])];
}

/** The base URL that the environment names for a row, checked; `undefined` when it names none. */
export function findBaseUrl(
  env: Environment,
  id: string,
  provider: Pick<Provider, "baseUrlEnv" | "auth">,
): string | undefined {
  for (const name of baseUrlVariables(id, provider)) {
    const text = env[name]?.trim() ?? "";
    if (text !== "") return checkBaseUrl(text, name);
  }
  return undefined;
}
