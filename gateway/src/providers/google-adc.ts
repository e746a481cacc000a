import { readFile } from "node:fs/promises";

import { GatewayError, invalidRequest } from "#canonical/failure.ts";
import { asString, parseObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";

import { findSecret } from "./auth.ts";
import type { Auth, AuthDependencies, Authorize, Environment } from "./provider.ts";

const INLINE = ["GOOGLE_SERVICE_ACCOUNT_JSON", "GOOGLE_APPLICATION_CREDENTIALS_JSON"];
const KEY_FILE = ["GOOGLE_APPLICATION_CREDENTIALS"];
/**
 * Naming a Vertex project is the wish to use it with whatever identity the machine has (metadata
 * server, gcloud login). `GOOGLE_CLOUD_PROJECT` alone is not: many tools set it for other ends.
 */
const EXPLICIT_PROJECT = ["GOOGLE_VERTEX_PROJECT", "VERTEXAI_PROJECT", "VERTEX_PROJECT_ID"];
const SCOPES = ["https://www.googleapis.com/auth/cloud-platform"];

type Post = AuthDependencies["post"];

/** Gives an access token that is valid now; `undefined` when there is none. */
type TokenSource = () => Promise<string | null | undefined>;

/** Sends the library's token requests, which are form posts, through the gateway's own dialer. */
function throughDialer(post: NonNullable<Post>): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const form = new URLSearchParams(await request.text());
    return Response.json(await post(request.url, Object.fromEntries(form)));
  };
}

interface ServiceAccount {
  readonly email: string;
  readonly key: string;
}

function readServiceAccount(credential: JsonObject | undefined): ServiceAccount | undefined {
  const email = asString(credential?.["client_email"]);
  const key = asString(credential?.["private_key"]);
  return email === undefined || key === undefined ? undefined : { email, key };
}

// The library is loaded with the first request: it would double the time that start-up takes.

async function serviceAccountSource(account: ServiceAccount, post: Post): Promise<TokenSource> {
  const { JWT } = await import("google-auth-library");
  const transport = post && { transporterOptions: { fetchImplementation: throughDialer(post) } };
  const client = new JWT({ ...account, scopes: SCOPES, ...transport });
  return async () => (await client.getAccessToken()).token;
}

/** The library's own search: the key file of the process, gcloud's login, the metadata server. */
async function machineSource(): Promise<TokenSource> {
  const { GoogleAuth } = await import("google-auth-library");
  const auth = new GoogleAuth({ scopes: SCOPES });
  return () => auth.getAccessToken();
}

async function keyFileSource(path: string, post: Post): Promise<TokenSource> {
  const account = readServiceAccount(parseObject(await readFile(path, "utf8")));
  return account === undefined ? machineSource() : serviceAccountSource(account, post);
}

interface FoundSource {
  readonly variable: string;
  readonly open: () => Promise<TokenSource>;
}

function findSource(env: Environment, post: Post): FoundSource | undefined {
  const inline = findSecret(env, INLINE);
  if (inline !== undefined) {
    const { variable } = inline;
    const account = readServiceAccount(parseObject(inline.secret));
    if (account === undefined) {
      throw invalidRequest(variable, `${variable} is not the JSON of a service account's key.`);
    }
    return { variable, open: () => serviceAccountSource(account, post) };
  }
  const file = findSecret(env, KEY_FILE);
  if (file !== undefined) {
    return { variable: file.variable, open: () => keyFileSource(file.secret, post) };
  }
  const project = findSecret(env, EXPLICIT_PROJECT);
  return project && { variable: project.variable, open: machineSource };
}

const noToken = (variable: string): GatewayError =>
  new GatewayError({
    code: "upstream_auth",
    message: `Google gave no access token for the identity of ${variable}.`,
  });

/** Tokens of a source; the library keeps them until they end. */
function tokensOf({ variable, open }: FoundSource): Authorize {
  let opened: Promise<TokenSource> | undefined;
  const fetchToken = async (): Promise<string | null | undefined> => {
    opened ??= open();
    return (await opened)();
  };
  return async () => {
    // The library's own errors may quote credential files. A source that failed is opened anew.
    const token = await fetchToken().catch(() => {
      opened = undefined;
    });
    if (typeof token !== "string") throw noToken(variable);
    return { authorization: `Bearer ${token}` };
  };
}

/** Google's Application Default Credentials, or the JSON of a service account's key. */
export const GOOGLE_ADC: Auth = {
  env: [...INLINE, ...KEY_FILE, ...EXPLICIT_PROJECT],
  discover(env, dependencies = {}) {
    const found = findSource(env, dependencies.post);
    return found && { variable: found.variable, authorize: tokensOf(found) };
  },
  takes: (secret) => secret.trimStart().startsWith("{"),
  withSecret(secret, dependencies = {}) {
    const account = readServiceAccount(parseObject(secret));
    if (account === undefined) throw invalidRequest("secret", NO_ACCOUNT);
    const open = (): Promise<TokenSource> => serviceAccountSource(account, dependencies.post);
    return tokensOf({ variable: "the service account", open });
  },
};

const NO_ACCOUNT = "secret must be the JSON of a service account's key, as Google hands it out.";
