import { createHmac, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { createServer, type Server } from "node:http";

import { afterEach, describe, expect, test } from "vitest";

import { close, listen } from "#test/oidc-issuer.ts";
import { createDialer, type Dialer } from "#upstream/dialer.ts";
import { dialerFetch } from "#upstream/dialer-fetch.ts";
import { createOidcProvider, type OidcAttempt, type OidcProvider } from "./oidc-provider.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
const foreign = generateKeyPairSync("rsa", { modulusLength: 2_048 });
const SECRET = "a client secret of the test";
const CALLBACK = "http://127.0.0.1/api/auth/oidc/callback";

/** How an issuer that we wrote ourselves deviates from an honest one. */
interface Deceit {
  readonly document?: (issuer: string) => object;
  readonly claims?: (claims: Claims) => object;
  readonly token?: (claims: object) => string;
  readonly userinfo?: object;
  readonly redirectsTo?: string;
  readonly padding?: number;
}
interface Claims {
  readonly iss: string;
  readonly nonce: string;
  readonly [name: string]: unknown;
}

let server: Server;
let dialer: Dialer;
let faults: string[];
afterEach(async () => {
  await dialer.close();
  await close(server);
});

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

const signed = (claims: object, key: KeyObject = privateKey): string => {
  const text = `${part({ alg: "RS256", kid: "one", typ: "JWT" })}.${part(claims)}`;
  return `${text}.${sign("sha256", Buffer.from(text), key).toString("base64url")}`;
};

/** An issuer with one fault, and the provider that is to notice it. */
async function start(deceit: Deceit = {}): Promise<Running> {
  const asked = { nonce: "" };
  let issuer = "";
  const answers: Readonly<Record<string, () => object>> = {
    "/.well-known/openid-configuration": () => ({
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      userinfo_endpoint: `${issuer}/me`,
      response_types_supported: ["code"],
      subject_types_supported: ["public"],
      padding: "x".repeat(deceit.padding ?? 0),
      ...deceit.document?.(issuer),
    }),
    "/jwks": () => ({
      keys: [{ ...publicKey.export({ format: "jwk" }), kid: "one", alg: "RS256", use: "sig" }],
    }),
    "/token": () => {
      const seconds = Math.floor(Date.now() / 1_000);
      const honest = {
        iss: issuer,
        sub: "person-1",
        aud: "turnpike",
        iat: seconds,
        exp: seconds + 60,
        nonce: asked.nonce,
      };
      const claims = deceit.claims?.(honest) ?? honest;
      const id_token = (deceit.token ?? signed)(claims);
      return { access_token: "access", token_type: "bearer", id_token };
    },
    "/me": () => ({
      sub: "person-1",
      email: "Grace@Example.com",
      email_verified: true,
      ...deceit.userinfo,
    }),
  };
  server = createServer((request, response) => {
    if (deceit.redirectsTo !== undefined) {
      return void response.writeHead(302, { location: deceit.redirectsTo }).end();
    }
    const answer = answers[request.url ?? ""];
    response.setHeader("content-type", "application/json");
    response.writeHead(answer === undefined ? 404 : 200).end(JSON.stringify(answer?.() ?? {}));
  });
  const { port } = await listen(server);
  issuer = `http://127.0.0.1:${port}`;
  dialer = createDialer(() => new Set([issuer]));
  faults = [];
  let now = Date.now();
  const provider = createOidcProvider({
    settings: { issuer, clientId: "turnpike", clientSecret: SECRET },
    fetch: dialerFetch(dialer.send),
    now: () => now,
    onFault: (reason) => faults.push(reason),
  });
  return {
    provider,
    advance: (ms) => {
      now += ms;
    },
    async begin() {
      const { attempt } = await provider.start(CALLBACK);
      asked.nonce = attempt.nonce;
      return attempt;
    },
  };
}

interface Running {
  readonly provider: OidcProvider;
  readonly begin: () => Promise<OidcAttempt>;
  readonly advance: (ms: number) => void;
}

const back = (attempt: OidcAttempt): URL => new URL(`${CALLBACK}?code=abc&state=${attempt.state}`);

const outcome = async (deceit: Deceit): Promise<string> => {
  const { provider, begin } = await start(deceit);
  try {
    const attempt = await begin();
    return (await provider.finish(back(attempt), attempt)).subject;
  } catch (error) {
    return (error as { failure: { code: string } }).failure.code;
  }
};

describe("createOidcProvider", () => {
  test("an honest issuer is believed: subject, address in lower case", async () => {
    const { provider, begin } = await start();
    const attempt = await begin();
    expect(await provider.finish(back(attempt), attempt)).toMatchObject({
      subject: "person-1",
      email: "grace@example.com",
      isEmailVerified: true,
      groups: [],
    });
  });

  const inThePast = Math.floor(Date.now() / 1_000) - 3_600;
  test.each<readonly [string, Deceit]>([
    ["another nonce", { claims: (claims) => ({ ...claims, nonce: "another" }) }],
    ["no nonce", { claims: ({ nonce: _nonce, ...claims }) => claims }],
    ["an expired token", { claims: (claims) => ({ ...claims, exp: inThePast }) }],
    ["a token for another client", { claims: (claims) => ({ ...claims, aud: "another" }) }],
    [
      "a token of another issuer",
      { claims: (claims) => ({ ...claims, iss: "https://evil.test" }) },
    ],
    ["another key's signature", { token: (claims) => signed(claims, foreign.privateKey) }],
    ["no signature", { token: (claims) => `${part({ alg: "none" })}.${part(claims)}.` }],
    [
      "a signature by the client's secret",
      {
        token: (claims) => {
          const text = `${part({ alg: "HS256", kid: "one" })}.${part(claims)}`;
          return `${text}.${createHmac("sha256", SECRET).update(text).digest("base64url")}`;
        },
      },
    ],
    ["userinfo of somebody else", { userinfo: { sub: "person-2" } }],
    ["no ID token", { token: () => "" }],
  ])("%s is refused", async (_what, deceit) => {
    expect(await outcome(deceit)).toBe("unauthenticated");
    expect(faults).toHaveLength(1);
  });

  test.each<readonly [string, Deceit]>([
    ["a document of another issuer", { document: () => ({ issuer: "https://evil.test" }) }],
    ["a redirect", { redirectsTo: "http://169.254.169.254/latest" }],
    ["a document without end", { padding: 2 * 1024 * 1024 }],
  ])("%s is not believed", async (_what, deceit) => {
    expect(await outcome(deceit)).toBe("unavailable");
  });

  test.each(["jwks_uri", "token_endpoint"])(
    "a %s inside the network is not dialled",
    async (name) => {
      const document = (): object => ({ [name]: "http://169.254.169.254/latest/meta-data" });
      expect(await outcome({ document })).not.toBe("person-1");
      expect(faults.join()).toMatch(/private or reserved/);
    },
  );

  test("another state, and one that is too old, are refused", async () => {
    const { provider, begin, advance } = await start();
    const attempt = await begin();
    const other = await begin();
    await expect(provider.finish(back(other), attempt)).rejects.toMatchObject({
      failure: { code: "unauthenticated" },
    });
    advance(10 * 60_000 + 1);
    await expect(provider.finish(back(attempt), attempt)).rejects.toMatchObject({
      failure: { message: "The sign-in took too long. Try again." },
    });
  });

  test("words of the log hold no token and no secret", async () => {
    await outcome({ token: (claims) => signed(claims, foreign.privateKey) });
    expect(faults.join()).not.toMatch(/eyJ|a client secret/);
  });
});
