import { afterEach, describe, expect, test } from "vitest";

import { startGateway, type TestGateway } from "#test/start-gateway.ts";
import {
  clientOf,
  cookieOf,
  CREDENTIALS,
  FIRST_PERSON,
  postJson,
  setUpGateway,
  signInAs,
} from "#test/sign-in-client.ts";

let gateway: TestGateway;
const start = async (): Promise<TestGateway> => (gateway = await startGateway());
afterEach(() => gateway.close());

const codeOf = async (response: Response): Promise<readonly [number, unknown]> => [
  response.status,
  ((await response.json()) as { code: unknown }).code,
];

describe("setup", () => {
  test("as long as there is nobody, the admin API says so, and inference works", async () => {
    const { url } = await start();
    for (const path of ["/api/session", "/api/auth"]) {
      expect(await codeOf(await fetch(url + path))).toEqual([403, "setup_needed"]);
    }
    expect(await codeOf(await postJson(`${url}/api/session`, CREDENTIALS))).toEqual([
      403,
      "setup_needed",
    ]);
    const message = { role: "user", content: "Hello" };
    const answer = await gateway.post("/v1/chat/completions", {
      model: "demo/echo",
      messages: [message],
    });
    expect(answer.status).toBe(200);
    const health = await gateway.get("/api/health/endpoints");
    expect(health.status).toBe(200);
  });

  test("the printed token makes the first person, once", async () => {
    const { url, app } = await start();
    const person = await setUpGateway(gateway);
    const session = await person.request("GET", "/api/session");
    expect(await session.json()).toMatchObject({
      user: { kind: "person", name: "ada@example.com", is_platform_admin: true },
      memberships: [{ organization_id: "org_default", team_id: null, role: "owner" }],
      scopes: null,
    });
    const again = { token: app.startup.setupToken, ...FIRST_PERSON, email: "eve@example.com" };
    expect(await codeOf(await postJson(`${url}/api/setup`, again))).toEqual([409, "conflict"]);
  });

  test("of two at once one wins", async () => {
    const { url, app } = await start();
    const { setupToken: token } = app.startup;
    const answers = await Promise.all(
      ["a@example.com", "b@example.com", "c@example.com"].map((email) =>
        postJson(`${url}/api/setup`, { ...FIRST_PERSON, token, email }),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409]);
  });

  test("another token, a short password and an own address are refused", async () => {
    const { url, app } = await start();
    const { setupToken: token } = app.startup;
    const tries = [
      { ...FIRST_PERSON, token: "x".repeat(43) },
      { ...FIRST_PERSON, token, password: "short" },
      { ...FIRST_PERSON, token, password: "Ada@Example.com" },
      { ...FIRST_PERSON, token, password: "x".repeat(1_001) },
      { ...FIRST_PERSON, token, email: "nobody" },
      { ...FIRST_PERSON, token, is_platform_admin: true },
    ];
    const answers = await Promise.all(tries.map((body) => postJson(`${url}/api/setup`, body)));
    const fields = await Promise.all(
      answers.map(async (answer) => [
        answer.status,
        ((await answer.json()) as { field: string }).field,
      ]),
    );
    expect(fields).toEqual([
      [403, "token"],
      [400, "password"],
      [400, "password"],
      [400, "password"],
      [400, "email"],
      [400, "is_platform_admin"],
    ]);
    expect((await setUpGateway(gateway)).cookie).not.toBe("");
  });

  test("the page works without scripts, shows what is wrong, and signs in", async () => {
    const { url, app } = await start();
    const link = `${url}/setup?token=${app.startup.setupToken}`;
    const page = await fetch(link);
    const html = await page.text();
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(html).not.toContain("<script");
    expect(html).toContain(`value="${app.startup.setupToken}"`);
    const submit = (password: string, headers: Record<string, string> = {}): Promise<Response> =>
      fetch(`${url}/setup`, {
        method: "POST",
        headers: { origin: url, ...headers },
        body: new URLSearchParams({
          token: app.startup.setupToken ?? "",
          email: '"><script>@example.com',
          name: "<b>",
          password,
          ...(password === "short" ? {} : { email: FIRST_PERSON.email }),
        }),
      });
    const refused = await submit("short");
    expect(refused.status).toBe(400);
    expect(await refused.text()).not.toContain("<script");
    const foreign = await submit(FIRST_PERSON.password, { origin: "https://evil.example" });
    expect(foreign.status).toBe(403);
    const done = await submit(FIRST_PERSON.password);
    expect(done.status).toBe(200);
    const session = await fetch(`${url}/api/session`, { headers: { cookie: cookieOf(done) } });
    expect(session.status).toBe(200);
    expect((await fetch(link)).status).toBe(409);
  });
});

describe("sessions", () => {
  test("the cookie is out of reach of scripts and other sites; its id changes at each sign-in", async () => {
    const { url } = await start();
    const first = await setUpGateway(gateway);
    const planted = "turnpike_session=planted-by-an-attacker";
    const response = await postJson(`${url}/api/session`, CREDENTIALS, { cookie: planted });
    const [cookie = ""] = response.headers.getSetCookie();
    expect(cookie).toMatch(
      /^turnpike_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=604800$/,
    );
    expect(cookieOf(response)).not.toBe(first.cookie);
    const fixed = await fetch(`${url}/api/session`, { headers: { cookie: planted } });
    expect(await codeOf(fixed)).toEqual([401, "unauthenticated"]);
  });

  test("behind TLS the cookie is bound to the host", async () => {
    const { app } = await start();
    const token = app.startup.setupToken;
    const { url } = gateway;
    const { request } = await import("node:http");
    const cookies = await new Promise<string[] | undefined>((resolve, reject) => {
      const sent = request(
        `${url}/api/setup`,
        {
          method: "POST",
          headers: { host: "gate.example.com", "content-type": "application/json" },
        },
        (answer) => resolve(answer.resume().headers["set-cookie"]),
      );
      sent.on("error", reject).end(JSON.stringify({ token, ...FIRST_PERSON }));
    });
    expect(cookies?.[0]).toMatch(/^__Host-turnpike_session=.*; Path=\/; HttpOnly; .*; Secure$/);
  });

  test("a change needs the token that only pages of this site can read", async () => {
    const { url } = await start();
    const { cookie, csrfToken } = await setUpGateway(gateway);
    const change = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${url}/api/session`, { method: "DELETE", headers: { cookie, ...headers } });
    const own = { "x-csrf-token": csrfToken };
    const refused = [
      {},
      { "x-csrf-token": "x".repeat(43) },
      { ...own, origin: "https://evil.example" },
      { ...own, origin: "null" },
      { ...own, "sec-fetch-site": "cross-site" },
      { ...own, "sec-fetch-site": "same-site", origin: url },
    ];
    for (const headers of refused) expect((await change(headers)).status).toBe(403);
    const form = await fetch(`${url}/api/session/password`, {
      method: "POST",
      headers: { cookie, ...own, "content-type": "text/plain" },
      body: JSON.stringify({ current_password: "x", new_password: "y" }),
    });
    expect(form.status).toBe(415);
    expect((await change({ ...own, origin: url, "sec-fetch-site": "same-origin" })).status).toBe(
      204,
    );
  });

  test("after a sign-out the cookie is worth nothing, on all devices", async () => {
    const { url } = await start();
    const first = await setUpGateway(gateway);
    const second = await signInAs(url, CREDENTIALS);
    expect((await first.request("DELETE", "/api/session")).status).toBe(204);
    for (const { request } of [first, second]) {
      expect((await request("GET", "/api/session")).status).toBe(401);
    }
  });

  test("another password ends all sessions and begins one anew", async () => {
    const { url } = await start();
    const first = await setUpGateway(gateway);
    const other = await signInAs(url, CREDENTIALS);
    const next = "a whole new sentence";
    const wrong = { current_password: "not the password", new_password: next };
    const refused = await first.request("POST", "/api/session/password", wrong);
    expect(await codeOf(refused)).toEqual([403, "forbidden"]);
    const right = { current_password: FIRST_PERSON.password, new_password: next };
    const changed = await clientOf(
      url,
      await first.request("POST", "/api/session/password", right),
    );
    expect((await changed.request("GET", "/api/session")).status).toBe(200);
    for (const { request } of [first, other]) {
      expect((await request("GET", "/api/session")).status).toBe(401);
    }
    expect((await postJson(`${url}/api/session`, CREDENTIALS)).status).toBe(401);
    const { email } = FIRST_PERSON;
    expect((await postJson(`${url}/api/session`, { email, password: next })).status).toBe(200);
  });

  test("wrong passwords and unknown people get the same words; too many failures wait", async () => {
    const { url } = await start();
    await setUpGateway(gateway);
    const attempt = (email: string, password: string): Promise<Response> =>
      postJson(`${url}/api/session`, { email, password });
    const known = await attempt(FIRST_PERSON.email, "not the password");
    const unknown = await attempt("nobody@example.com", "not the password");
    const words = async (response: Response): Promise<unknown> =>
      ((await response.json()) as { detail: string }).detail;
    expect([known.status, unknown.status]).toEqual([401, 401]);
    expect(await words(known)).toBe(await words(unknown));
    const many = await Promise.all(
      Array.from({ length: 12 }, () => attempt(FIRST_PERSON.email, "not the password")),
    );
    expect(many.filter(({ status }) => status === 429)).toHaveLength(5);
    const late = await attempt(FIRST_PERSON.email, FIRST_PERSON.password);
    expect(late.status).toBe(429);
    expect(Number(late.headers.get("retry-after"))).toBeGreaterThan(0);
  });

  test("behind a trusted proxy people are throttled and told apart by their own address", async () => {
    gateway = await startGateway({ configText: "server: { trustedProxies: [127.0.0.1] }\n" });
    const owner = await setUpGateway(gateway);
    const attempt = (password: string, from: string): Promise<Response> =>
      postJson(
        `${gateway.url}/api/session`,
        { email: FIRST_PERSON.email, password },
        { "x-forwarded-for": from },
      );
    const many = await Promise.all(
      Array.from({ length: 10 }, () => attempt("not the password", "203.0.113.9")),
    );
    expect(many.filter(({ status }) => status === 429)).toHaveLength(2);
    // What the client itself claims stands before what the proxy saw, and helps nobody.
    const forged = await attempt("not the password", "198.51.100.1, 203.0.113.9");
    expect(forged.status).toBe(429);
    expect((await attempt(FIRST_PERSON.password, "198.51.100.1")).status).toBe(200);
    const audit = await (await owner.request("GET", "/api/audit?limit=100")).text();
    expect(audit).toContain('"203.0.113.9"');
    expect(audit).toContain('"198.51.100.1"');
  });

  test("disabling an owner stops their keys at once, enabling lets them work again", async () => {
    const { url } = await start();
    const owner = await setUpGateway(gateway);
    const post = async <Made>(path: string, body: object = {}): Promise<Made> =>
      (await (await owner.request("POST", path, body)).json()) as Made;
    const account = await post<{ id: string }>("/api/service-accounts", {
      name: "ci",
      role: "developer",
    });
    const { key } = await post<{ key: string }>("/api/keys", {
      project_id: "proj_default",
      name: "of ci",
      owner_id: account.id,
    });
    const use = (): Promise<Response> => fetch(`${url}/v1/key`, { headers: { "x-api-key": key } });
    expect((await use()).status).toBe(200);
    await post(`/api/service-accounts/${account.id}/disable`);
    const refused = await use();
    expect(refused.status).toBe(403);
    expect(await refused.text()).toContain("The owner of this API key is disabled");
    await post(`/api/service-accounts/${account.id}/enable`);
    expect((await use()).status).toBe(200);
  });

  test("an inference key is no admin credential, and words say which is", async () => {
    await start();
    await setUpGateway(gateway);
    const response = await fetch(`${gateway.url}/api/session`, {
      headers: { authorization: "Bearer sk-tp-something" },
    });
    expect(response.status).toBe(401);
    expect(response.headers.get("content-type")).toContain("application/problem+json");
    expect(await response.text()).toContain("key for inference");
  });
});
