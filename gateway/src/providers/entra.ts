import { GatewayError } from "#canonical/failure.ts";
import { asNumber, asObject, asString } from "#lib/json.ts";

import { findSecret } from "./auth.ts";
import { cachedToken } from "./cached-token.ts";
import type { AccessToken } from "./cached-token.ts";
import { pathSegment } from "./path-segment.ts";
import type { Auth, AuthDependencies } from "./provider.ts";

const TENANT = ["AZURE_TENANT_ID"];
const CLIENT = ["AZURE_CLIENT_ID"];
const SECRET = ["AZURE_CLIENT_SECRET"];
const SCOPE = "https://cognitiveservices.azure.com/.default";
const DEFAULT_LIFETIME_SECONDS = 600;

interface ClientCredentials {
  readonly tenant: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

const authFault = (message: string): GatewayError =>
  new GatewayError({ code: "upstream_auth", message });

async function fetchToken(
  credentials: ClientCredentials,
  { post, now = Date.now }: AuthDependencies,
): Promise<AccessToken> {
  const tenant = pathSegment(credentials.tenant);
  if (tenant === undefined) throw authFault("AZURE_TENANT_ID is not a tenant id or domain.");
  if (post === undefined) throw authFault("Entra tokens need a connection, and none was given.");
  const answer = asObject(
    await post(`https://login.microsoftonline.com/${tenant}/oauth2/v2.0/token`, {
      grant_type: "client_credentials",
      client_id: credentials.clientId,
      client_secret: credentials.clientSecret,
      scope: SCOPE,
    }),
  );
  const token = asString(answer["access_token"]);
  if (token === undefined) throw authFault("Microsoft Entra answered without an access token.");
  const seconds = asNumber(Number(answer["expires_in"])) ?? DEFAULT_LIFETIME_SECONDS;
  return { token, expiresAt: now() + seconds * 1000 };
}

/** Microsoft Entra's client-credentials flow: a bearer token for Azure AI resources. */
export const ENTRA: Auth = {
  env: SECRET,
  companions: { AZURE_CLIENT_SECRET: [...TENANT, ...CLIENT] },
  discover(env, dependencies = {}) {
    const tenant = findSecret(env, TENANT)?.secret;
    const clientId = findSecret(env, CLIENT)?.secret;
    const found = findSecret(env, SECRET);
    if (tenant === undefined || clientId === undefined || found === undefined) return undefined;
    const credentials = { tenant, clientId, clientSecret: found.secret };
    const token = cachedToken(
      () => fetchToken(credentials, dependencies),
      dependencies.now ?? Date.now,
    );
    return {
      variable: found.variable,
      authorize: async () => ({ authorization: `Bearer ${await token()}` }),
    };
  },
};
