import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { Provider } from "oidc-provider";

/** Who signs in at the provider, and what it says of them. */
export interface Account {
  readonly id: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** A real OpenID provider on this machine whose sign-in form has been filled in already. */
export interface OidcIssuer {
  readonly issuer: string;
  /** Lets the client come back there; before that nobody can sign in. */
  register(redirectUri: string): void;
  /** Whoever comes next signs in as this one. */
  signInAs(account: Account): void;
  close(): Promise<void>;
}

export const OIDC_CLIENT = { id: "turnpike", secret: "the-secret-of-the-client-0123456789" };

export async function startOidcIssuer(): Promise<OidcIssuer> {
  let account: Account = { id: "nobody", claims: {} };
  let provider: Provider | undefined;
  const server = createServer((request, response) => {
    void answer(request, response);
  });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (provider === undefined) return void response.writeHead(503).end();
    if (request.url?.startsWith("/interaction/") === true) {
      return consent(provider, { request, response, account });
    }
    await provider.callback()(request, response);
  };
  const { port } = await listen(server);
  const issuer = `http://127.0.0.1:${port}`;
  return {
    issuer,
    register(redirectUri) {
      provider = openProvider({ issuer, redirectUri, accountNow: () => account });
    },
    signInAs: (next) => {
      account = next;
    },
    close: () => close(server),
  };
}

interface Opening {
  readonly issuer: string;
  readonly redirectUri: string;
  readonly accountNow: () => Account;
}

const openProvider = ({ issuer, redirectUri, accountNow }: Opening): Provider =>
  new Provider(issuer, {
    clients: [
      {
        client_id: OIDC_CLIENT.id,
        client_secret: OIDC_CLIENT.secret,
        redirect_uris: [redirectUri],
        token_endpoint_auth_method: "client_secret_basic",
      },
    ],
    claims: {
      openid: ["sub"],
      email: ["email", "email_verified"],
      profile: ["name"],
      groups: ["groups"],
    },
    scopes: ["openid", "email", "profile", "groups"],
    cookies: { keys: ["a key of the test"] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_context, id) => {
      const { claims } = accountNow();
      return { accountId: id, claims: () => ({ ...claims, sub: id }) };
    },
    renderError: (context, out) => {
      context.body = JSON.stringify(out);
    },
  });

interface Interaction {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly account: Account;
}

/** The person signs in, and agrees to all that is asked. */
async function consent(
  provider: Provider,
  { request, response, account }: Interaction,
): Promise<void> {
  const { params } = await provider.interactionDetails(request, response);
  const grant = new provider.Grant({
    accountId: account.id,
    clientId: String(params["client_id"]),
  });
  grant.addOIDCScope(String(params["scope"]));
  const result = { login: { accountId: account.id }, consent: { grantId: await grant.save() } };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

export const listen = (server: Server): Promise<AddressInfo> =>
  new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve(server.address() as AddressInfo));
  });

export const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
