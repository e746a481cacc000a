import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { OPERATOR } from "#governance/actor.ts";
import { makeResetLink } from "#governance/password-reset.ts";
import { loadMasterKey } from "#privacy/master-key.ts";
import { openStore, type Store } from "#store/store.ts";
import {
  cookieOf,
  CREDENTIALS,
  FIRST_PERSON,
  postJson,
  setUpGateway,
  signInAs,
  type ApiClient,
} from "#test/sign-in-client.ts";
import { startGateway, type TestGateway } from "#test/start-gateway.ts";

let gateway: TestGateway;
let store: Store;
let owner: ApiClient;
beforeEach(async () => {
  gateway = await startGateway();
  store = await openStore({ home: gateway.home });
  owner = await setUpGateway(gateway);
});
afterEach(async () => {
  await store.close();
  await gateway.close();
});

const NEXT = "a sentence that is new to all";

/** What `turnpike users reset-password` prints. */
const operatorLink = async (email: string, now = Date.now()): Promise<string> => {
  const deed = { core: store.core, actor: OPERATOR, now, ip: null, requestId: null };
  return (await makeResetLink(deed, loadMasterKey(gateway.home, undefined).keyPepper, email)).token;
};
const reset = (token: string, password: string = NEXT): Promise<Response> =>
  postJson(`${gateway.url}/api/password-reset`, { token, password });
const statusAs = async (client: ApiClient): Promise<number> =>
  (await client.request("GET", "/api/session")).status;

/** Invites somebody, who accepts. */
async function join(email: string, role: string): Promise<{ client: ApiClient; id: string }> {
  const body = { organization_id: "org_default", team_id: null, email, role };
  const invited = await owner.request("POST", "/api/invitations", body);
  const { token } = (await invited.json()) as { token: string };
  const accept = { token, name: email, password: "the password before" };
  await postJson(`${gateway.url}/api/invitations/accept`, accept);
  const client = await signInAs(gateway.url, { email, password: accept.password });
  const members = (await (await owner.request("GET", "/api/members")).json()) as {
    data: { id: string; email: string }[];
  };
  return { client, id: members.data.find((one) => one.email === email)?.id ?? "" };
}

const linkFor = (by: ApiClient, memberId: string): Promise<Response> =>
  by.request("POST", `/api/members/${memberId}/password-reset`);

describe("the operator's link", () => {
  test("sets another password once, signs in, ends all sessions, and is on record", async () => {
    const token = await operatorLink("Ada@Example.com");
    expect(await statusAs(owner)).toBe(200);
    const done = await reset(token);
    expect([done.status, cookieOf(done) !== ""]).toEqual([200, true]);
    await expect.poll(() => statusAs(owner), { timeout: 3_000 }).toBe(401);
    expect((await postJson(`${gateway.url}/api/session`, CREDENTIALS)).status).toBe(401);
    const again = await signInAs(gateway.url, { email: FIRST_PERSON.email, password: NEXT });
    expect((await reset(token, "yet another password")).status).toBe(404);
    const audit = await (await again.request("GET", "/api/audit?limit=100")).text();
    expect(audit).toContain("users.reset-link");
    expect(audit).toContain("users.password.reset");
    expect(audit).toContain("session.start.reset");
    expect(audit).not.toContain(token.split(".")[2]);
  });

  test("is worth nothing after another link, its hour, or a change of it; a bad password keeps it", async () => {
    const first = await operatorLink(FIRST_PERSON.email);
    const second = await operatorLink(FIRST_PERSON.email);
    expect((await reset(first)).status).toBe(404);
    const late = await operatorLink(FIRST_PERSON.email, Date.now() - 3_600_001);
    expect((await reset(late)).status).toBe(404);
    expect((await reset(second)).status).toBe(404);
    const token = await operatorLink(FIRST_PERSON.email);
    const [id, until, digest] = token.split(".");
    const forged = [
      `${id}.${Number(until) + 1}.${digest}`,
      `user_other.${until}.${digest}`,
      `${id}.${until}.`,
      `${id}.${until}`,
      "x",
    ];
    const statuses = await Promise.all(forged.map(async (one) => (await reset(one)).status));
    expect(statuses).toEqual([404, 404, 404, 404, 404]);
    expect((await reset(token, "short")).status).toBe(400);
    expect((await reset(token)).status).toBe(200);
  });

  test("of two that use it at once one wins", async () => {
    const token = await operatorLink(FIRST_PERSON.email);
    const answers = await Promise.all([reset(token), reset(token, `${NEXT} two`)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 404]);
  });

  test("has a page without scripts that shows what is wrong", async () => {
    const token = await operatorLink(FIRST_PERSON.email);
    const page = await fetch(`${gateway.url}/password-reset?token=${token}`);
    const html = await page.text();
    expect(html).toContain(FIRST_PERSON.email);
    expect(html).not.toContain("<script");
    const submit = (password: string, origin = gateway.url): Promise<Response> =>
      fetch(`${gateway.url}/password-reset`, {
        method: "POST",
        headers: { origin },
        body: new URLSearchParams({ token, password }),
      });
    expect((await submit("short")).status).toBe(400);
    expect((await submit(NEXT, "https://evil.example")).status).toBe(403);
    expect(cookieOf(await submit(NEXT))).not.toBe("");
    expect((await fetch(`${gateway.url}/password-reset?token=${token}`)).status).toBe(404);
  });
});

describe("an owner's link for a member", () => {
  test("works for who may do less, and not for admins, platform admins or strangers", async () => {
    const admin = await join("grace@example.com", "admin");
    const developer = await join("linus@example.com", "developer");
    const second = await join("olga@example.com", "owner");
    expect((await linkFor(admin.client, developer.id)).status).toBe(403);
    const made = await linkFor(second.client, developer.id);
    expect(made.status).toBe(201);
    const { token } = (await made.json()) as { token: string };
    expect((await reset(token)).status).toBe(200);
    await expect.poll(() => statusAs(developer.client), { timeout: 3_000 }).toBe(401);
    // The first person administers the platform: an owner of one organization is no match.
    const members = (await (await owner.request("GET", "/api/members")).json()) as {
      data: { id: string; email: string }[];
    };
    const ada = members.data.find(({ email }) => email === FIRST_PERSON.email)?.id ?? "";
    expect((await linkFor(second.client, ada)).status).toBe(403);
    expect((await linkFor(second.client, "mem_missing")).status).toBe(404);
    expect((await linkFor(owner, second.id)).status).toBe(201);
  });
});
