import { GatewayError, invalidRequest } from "#canonical/failure.ts";

import type { Auth, AuthDependencies, Authorize, DiscoveredAuth, Environment } from "./provider.ts";

/** Keys that Turnpike itself issues. */
const OWN_KEY_PREFIX = "sk-tp-";

/** What a header value may hold; a line break in a key would start another header. */
const HEADER_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/** A secret found in the environment, with the name of its variable. */
export interface FoundSecret {
  readonly variable: string;
  readonly secret: string;
}

/**
 * The first of the named variables that holds something. Blank values count as absent: shells and
 * compose files export empty ones. The gateway's own keys are left out, for who points a client at
 * the gateway by `ANTHROPIC_AUTH_TOKEN` and starts the gateway in the same shell means the client.
 */
export function findSecret(env: Environment, names: readonly string[]): FoundSecret | undefined {
  for (const variable of names) {
    const secret = env[variable]?.trim() ?? "";
    if (secret === "" || secret.startsWith(OWN_KEY_PREFIX)) continue;
    return { variable, secret };
  }
  return undefined;
}

function checkSecret(secret: string, field: string): string {
  if (HEADER_VALUE.test(secret)) return secret;
  throw invalidRequest(field, `${field} holds characters that no header can carry.`);
}

interface SecretAuthOptions {
  readonly names: readonly string[];
  readonly header: string;
  readonly prefix: string;
}

function secretAuth({ names, header, prefix }: SecretAuthOptions): Auth {
  const authorizeWith = (secret: string, field: string): Authorize => {
    const headers = { [header]: prefix + checkSecret(secret, field) };
    return () => headers;
  };
  return {
    env: names,
    discover(env) {
      const found = findSecret(env, names);
      if (found === undefined) return undefined;
      const { variable, secret } = found;
      return { variable, authorize: authorizeWith(secret, variable) };
    },
    withSecret: (secret) => authorizeWith(secret.trim(), "secret"),
  };
}

/** `Authorization: Bearer <secret>`. */
export const bearer = (...names: readonly string[]): Auth =>
  secretAuth({ names, header: "authorization", prefix: "Bearer " });

/** A secret in a header of its own: `x-api-key`, `api-key`, `x-goog-api-key`. */
export const header = (name: string, ...names: readonly string[]): Auth =>
  secretAuth({ names, header: name, prefix: "" });

/** For servers on the operator's own machine: a bearer when the variable is set, else nothing. */
export function optionalBearer(...names: readonly string[]): Auth {
  const auth = bearer(...names);
  const nothing: DiscoveredAuth = { variable: "", authorize: () => ({}) };
  return { ...auth, discover: (env) => auth.discover(env) ?? nothing };
}

/** Several ways to know the customer; the first whose secrets are found is taken. */
export function firstOf(...auths: readonly Auth[]): Auth {
  const takers = auths.filter(({ withSecret }) => withSecret !== undefined);
  const takerOf = (secret: string): Auth | undefined =>
    takers.find(({ takes }) => takes?.(secret) === true) ?? takers.find(({ takes }) => !takes);
  return {
    env: auths.flatMap((auth) => auth.env),
    companions: Object.assign({}, ...auths.map((auth) => auth.companions)),
    discover(env, dependencies) {
      for (const auth of auths) {
        const found = auth.discover(env, dependencies);
        if (found !== undefined) return found;
      }
      return undefined;
    },
    ...(takers.length > 0 && {
      withSecret: (secret: string, dependencies?: AuthDependencies): Authorize => {
        const authorize = takerOf(secret)?.withSecret?.(secret, dependencies);
        if (authorize !== undefined) return authorize;
        throw invalidRequest("secret", "secret is of no kind that the provider takes.");
      },
    }),
  };
}

/** An authoriser that refuses to give a key to any origin but those it belongs to. */
export function bindToOrigins(authorize: Authorize, origins: ReadonlySet<string>): Authorize {
  return (request) => {
    if (origins.has(request.url.origin)) return authorize(request);
    throw new GatewayError({
      code: "internal",
      message: `A provider key was about to be sent to ${request.url.origin}, where it does not belong.`,
    });
  };
}
