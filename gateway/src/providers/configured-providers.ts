import { invalidRequest } from "#canonical/failure.ts";

import { bindToOrigins } from "./auth.ts";
import { checkBaseUrl, findBaseUrl, trimOverlap } from "./base-url.ts";
import { completeVariables, fillPlaceholders } from "./build-url.ts";
import { customProvider } from "./custom-provider.ts";
import type { CustomProtocol } from "./custom-provider.ts";
import { findVariables } from "./provider-variables.ts";
import type {
  AuthDependencies,
  Authorize,
  Environment,
  OperationSpeech,
  Provider,
  Speech,
} from "./provider.ts";
import { PROVIDERS } from "./providers.ts";

/** A provider together with a credential: what endpoints are made of. */
export interface ConfiguredProvider {
  readonly id: string;
  /**
   * The row as it applies here: with the operator's base URL in place of its own, and then without
   * the surfaces that lie elsewhere.
   */
  readonly provider: Provider;
  readonly variables: Readonly<Record<string, string>>;
  /** Refuses every origin that is not in `origins`. */
  readonly authorize: Authorize;
  /** Stable and free of secrets: `env:OPENAI_API_KEY`, `config:azure/eu`, `none:ollama`. */
  readonly credentialId: string;
  readonly origins: ReadonlySet<string>;
  /** The operator named the address (or it is this machine): it may be a private one. */
  readonly privateAddressAllowed: boolean;
  /** Whose key it is; absent: the platform's. */
  readonly own?: Ownership;
}

/** A key that a tenant brought: nobody else's requests may ever be sent with it. */
export interface Ownership {
  readonly organizationId: string;
  /** `cred_…` */
  readonly credentialId: string;
  /** Lower ones are tried first; equal ones share the traffic. */
  readonly tier: number;
  /** At an address of the tenant's: what is known of the provider's own does not hold there. */
  readonly isElsewhere: boolean;
}

export interface DiscoverOptions {
  readonly dependencies?: AuthDependencies;
  /**
   * The gateway's own origins. A base URL there (an `OPENAI_BASE_URL` meant for clients of the
   * gateway) is passed over, or the gateway would call itself.
   */
  readonly ownOrigins?: readonly string[];
}

/** A provider as `turnpike.yaml` describes it. */
export interface ProviderSettings {
  readonly secret?: string;
  /** Tells several credentials of one provider apart. */
  readonly name?: string;
  readonly baseUrl?: string;
  readonly variables?: Readonly<Record<string, string>>;
  /** For an id that is not in the table: what the server speaks. */
  readonly compatible?: CustomProtocol;
}

export interface ConfigureOptions extends DiscoverOptions {
  /** Where variables and secrets that the settings leave out are found. */
  readonly env?: Environment;
}

interface Assembly {
  readonly id: string;
  readonly row: Provider;
  readonly baseUrl: string | undefined;
  readonly variables: Readonly<Record<string, string>>;
  readonly authorize: Authorize;
  readonly credentialId: string;
}

const liesBehindBase = (speech: { readonly baseUrl?: string } | undefined): boolean =>
  speech?.baseUrl === undefined;

const operationsOf = (row: Provider): readonly OperationSpeech[] =>
  [row.embeddings, row.rerank, row.moderations].filter((speech) => speech !== undefined);

function samplePath(row: Provider, variables: Readonly<Record<string, string>>): string {
  const speech: Pick<Speech, "path"> | undefined =
    row.speaks.find(liesBehindBase) ?? operationsOf(row).find(liesBehindBase);
  const path = speech?.path ?? "";
  return typeof path === "string" ? path : path({ model: "model", stream: false, variables });
}

/** The row at the operator's base URL; surfaces at other places would carry the key elsewhere. */
function atBaseUrl(row: Provider, baseUrl: string): Provider {
  const { embeddings, rerank, moderations, ...rest } = row;
  return {
    ...rest,
    baseUrl,
    speaks: row.speaks.filter(liesBehindBase),
    ...(embeddings && liesBehindBase(embeddings) && { embeddings }),
    ...(rerank && liesBehindBase(rerank) && { rerank }),
    ...(moderations && liesBehindBase(moderations) && { moderations }),
  };
}

function originsOf(
  provider: Provider,
  variables: Readonly<Record<string, string>>,
): ReadonlySet<string> {
  const complete = completeVariables(provider, variables);
  const templates = [
    provider.baseUrl,
    ...[...provider.speaks, ...operationsOf(provider)].map(({ baseUrl }) => baseUrl),
  ];
  return new Set(
    templates
      .filter((template) => template !== undefined)
      .map((template) => new URL(fillPlaceholders(template, complete)).origin),
  );
}

/** A row with a key: bound to the origins that the row has here. */
export function assemble({
  row,
  baseUrl,
  variables,
  authorize,
  ...rest
}: Assembly): ConfiguredProvider {
  const provider =
    baseUrl === undefined ? row : atBaseUrl(row, trimOverlap(baseUrl, samplePath(row, variables)));
  const origins = originsOf(provider, variables);
  return {
    ...rest,
    provider,
    variables,
    origins,
    authorize: bindToOrigins(authorize, origins),
    privateAddressAllowed: baseUrl !== undefined || row.local === true,
  };
}

function usableBaseUrl(
  env: Environment,
  id: string,
  ownOrigins: readonly string[] = [],
): string | undefined {
  const row = PROVIDERS[id];
  const baseUrl = row && findBaseUrl(env, id, row);
  if (baseUrl === undefined || ownOrigins.includes(new URL(baseUrl).origin)) return undefined;
  return baseUrl;
}

/**
 * The row of a provider where the operator's environment says that it is reached, whether there is a
 * key or not; `undefined`: it is not in the table, or runs on the operator's machine only.
 */
export function rowInEnvironment(
  id: string,
  { env, ownOrigins }: Required<Pick<ConfigureOptions, "env" | "ownOrigins">>,
): { readonly row: Provider; readonly privateAddressAllowed: boolean } | undefined {
  const row = Object.hasOwn(PROVIDERS, id) ? PROVIDERS[id] : undefined;
  if (row === undefined || row.local === true) return undefined;
  const baseUrl = usableBaseUrl(env, id, ownOrigins);
  if (baseUrl === undefined) return { row, privateAddressAllowed: false };
  return {
    row: atBaseUrl(row, trimOverlap(baseUrl, samplePath(row, {}))),
    privateAddressAllowed: true,
  };
}

function discoverProvider(
  id: string,
  env: Environment,
  options: DiscoverOptions,
): ConfiguredProvider | undefined {
  const row = PROVIDERS[id];
  const found = row?.auth.discover(env, options.dependencies);
  if (row === undefined || found === undefined) return undefined;
  const baseUrl = usableBaseUrl(env, id, options.ownOrigins);
  const baseUrlReplaced = baseUrl !== undefined;
  const variables = findVariables(row, { given: {}, env, baseUrlReplaced });
  if ("missing" in variables) return undefined;
  const { variable, authorize } = found;
  const credentialId = credentialOf({ id, name: undefined, variable });
  return assemble({ id, row, baseUrl, variables: variables.values, authorize, credentialId });
}

/**
 * The providers whose credentials and variables the environment holds, by id; those of the
 * operator's own machine (`provider.local`) always: the caller finds out whether they are running.
 * Throws `invalid_request` naming the variable where one holds what cannot be used.
 */
export function discoverProviders(
  env: Environment,
  options: DiscoverOptions = {},
): readonly ConfiguredProvider[] {
  return Object.keys(PROVIDERS)
    .toSorted()
    .map((id) => discoverProvider(id, env, options))
    .filter((provider) => provider !== undefined);
}

function rowOf(id: string, { baseUrl, compatible }: ProviderSettings): Provider {
  const known = Object.hasOwn(PROVIDERS, id) ? PROVIDERS[id] : undefined;
  if (known !== undefined && compatible === undefined) return known;
  if (known !== undefined) {
    throw invalidRequest("compatible", `${id} is a known provider; give yours another id.`);
  }
  return customProvider(id, { baseUrl, compatible });
}

function findAuthorize(
  row: Provider,
  { secret }: ProviderSettings,
  { env = {}, dependencies }: ConfigureOptions,
): { readonly authorize: Authorize; readonly variable?: string } {
  if (secret === undefined) {
    const found = row.auth.discover(env, dependencies);
    if (found !== undefined) return found;
    throw invalidRequest("secret", `Neither a secret nor ${row.auth.env.join(" or ")} is set.`);
  }
  const authorize = row.auth.withSecret?.(secret, dependencies);
  if (authorize !== undefined) return { authorize };
  throw invalidRequest("secret", `${row.label} takes its credentials from ${row.auth.env[0]}.`);
}

/**
 * A provider that the operator describes: one of the table with a key, base URL or variables of
 * its own, or any server that is compatible with a protocol. Throws `invalid_request` naming the
 * setting at fault.
 */
export function configureProvider(
  id: string,
  settings: ProviderSettings,
  options: ConfigureOptions = {},
): ConfiguredProvider {
  const row = rowOf(id, settings);
  const given =
    settings.baseUrl === undefined ? undefined : checkBaseUrl(settings.baseUrl, "baseUrl");
  const env = options.env ?? {};
  const baseUrl = given ?? usableBaseUrl(env, id, options.ownOrigins);
  const { authorize, variable } = findAuthorize(row, settings, options);
  const variables = findVariables(row, {
    given: settings.variables ?? {},
    env,
    baseUrlReplaced: baseUrl !== undefined,
  });
  if ("missing" in variables) {
    throw invalidRequest("variables", `${id} needs ${variables.missing.join(" or ")}.`);
  }
  const credentialId = credentialOf({ id, name: settings.name, variable });
  return assemble({ id, row, baseUrl, variables: variables.values, authorize, credentialId });
}

interface CredentialParts {
  readonly id: string;
  readonly name: string | undefined;
  readonly variable: string | undefined;
}

function credentialOf({ id, name, variable }: CredentialParts): string {
  if (variable === "") return `none:${id}`;
  if (variable !== undefined) return `env:${variable}`;
  return name === undefined ? `config:${id}` : `config:${id}/${name}`;
}
