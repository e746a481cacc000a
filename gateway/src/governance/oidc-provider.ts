import type { OidcSection } from "@turnpike/contract/config-auth.ts";
import * as client from "openid-client";

import { GatewayError } from "#canonical/failure.ts";
import { emailOf, foreignName } from "#governance/people.ts";

/** A sign-in that was begun, kept by the browser in a sealed cookie until it comes back. */
export interface OidcAttempt {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  /** Milliseconds. */
  readonly until: number;
}

/** Who somebody is, as the provider says. */
export interface OidcIdentity {
  readonly issuer: string;
  readonly subject: string;
  /** In lower case. */
  readonly email: string | null;
  readonly isEmailVerified: boolean;
  readonly name: string | null;
  readonly groups: readonly string[];
}

/** Sign-in at an OpenID provider: authorization code with PKCE, state and nonce. */
export interface OidcProvider {
  /** Throws `unavailable`. */
  start(redirectUri: string): Promise<{ readonly url: URL; readonly attempt: OidcAttempt }>;
  /** `url`: as the browser came back. Throws `unauthenticated`, `unavailable`. */
  finish(url: URL, attempt: OidcAttempt): Promise<OidcIdentity>;
}

interface Deps {
  readonly settings: OidcSection;
  /** The guarded way out. */
  readonly fetch: client.CustomFetch;
  readonly now: () => number;
  /** Told why a sign-in failed: people are not, for it may help whoever attacks. */
  readonly onFault: (reason: string) => void;
}

/** How long somebody may take at the provider. */
const ATTEMPT_MS = 10 * 60_000;
const DEFAULT_SCOPES = ["openid", "email", "profile"];
/** Settings of the provider are read anew after this: keys and addresses move. */
const DISCOVERY_MS = 60 * 60_000;

export function createOidcProvider(deps: Deps): OidcProvider {
  const { settings, now } = deps;
  let known: { readonly config: client.Configuration; readonly at: number } | undefined;
  const configuration = async (): Promise<client.Configuration> => {
    if (known !== undefined && now() - known.at < DISCOVERY_MS) return known.config;
    const config = await discover(deps);
    known = { config, at: now() };
    return config;
  };
  return {
    async start(redirectUri) {
      const config = await orUnavailable(deps, configuration);
      const attempt = {
        state: client.randomState(),
        nonce: client.randomNonce(),
        codeVerifier: client.randomPKCECodeVerifier(),
        until: now() + ATTEMPT_MS,
      };
      const url = client.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: (settings.scopes ?? DEFAULT_SCOPES).join(" "),
        state: attempt.state,
        nonce: attempt.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(attempt.codeVerifier),
        code_challenge_method: "S256",
      });
      return { url, attempt };
    },
    async finish(url, attempt) {
      if (attempt.until < now()) throw new GatewayError(TOO_LATE);
      const config = await orUnavailable(deps, configuration);
      try {
        return await identify(config, settings, { url, attempt });
      } catch (error) {
        throw refusal(deps, error);
      }
    },
  };
}

function discover({ settings, fetch }: Deps): Promise<client.Configuration> {
  const { issuer, clientId, clientSecret } = settings;
  const auth = clientSecret === undefined ? client.None() : client.ClientSecretBasic(clientSecret);
  const isPlain = issuer.startsWith("http:");
  return client.discovery(new URL(issuer), clientId, undefined, auth, {
    [client.customFetch]: fetch,
    // Signatures count although the token comes over TLS: there may be a proxy in between.
    execute: [
      client.enableNonRepudiationChecks,
      // Only where the operator wrote http:, which the settings take for this machine alone.
      ...(isPlain ? [client.allowInsecureRequests] : []),
    ],
  });
}

interface Returned {
  readonly url: URL;
  readonly attempt: OidcAttempt;
}

async function identify(
  config: client.Configuration,
  settings: OidcSection,
  { url, attempt }: Returned,
): Promise<OidcIdentity> {
  const tokens = await client.authorizationCodeGrant(config, url, {
    pkceCodeVerifier: attempt.codeVerifier,
    expectedState: attempt.state,
    expectedNonce: attempt.nonce,
    idTokenExpected: true,
  });
  const claims = tokens.claims();
  if (claims === undefined) throw new Error("no ID token");
  // Many providers put little into the token, and the rest at the userinfo endpoint.
  const hasMore = config.serverMetadata().userinfo_endpoint !== undefined;
  const more = hasMore
    ? await client.fetchUserInfo(config, tokens.access_token, claims.sub)
    : undefined;
  return identityOf({ ...more, ...claims }, settings.groupsClaim ?? "groups");
}

function identityOf(claims: Record<string, unknown>, groupsClaim: string): OidcIdentity {
  const text = (name: string): string | null => {
    const value = claims[name];
    return typeof value === "string" && value !== "" && value.length <= 254 ? value : null;
  };
  const groups = claims[groupsClaim];
  const listed: readonly unknown[] = Array.isArray(groups) ? groups : [groups];
  return {
    issuer: String(claims["iss"]),
    subject: String(claims["sub"]),
    email: emailOf(text("email") ?? "") ?? null,
    isEmailVerified: claims["email_verified"] === true,
    name: foreignName(text("name") ?? text("preferred_username") ?? "") ?? null,
    groups: listed.filter((group) => typeof group === "string"),
  };
}

async function orUnavailable<Result>(deps: Deps, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    deps.onFault(reasonOf(error));
    throw new GatewayError(NOT_REACHED);
  }
}

/** What the provider or its answer is at fault for is a refused sign-in; the rest may mend itself. */
function refusal({ onFault }: Deps, error: unknown): GatewayError {
  onFault(reasonOf(error));
  const isAnswer =
    (error instanceof client.ClientError && error.code !== undefined) ||
    error instanceof client.ResponseBodyError ||
    error instanceof client.AuthorizationResponseError ||
    error instanceof client.WWWAuthenticateChallengeError;
  return new GatewayError(isAnswer ? REFUSED : NOT_REACHED);
}

/**
 * The library's words; its causes hold tokens, and stay out. Without a code it is a failed connection
 * that it wraps: that one's words say why.
 */
function reasonOf(error: unknown): string {
  const { code, error: name } = error as { code?: string; error?: string };
  if (!(error instanceof Error)) return "unknown";
  const inner = code === undefined && error.cause instanceof Error ? error.cause : error;
  return [code, name, inner.message].filter((part) => typeof part === "string").join(": ");
}

const REFUSED = {
  code: "unauthenticated",
  message: "The sign-in did not succeed. Try again; if it fails again, the gateway's log says why.",
} as const;

const TOO_LATE = {
  code: "unauthenticated",
  message: "The sign-in took too long. Try again.",
} as const;

const NOT_REACHED = {
  code: "unavailable",
  message: "The sign-in provider cannot be reached, or its settings are wrong. Try again soon.",
  retryAfterMs: 5_000,
} as const;
