import { afterAll, beforeAll, expect, test } from "vitest";

import {
  clientOf,
  cookieOf,
  postJson,
  setUpGateway,
  type ApiClient,
} from "#test/sign-in-client.ts";
import { startGateway, type TestGateway } from "#test/start-gateway.ts";

let gateway: TestGateway;
let owner: ApiClient;
beforeAll(async () => {
  gateway = await startGateway();
  owner = await setUpGateway(gateway);
});
afterAll(() => gateway.close());

interface Invited {
  readonly token: string;
}
const invite = async (email: string, role = "developer"): Promise<Invited> => {
  const body = { organization_id: "org_default", team_id: null, email, role };
  const response = await owner.request("POST", "/api/invitations", body);
  expect(response.status).toBe(201);
  return (await response.json()) as Invited;
};

test("the page of an invitation takes a password and signs in, once; another role ends that", async () => {
  const { token } = await invite("grace@example.com");
  const link = `${gateway.url}/invitation?token=${token}`;
  const page = await fetch(link);
  expect(page.headers.get("cache-control")).toBe("no-store");
  expect(await page.text()).toContain("grace@example.com");
  const submit = (): Promise<Response> =>
    fetch(`${gateway.url}/invitation`, {
      method: "POST",
      headers: { origin: gateway.url },
      body: new URLSearchParams({ token, name: "Grace", password: "a whole new sentence" }),
    });
  const cookie = cookieOf(await submit());
  const session = (): Promise<Response> =>
    fetch(`${gateway.url}/api/session`, { headers: { cookie } });
  expect(await (await session()).json()).toMatchObject({
    user: { name: "grace@example.com", is_platform_admin: false },
    memberships: [{ organization_id: "org_default", team_id: null, role: "developer" }],
  });
  expect((await fetch(link)).status).toBe(404);
  expect((await submit()).status).toBe(404);

  const members = await owner.request("GET", "/api/members");
  const { data } = (await members.json()) as { data: { id: string; role: string }[] };
  const { id } = data.find(({ role }) => role === "developer") ?? { id: "" };
  const changed = await fetch(`${gateway.url}/api/members/${id}`, {
    method: "PATCH",
    headers: {
      cookie: owner.cookie,
      "x-csrf-token": owner.csrfToken,
      "content-type": "application/json",
      "if-match": "*",
    },
    body: JSON.stringify({ role: "viewer" }),
  });
  expect(changed.status).toBe(200);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect((await session()).status).toBe(401);
});

test("programs accept by the API; the answer is a session", async () => {
  const { token } = await invite("linus@example.com", "billing");
  const body = { token, name: "Linus", password: "a whole new sentence" };
  const accepted = await postJson(`${gateway.url}/api/invitations/accept`, body);
  const linus = await clientOf(gateway.url, accepted);
  expect((await linus.request("GET", "/api/session")).status).toBe(200);
  const made = await linus.request("POST", "/api/invitations", {
    organization_id: "org_default",
    team_id: null,
    email: "eve@example.com",
    role: "billing",
  });
  expect(made.status).toBe(403);
});
