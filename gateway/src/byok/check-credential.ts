import { invalidRequest } from "#canonical/failure.ts";
import { checkOwnUrl } from "#byok/check-own-url.ts";
import { configureOwn, type PlatformPlace } from "#providers/configure-own.ts";
import type { ConfiguredProvider } from "#providers/configured-providers.ts";

/** Keys that gateways issue: one sent upstream would make a gateway ask itself for ever. */
const OWN_KEY_PREFIX = "sk-tp-";

/** What a credential is, before it is sealed. */
export interface PlainCredential {
  readonly id: string;
  readonly organizationId: string;
  readonly provider: string;
  readonly secret: string;
  readonly baseUrl: string | null;
  readonly variables: Readonly<Record<string, string>>;
}

/**
 * The provider that a credential makes, or why it makes none: a provider that is not known, a secret
 * that no header can carry, an address that is none of the internet's, variables that are missing.
 * Throws `invalid_request` naming the field.
 */
export function checkCredential(
  { id, organizationId, provider, secret, baseUrl, variables }: PlainCredential,
  placeOf: (provider: string) => PlatformPlace | undefined,
): ConfiguredProvider {
  const place = placeOf(provider);
  if (place === undefined) {
    throw invalidRequest("provider", `There is no provider "${provider}" to bring a key to.`);
  }
  if (secret.startsWith(OWN_KEY_PREFIX)) {
    throw invalidRequest("secret", "This is a key of a gateway, and not of a provider.");
  }
  const own = { organizationId, credentialId: id, tier: 0, isElsewhere: baseUrl !== null };
  return configureOwn(provider, place, {
    own,
    authorizeFor: (row, dependencies) => row.auth.withSecret?.(secret, dependencies),
    baseUrl: baseUrl === null ? undefined : checkOwnUrl(baseUrl, "base_url"),
    variables,
    attestsZeroRetention: false,
  });
}
