import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { deleteMembership, insertMembership } from "#store/memberships.ts";
import { startAdminApi, type AdminApiOfTest } from "#test/admin-api.ts";
import { WORLD } from "#test/admin-world.ts";

let api: AdminApiOfTest;
beforeAll(async () => {
  api = await startAdminApi();
});
afterAll(() => api.close());

const newKey = (name: string, more: object = {}) => ({
  project_id: WORLD.project,
  name,
  ...more,
});

describe("keys", () => {
  test("a key is shown once, and its owner is who made it", async () => {
    const made = await api.ask("team-developer", "POST /api/keys", newKey("mine"));
    expect(made).toMatchObject({ status: 201, body: { owner_id: "user_team-developer" } });
    expect(made.body.key).toMatch(/^sk-tp-/);
    const read = await api.ask("team-developer", `GET /api/keys/${made.body.id}`);
    expect(read.body).toMatchObject({ state: "active", name: "mine" });
    expect(read.text).not.toContain(made.body.key);
    expect(read.text).not.toContain("digest");
  });

  test("a developer makes keys for themselves only, and sees only these", async () => {
    const forOther = newKey("theirs", { owner_id: "user_owner" });
    expect((await api.ask("team-developer", "POST /api/keys", forOther)).status).toBe(403);
    const forNobody = newKey("nobody's", { owner_id: null });
    expect((await api.ask("team-developer", "POST /api/keys", forNobody)).status).toBe(403);
    await api.ask("owner", "POST /api/keys", newKey("of the owner"));
    const seen = await api.ask("team-developer", "GET /api/keys");
    const owners = seen.body.data.map(({ owner_id }: { owner_id: string }) => owner_id);
    expect(new Set(owners)).toEqual(new Set(["user_team-developer"]));
  });

  test("names are unique among keys in force, ends lie ahead, owners belong", async () => {
    await api.ask("owner", "POST /api/keys", newKey("twice"));
    const cases: readonly (readonly [object, number, string])[] = [
      [newKey("twice"), 409, "name"],
      [newKey("late", { expires_at: "2020-01-01T00:00:00Z" }), 400, "expires_at"],
      [newKey("x", { owner_id: "user_stranger-owner" }), 404, "owner_id"],
      [newKey("x", { settings: { ipRanges: ["10.0.0.0/99"] } }), 400, "settings.ipRanges.0"],
      [newKey("x", { settings: { model: "gpt" } }), 400, "settings.model"],
      [newKey("x", { digest: "0" }), 400, "digest"],
      [newKey("a\u0000b"), 400, "name"],
      [newKey("red \u001B[31m"), 400, "name"],
      [newKey("half \uD800"), 400, "name"],
    ];
    for (const [body, status, field] of cases) {
      expect((await api.ask("owner", "POST /api/keys", body)).body).toMatchObject({
        status,
        field,
      });
    }
  });

  test("a disabled key is put back by admins, not by its owner", async () => {
    const { id } = (await api.ask("team-developer", "POST /api/keys", newKey("stopped"))).body;
    const disabled = await api.ask("team-admin", `POST /api/keys/${id}/disable`);
    expect(disabled.body.state).toBe("disabled");
    expect((await api.ask("team-developer", `POST /api/keys/${id}/enable`)).status).toBe(403);
    const enabled = await api.ask("team-admin", `POST /api/keys/${id}/enable`);
    expect(enabled.body.state).toBe("active");
  });

  test("a rotated key is the same key with another secret; revoked, it stays so", async () => {
    const made = (await api.ask("owner", "POST /api/keys", newKey("turning"))).body;
    const path = `/api/keys/${made.id}`;
    const turned = await api.ask("owner", `POST ${path}/rotate`, { overlap_seconds: 60 });
    expect(turned.body.id).toBe(made.id);
    expect(turned.body.key).not.toBe(made.key);
    const earlier = await api.core
      .selectFrom("keys")
      .selectAll()
      .where("replaced_by", "=", made.id)
      .execute();
    expect(earlier).toHaveLength(1);
    const list = await api.ask("owner", "GET /api/keys?search=turning");
    expect(list.body.data).toHaveLength(1);
    expect((await api.ask("owner", `GET /api/keys/${earlier[0]?.id}`)).status).toBe(404);
    expect((await api.ask("owner", `DELETE ${path}`)).body.state).toBe("revoked");
    const after = await api.core
      .selectFrom("keys")
      .select("revoked_at")
      .where("replaced_by", "=", made.id)
      .executeTakeFirst();
    expect(after?.revoked_at).not.toBeNull();
    expect((await api.ask("owner", `POST ${path}/rotate`, {})).status).toBe(409);
    expect((await api.ask("owner", "POST /api/keys", newKey("turning"))).status).toBe(201);
  });

  test("a replayed creation shows the same key, and no key lies readable in the store", async () => {
    const header = { "idempotency-key": "make-key" };
    const first = await api.ask("owner", "POST /api/keys", newKey("replayed"), header);
    const again = await api.ask("owner", "POST /api/keys", newKey("replayed"), header);
    expect(again.body.key).toBe(first.body.key);
    const answers = await api.core.selectFrom("idempotent_answers").selectAll().execute();
    const kept = answers.map(({ sealed }) => Buffer.from(sealed ?? []).toString("latin1")).join();
    expect(kept).not.toContain(first.body.key.slice(6));
  });

  test("a page's limit says from where to where", async () => {
    for (const limit of ["0", "-1", "1.5", "201", "x"]) {
      const answer = await api.ask("owner", `GET /api/keys?limit=${limit}`);
      expect(answer.body.detail).toBe("limit must be a whole number from 1 to 200.");
    }
  });

  test("what stands in for a pattern in a search stands for itself", async () => {
    await api.ask("owner", "POST /api/keys", newKey("100%"));
    const found = async (search: string): Promise<number> =>
      (await api.ask("owner", `GET /api/keys?search=${encodeURIComponent(search)}`)).body.data
        .length;
    expect(await found("0%")).toBe(1);
    expect(await found("%%")).toBe(0);
    expect(await found("1_0")).toBe(0);
    expect(await found("!")).toBe(0);
  });
});

describe("policies", () => {
  const path = `/api/policies/project/${WORLD.project}`;
  const deny = { document: { models: { deny: ["gpt-*"] } } };

  test("one is attached, replaced only by who has read it, and taken off", async () => {
    expect((await api.ask("owner", `GET ${path}`)).status).toBe(404);
    const made = await api.ask("team-admin", `PUT ${path}`, deny);
    expect(made).toMatchObject({ status: 200, body: { ...deny, level: "project" } });
    expect((await api.ask("owner", `PUT ${path}`, deny)).status).toBe(428);
    const etag = { "if-match": made.headers.get("etag") ?? "" };
    expect((await api.ask("owner", `PUT ${path}`, { document: {} }, etag)).status).toBe(200);
    expect((await api.ask("owner", `PUT ${path}`, deny, etag)).status).toBe(412);
    expect((await api.ask("owner", `DELETE ${path}`)).status).toBe(200);
    expect((await api.ask("owner", `GET ${path}`)).status).toBe(404);
    expect((await api.ask("owner", `PUT ${path}`, deny)).status).toBe(200);
  });

  test("a team's policy is the organization's business, and levels name their own kind", async () => {
    const ofTeam = `/api/policies/team/${WORLD.team}`;
    expect((await api.ask("team-owner", `PUT ${ofTeam}`, deny)).status).toBe(404);
    expect((await api.ask("admin", `PUT ${ofTeam}`, deny)).status).toBe(200);
    expect((await api.ask("admin", `PUT /api/policies/team/${WORLD.project}`, deny)).status).toBe(
      404,
    );
    const list = await api.ask("team-viewer", "GET /api/policies");
    expect(list.body.data.map(({ level }: { level: string }) => level)).toEqual(["project"]);
  });
});

describe("budgets and prices", () => {
  const budget = (more: object = {}) => ({
    level: "project",
    target_id: WORLD.project,
    name: "monthly",
    limit: "12.5",
    document: { unit: "usd", period: "month" },
    ...more,
  });

  test("a budget is made, raised, paused, resumed, reset and archived", async () => {
    const made = await api.ask("billing", "POST /api/budgets", budget());
    expect(made).toMatchObject({ status: 201, body: { limit: "12.5" } });
    expect((await api.ask("billing", "POST /api/budgets", budget())).body.field).toBe("name");
    const path = `/api/budgets/${made.body.id}`;
    expect((await api.ask("billing", `POST ${path}/pause`)).body.paused_at).not.toBeNull();
    const raised = await api.ask("billing", `PATCH ${path}`, { limit: 20 }, { "if-match": "*" });
    expect(raised.body).toMatchObject({ limit: "20", paused_at: null });
    expect((await api.ask("billing", `POST ${path}/reset`)).body.reset_at).not.toBeNull();
    expect((await api.ask("developer", `POST ${path}/reset`)).status).toBe(403);
    expect((await api.ask("billing", `DELETE ${path}`)).body.archived_at).not.toBeNull();
    expect((await api.ask("billing", `POST ${path}/pause`)).status).toBe(409);
  });

  test("tokens are whole, amounts are bounded, units stay", async () => {
    const tokens = { document: { unit: "tokens", period: "day" } };
    const wrong = await api.ask("owner", "POST /api/budgets", budget({ ...tokens, limit: "1.5" }));
    expect(wrong.body).toMatchObject({ status: 400, field: "limit" });
    for (const limit of [-1, 1e12, "1e3", "999999999999", null, "0x10"]) {
      const answer = await api.ask("owner", "POST /api/budgets", budget({ limit }));
      expect([limit, answer.status]).toEqual([limit, 400]);
    }
    const made = await api.ask("owner", "POST /api/budgets", budget({ ...tokens, limit: 5 }));
    const change = { document: { unit: "usd", period: "day" } };
    const path = `PATCH /api/budgets/${made.body.id}`;
    const changed = await api.ask("owner", path, change, { "if-match": "*" });
    expect(changed.body).toMatchObject({ status: 400, field: "document.unit" });
  });

  test("an amount that is none is told so in words", async () => {
    const document = { inputUsdPerMillion: "-5" };
    const body = { organization_id: WORLD.own, document };
    const wrong = await api.ask("platform", "POST /api/price-overrides", body);
    expect(wrong.body.detail).toBe("document.inputUsdPerMillion must be an amount such as 12.50.");
  });

  test("prices are the platform's to set and the payers' to see", async () => {
    const body = { organization_id: WORLD.own, document: { markupPercent: 10 } };
    expect((await api.ask("owner", "POST /api/price-overrides", body)).status).toBe(403);
    const made = await api.ask("platform", "POST /api/price-overrides", body);
    expect(made.status).toBe(201);
    const twice = await api.ask("platform", "POST /api/price-overrides", body);
    expect(twice.body).toMatchObject({ status: 409, field: "document.models" });
    expect(twice.body.detail).toMatch(/^"\*" and "\*" of price override price_\w+ name the same/);
    const path = `/api/price-overrides/${made.body.id}`;
    expect((await api.ask("billing", `GET ${path}`)).body.document).toEqual({ markupPercent: 10 });
    expect((await api.ask("developer", `GET ${path}`)).status).toBe(404);
    expect((await api.ask("stranger-owner", `GET ${path}`)).status).toBe(404);
  });
});

describe("people", () => {
  test("nobody gives a role that they do not hold, and the last owner stays", async () => {
    const path = "/api/members/mem_developer";
    expect((await api.ask("admin", `PATCH ${path}`, { role: "owner" })).status).toBe(403);
    expect((await api.ask("admin", `PATCH ${path}`, { role: "viewer" })).status).toBe(200);
    expect((await api.ask("owner", `PATCH ${path}`, { role: "developer" })).status).toBe(200);
    const last = await api.ask("owner", "PATCH /api/members/mem_owner", { role: "viewer" });
    expect(last.status).toBe(409);
    const elsewhere = "PATCH /api/members/mem_stranger-owner";
    expect((await api.ask("owner", elsewhere, { role: "viewer" })).status).toBe(404);
  });

  test("invitations show their token once, to who may invite", async () => {
    const body = { organization_id: WORLD.own, email: "New@Example.com", role: "viewer" };
    const made = await api.ask("admin", "POST /api/invitations", body);
    expect(made).toMatchObject({ status: 201, body: { state: "open", email: "new@example.com" } });
    const list = await api.ask("admin", "GET /api/invitations");
    expect(list.text).toContain(made.body.id);
    expect(list.text).not.toContain(made.body.token);
    expect((await api.ask("viewer", "POST /api/invitations", body)).status).toBe(403);
    const owner = await api.ask("admin", "POST /api/invitations", { ...body, role: "owner" });
    expect(owner.status).toBe(403);
    expect((await api.ask("admin", `DELETE /api/invitations/${made.body.id}`)).status).toBe(200);
  });

  test("a service account owns an admin key that does no more than its maker may", async () => {
    const account = await api.ask("admin", "POST /api/service-accounts", {
      organization_id: WORLD.own,
      name: "ci",
      role: "developer",
    });
    expect(account.status).toBe(201);
    const key = (scopes: string[]) => ({
      organization_id: WORLD.own,
      name: "ci",
      owner_id: account.body.id,
      scopes,
    });
    const made = await api.ask("admin", "POST /api/admin-keys", key(["keys.read"]));
    expect(made).toMatchObject({ status: 201, body: { scopes: ["keys.read"] } });
    const unknown = await api.ask("admin", "POST /api/admin-keys", key(["keys.*"]));
    expect(unknown.body).toMatchObject({ status: 400, field: "scopes.0" });
    const list = await api.ask("admin", `GET /api/admin-keys?organization_id=${WORLD.own}`);
    expect(list.text).not.toContain(made.body.key);
    expect((await api.ask("admin", `DELETE /api/admin-keys/${made.body.id}`)).status).toBe(200);
  });
});

describe("audit", () => {
  test("an organization sees its own entries, the platform all, and secrets are in none", async () => {
    const made = await api.ask("owner", "POST /api/keys", newKey("told of"));
    const [entry] = (await api.ask("owner", "GET /api/audit?action=keys.&limit=1")).body.data;
    expect(entry).toMatchObject({
      action: "keys.create",
      actor: { id: "user_owner", name: "owner@example.com" },
      target: { kind: "key", id: made.body.id },
      before: null,
      after: { name: "told of", settings: {} },
    });
    const all = await api.ask("owner", "GET /api/audit/export");
    expect(all.headers.get("content-type")).toContain("application/jsonl");
    expect(all.text).not.toContain(made.body.key);
    expect(all.text).not.toContain("digest");
    const lines = all.text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(new Set(lines.map((line) => line.organization_id))).toEqual(new Set([WORLD.own]));
    expect((await api.ask("stranger-owner", "GET /api/audit")).body.data).toEqual([]);
    expect((await api.ask("developer", "GET /api/audit")).status).toBe(403);
    const verdict = await api.ask("platform", "GET /api/audit/verify");
    expect(verdict.body).toMatchObject({ intact: true });
    expect((await api.ask("owner", "GET /api/audit/verify")).status).toBe(403);
  });

  test("who runs the platform has no name and no address for its tenants, unless a member", async () => {
    const made = await api.ask("platform", "POST /api/teams", {
      organization_id: WORLD.own,
      name: "by the platform",
    });
    const path = `/api/audit?target_id=${made.body.id}`;
    const seen = await api.ask("owner", `GET ${path}`);
    expect(seen.body.data[0]).toMatchObject({
      actor: { kind: "operator", id: null, name: "platform operator", via: "platform" },
      ip: null,
    });
    for (const list of [path, "/api/audit/export", "/api/audit?limit=200"]) {
      const { text } = await api.ask("owner", `GET ${list}`);
      expect(text).not.toMatch(/platform@example\.com|user_platform|ses_platform/);
    }
    const [own] = (await api.ask("platform", `GET ${path}`)).body.data;
    expect(own.actor).toMatchObject({ id: "user_platform", name: "platform@example.com" });
    const membership = { id: "mem_platform", user_id: "user_platform", team_id: null };
    await insertMembership(api.store.core, {
      ...membership,
      organization_id: WORLD.own,
      role: "viewer",
      source: "manual",
      created_at: 0,
      version: 1,
    });
    const known = (await api.ask("owner", `GET ${path}`)).body.data[0];
    expect(known.actor).toMatchObject({ name: "platform@example.com" });
    await deleteMembership(api.store.core, membership.id);
  });

  test("pages go on where the last one ended", async () => {
    const first = (await api.ask("owner", "GET /api/audit?limit=2")).body;
    const next = await api.ask("owner", `GET /api/audit?limit=2&cursor=${first.next_cursor}`);
    expect(next.body.data[0].seq).toBeLessThan(first.data[1].seq);
    const foreign = (await api.ask("owner", "GET /api/teams?limit=1")).body.next_cursor;
    expect((await api.ask("owner", `GET /api/audit?cursor=${foreign}`)).status).toBe(400);
  });
});

describe("effective policy", () => {
  test("each part is told with the level that it comes from", async () => {
    const put = (path: string, document: object) =>
      api.ask("owner", `PUT /api/policies/${path}`, { document }, { "if-match": "*" });
    await put(`organization/${WORLD.own}`, { maxTokens: 100, models: { deny: ["a*"] } });
    await put(`project/${WORLD.project}`, { maxTokens: 50, models: { deny: ["b*"] } });
    const path = `GET /api/policies/effective?key_id=${WORLD.key}`;
    const { body } = await api.ask("team-viewer", path);
    const parts = Object.fromEntries(body.parts.map((part: { part: string }) => [part.part, part]));
    expect(parts["maxTokens"]).toMatchObject({
      effective: 50,
      from: [
        { level: "organization", target_id: WORLD.own, value: 100 },
        { level: "project", target_id: WORLD.project, value: 50 },
      ],
    });
    expect(parts["models.deny"].effective).toEqual(["a*", "gpt-*", "b*"]);
    expect((await api.ask("stranger-owner", path)).status).toBe(404);
    expect((await api.ask("owner", "GET /api/policies/effective")).status).toBe(400);
  });
});
