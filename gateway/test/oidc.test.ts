import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { openStore, type Store } from "#store/store.ts";
import { openBrowser, type Browser, type Visit } from "#test/oidc-browser.ts";
import { OIDC_CLIENT, startOidcIssuer, type OidcIssuer } from "#test/oidc-issuer.ts";
import { FIRST_PERSON, setUpGateway, type ApiClient } from "#test/sign-in-client.ts";
import { startGateway, type TestGateway } from "#test/start-gateway.ts";

const START = "/api/auth/oidc/start";
const CALLBACK = "/api/auth/oidc/callback";

let home: string;
let provider: OidcIssuer;
let gateway: TestGateway;
let admin: ApiClient;
let store: Store;
let browser: Browser;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "turnpike-oidc-"));
  provider = await startOidcIssuer();
  writeFileSync(
    join(home, "turnpike.yaml"),
    JSON.stringify({
      auth: {
        oidc: {
          name: "Example Corp",
          issuer: provider.issuer,
          clientId: OIDC_CLIENT.id,
          clientSecret: "${OIDC_SECRET}",
          scopes: ["openid", "email", "profile", "groups"],
          allowedDomains: ["example.com"],
          linkByEmail: true,
          groups: {
            developers: { organization: "default", role: "developer" },
            heads: [{ organization: "org_default", role: "admin" }],
          },
        },
      },
    }),
  );
  gateway = await startGateway({ home, env: { OIDC_SECRET: OIDC_CLIENT.secret } });
  provider.register(gateway.url + CALLBACK);
  admin = await setUpGateway(gateway);
  store = await openStore({ home });
});
afterAll(async () => {
  await store.close();
  await gateway.close();
  await provider.close();
  rmSync(home, { recursive: true, force: true });
});
beforeEach(() => {
  browser = openBrowser();
});

const person = (name: string, groups: readonly string[], more: object = {}) => ({
  id: name,
  claims: { email: `${name}@example.com`, email_verified: true, name, groups, ...more },
});

const signIn = (): Promise<Visit> => browser.follow(gateway.url + START);

/** All the way to the provider and back, to the last step exclusively. */
const comeBack = async (): Promise<string> => {
  const { url } = await browser.follow(gateway.url + START, (next) => next.includes(CALLBACK));
  return url;
};

const session = async (): Promise<{
  readonly status: number;
  readonly roles: readonly unknown[];
}> => {
  const cookie = browser.cookiesOf(gateway.url);
  const response = await fetch(`${gateway.url}/api/session`, { headers: { cookie } });
  const { memberships = [] } = (await response.json()) as { memberships?: { role: string }[] };
  return { status: response.status, roles: memberships.map(({ role }) => role) };
};

describe("single sign-on at a real OpenID provider", () => {
  test("is offered, asks with PKCE, state and nonce, and signs in with the roles of the groups", async () => {
    const methods = await fetch(`${gateway.url}/api/auth`);
    expect(await methods.json()).toEqual({
      password: true,
      oidc: { name: "Example Corp", start_url: START },
    });
    provider.signInAs(person("grace", ["developers", "unknown-group"]));
    const start = await openBrowser().get(gateway.url + START);
    const asked = new URL(start.headers.get("location") ?? "").searchParams;
    expect(asked.get("code_challenge_method")).toBe("S256");
    for (const name of ["state", "nonce", "code_challenge"]) {
      expect(asked.get(name)?.length).toBeGreaterThan(40);
    }
    const { response } = await signIn();
    expect(response.status).toBe(200);
    expect(await session()).toEqual({ status: 200, roles: ["developer"] });
    expect(await response.text()).toContain('http-equiv="refresh" content="0; url=/"');
  });

  test("the cookies are the browser's own affair: out of reach of scripts, the session's strict", async () => {
    provider.signInAs(person("grace", ["developers"]));
    const { response } = await signIn();
    const set = response.headers.getSetCookie();
    expect(set.find((cookie) => cookie.startsWith("turnpike_session="))).toMatch(
      /HttpOnly; SameSite=Strict/,
    );
    expect(set.find((cookie) => cookie.startsWith("turnpike_oidc="))).toMatch(/^turnpike_oidc=;/);
  });

  test("at the next sign-in the groups count as they are then, and earlier sessions end", async () => {
    provider.signInAs(person("linus", ["developers"]));
    await signIn();
    const before = browser;
    browser = openBrowser();
    provider.signInAs(person("linus", ["heads"]));
    await signIn();
    expect(await session()).toEqual({ status: 200, roles: ["admin"] });
    browser = before;
    expect((await session()).status).toBe(401);
  });

  test("who has no role any more is told so, and has no session", async () => {
    provider.signInAs(person("dennis", ["developers"]));
    await signIn();
    provider.signInAs(person("dennis", []));
    const before = browser;
    browser = openBrowser();
    const { response } = await signIn();
    expect(response.status).toBe(403);
    expect(await response.text()).toContain("none of your groups has a role here");
    expect((await session()).status).toBe(401);
    browser = before;
    expect((await session()).status).toBe(401);
  });

  test("a name of the provider's is shorn of what a terminal would obey, an address with it is none", async () => {
    const name = "Ro\u001b[31mot\u202e";
    provider.signInAs(person("spoof", ["developers"], { name }));
    expect((await signIn()).response.status).toBe(200);
    expect(await nameOf("spoof")).toBe("Ro[31mot");
    browser = openBrowser();
    provider.signInAs({
      ...person("evil", ["developers"], { email: "ro\u202eot@example.com" }),
      id: "sub\u0007ject",
    });
    expect((await signIn()).response.status).toBe(403);
    const entries = await store.core.selectFrom("audit_entries").select("actor_name").execute();
    const names = entries.map(({ actor_name }) => actor_name);
    expect(names).toContain("subject");
    expect(names.filter((text) => /\p{Cc}|\p{Bidi_Control}/u.test(text))).toEqual([]);
  });

  test("a role that was given by hand stays whatever the groups say", async () => {
    provider.signInAs(person("ken", ["developers"]));
    await signIn();
    await store.core
      .updateTable("memberships")
      .set({ role: "billing", source: "manual" })
      .where("user_id", "=", await idOf("ken"))
      .execute();
    provider.signInAs(person("ken", []));
    browser = openBrowser();
    expect((await signIn()).response.status).toBe(200);
    expect((await session()).roles).toEqual(["billing"]);
  });

  test("a disabled person is refused, and the sessions of before are over", async () => {
    provider.signInAs(person("rob", ["developers"]));
    await signIn();
    await store.core
      .updateTable("users")
      .set({ disabled_at: Date.now() })
      .where("id", "=", await idOf("rob"))
      .execute();
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect((await session()).status).toBe(401);
    browser = openBrowser();
    const { response } = await signIn();
    expect(response.status).toBe(403);
    expect(await response.text()).toContain("disabled");
  });

  test("an account with the same address is linked only when the address is verified", async () => {
    const ada = { id: "ada-at-the-provider", claims: { email: FIRST_PERSON.email, groups: [] } };
    provider.signInAs({ ...ada, claims: { ...ada.claims, email_verified: false } });
    expect((await signIn()).response.status).toBe(403);
    provider.signInAs({ ...ada, claims: { ...ada.claims, email_verified: true } });
    browser = openBrowser();
    expect((await signIn()).response.status).toBe(200);
    expect((await session()).roles).toEqual(["owner"]);
    const again = { id: "somebody-else", claims: { ...ada.claims, email_verified: true } };
    provider.signInAs(again);
    browser = openBrowser();
    expect((await signIn()).response.status).toBe(403);
    expect((await admin.request("GET", "/api/session")).status).toBe(200);
  });

  test("other domains are refused", async () => {
    provider.signInAs(person("mallory", ["heads"], { email: "mallory@example.com.evil.test" }));
    expect((await signIn()).response.status).toBe(403);
    expect((await session()).status).toBe(401);
  });

  test("a sign-in that another browser began, or with another state, is refused", async () => {
    provider.signInAs(person("grace", ["developers"]));
    const foreign = await comeBack();
    const victim = openBrowser();
    expect((await victim.get(foreign)).status).toBe(401);
    await victim.follow(gateway.url + START, (next) => next.includes(CALLBACK));
    expect((await victim.get(foreign)).status).toBe(401);
    expect(victim.cookiesOf(gateway.url)).not.toContain("turnpike_session");
  });

  test("a changed cookie is not read", async () => {
    provider.signInAs(person("grace", ["developers"]));
    const back = await comeBack();
    browser.setCookie(gateway.url, "turnpike_oidc", "A".repeat(200));
    expect((await browser.get(back)).status).toBe(401);
  });

  test("a code counts once", async () => {
    provider.signInAs(person("grace", ["developers"]));
    const back = await comeBack();
    const attempt = /turnpike_oidc=([^;]+)/.exec(browser.cookiesOf(gateway.url))?.[1] ?? "";
    expect((await browser.get(back)).status).toBe(200);
    const thief = openBrowser();
    thief.setCookie(gateway.url, "turnpike_oidc", attempt);
    expect((await thief.get(back)).status).toBe(401);
  });

  test("an error of the provider is a page, without what the address says", async () => {
    provider.signInAs(person("grace", ["developers"]));
    const back = new URL(await comeBack());
    back.searchParams.delete("code");
    back.searchParams.set("error", "access_denied");
    back.searchParams.set("error_description", "<script>alert(1)</script>");
    const response = await browser.get(back.href);
    expect(response.status).toBe(401);
    expect(await response.text()).not.toContain("alert(1)");
  });

  test("successes and refusals are in the audit log", async () => {
    const entries = await store.core
      .selectFrom("audit_entries")
      .select(["action", "actor_name"])
      .execute();
    const actions = new Set(entries.map(({ action }) => action));
    for (const action of [
      "setup",
      "session.start.oidc",
      "session.refused",
      "members.create",
      "users.link",
    ]) {
      expect(actions).toContain(action);
    }
    expect(JSON.stringify(entries)).not.toContain(OIDC_CLIENT.secret);
  });
});

const nameOf = async (name: string): Promise<string | undefined> => {
  const rows = await store.core
    .selectFrom("users")
    .select("name")
    .where("email", "=", `${name}@example.com`)
    .execute();
  return rows[0]?.name;
};

const idOf = async (name: string): Promise<string> => {
  const user = await store.core
    .selectFrom("users")
    .select("id")
    .where("email", "=", `${name}@example.com`)
    .executeTakeFirstOrThrow();
  return user.id;
};
