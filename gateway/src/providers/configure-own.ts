import { invalidRequest } from "#canonical/failure.ts";

import { assemble, type ConfiguredProvider, type Ownership } from "./configured-providers.ts";
import { findVariables } from "./provider-variables.ts";
import type { AuthDependencies, Authorize, Provider } from "./provider.ts";

/** A tenant's credential, as far as a provider is made of it. */
export interface OwnSettings {
  /** Keeps the secret to itself. `undefined`: the provider knows no keys that could be brought along. */
  readonly authorizeFor: (row: Provider, dependencies?: AuthDependencies) => Authorize | undefined;
  readonly own: Ownership;
  /** The tenant's, checked; absent: where the platform reaches the provider. */
  readonly baseUrl?: string | undefined;
  readonly variables: Readonly<Record<string, string>>;
  /** The organization says that the provider keeps nothing of what is sent with the key. */
  readonly attestsZeroRetention: boolean;
}

/** Where the platform reaches a provider. */
export interface PlatformPlace {
  readonly row: Provider;
  /** The operator named the address: it may be a private one. */
  readonly privateAddressAllowed: boolean;
  /** What fetches tokens for keys that need some. */
  readonly dependencies?: AuthDependencies;
}

/**
 * A provider with a tenant's own key. Nothing of the environment is used for it, and an address that
 * the tenant gives is never trusted to be a private one. Throws `invalid_request`.
 */
export function configureOwn(
  id: string,
  { row, privateAddressAllowed, dependencies }: PlatformPlace,
  settings: OwnSettings,
): ConfiguredProvider {
  const { own, baseUrl, authorizeFor } = settings;
  const authorize = authorizeFor(row, dependencies);
  if (authorize === undefined) {
    throw invalidRequest("provider", `${row.label} knows no keys that could be brought along.`);
  }
  const variables = variablesOf(row, settings);
  const credentialId = `byok:${own.credentialId}`;
  const made = assemble({ id, row, baseUrl, variables, authorize, credentialId });
  const { retention: _platforms, ...provider } = made.provider;
  const retention = retentionOf(row, settings);
  return {
    ...made,
    provider: retention === undefined ? provider : { ...provider, retention },
    own,
    privateAddressAllowed: privateAddressAllowed && baseUrl === undefined,
  };
}

function variablesOf(
  row: Provider,
  { variables: given, baseUrl }: OwnSettings,
): Readonly<Record<string, string>> {
  const known = row.variables ?? {};
  const stranger = Object.keys(given).find((name) => !Object.hasOwn(known, name));
  if (stranger !== undefined) {
    const names = Object.keys(known).join(", ");
    throw invalidRequest(
      `variables.${stranger}`,
      `${row.label} has ${names === "" ? "no variables" : `these variables: ${names}`}.`,
    );
  }
  const found = findVariables(row, { given, env: {}, baseUrlReplaced: baseUrl !== undefined });
  if ("values" in found) return found.values;
  const needed = Object.entries(known).filter(
    ([name, variable]) => variable.default === undefined && given[name] === undefined,
  );
  const names = needed.map(([name]) => name).join(", ");
  throw invalidRequest("variables", `${row.label} needs these variables: ${names}.`);
}

/** What the platform agreed with a provider is not what the tenant did: only its own word counts. */
function retentionOf(
  { retention }: Provider,
  { attestsZeroRetention, own }: OwnSettings,
): Provider["retention"] {
  if (attestsZeroRetention) {
    const rest = retention ?? { trainsOnApiData: false, zeroRetentionOffered: true };
    return { ...rest, days: 0, source: "attested by the organization", date: "" };
  }
  return retention === undefined || own.isElsewhere ? undefined : { ...retention, days: null };
}
