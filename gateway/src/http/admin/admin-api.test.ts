import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { listAuditEntries } from "#store/audit.ts";
import { startAdminApi, type AdminApiOfTest } from "#test/admin-api.ts";
import { WORLD } from "#test/admin-world.ts";

let api: AdminApiOfTest;
beforeAll(async () => {
  api = await startAdminApi();
});
afterAll(() => api.close());

const team = (name: string) => ({ organization_id: WORLD.own, name });

describe("conventions of the admin API", () => {
  test("an object is made, read with its ETag, changed under it, and archived", async () => {
    const made = await api.ask("owner", "POST /api/teams", team("search"));
    expect(made).toMatchObject({ status: 201, body: { object: "team", name: "search" } });
    const path = `/api/teams/${made.body.id}`;
    const read = await api.ask("viewer", `GET ${path}`);
    const etag = read.headers.get("etag") ?? "";
    expect(etag).toMatch(/^"v\d+"$/);
    const change = { name: "finding" };
    expect((await api.ask("owner", `PATCH ${path}`, change)).status).toBe(428);
    const changed = await api.ask("owner", `PATCH ${path}`, change, { "if-match": etag });
    expect(changed).toMatchObject({ status: 200, body: { name: "finding" } });
    const late = await api.ask("owner", `PATCH ${path}`, { name: "x" }, { "if-match": etag });
    expect(late).toMatchObject({ status: 412, body: { code: "precondition_failed" } });
    expect((await api.ask("owner", `DELETE ${path}`)).status).toBe(200);
    const list = await api.ask("owner", "GET /api/teams");
    expect(list.text).not.toContain(made.body.id);
  });

  test("errors are problem documents that name the field and the request", async () => {
    const wrong = await api.ask("owner", "POST /api/teams", { ...team("a"), is_admin: true });
    expect(wrong.headers.get("content-type")).toContain("application/problem+json");
    expect(wrong.body).toMatchObject({
      status: 400,
      code: "invalid_request",
      field: "is_admin",
      instance: "/api/teams",
      request_id: wrong.headers.get("x-request-id"),
    });
    const twice = await api.ask("owner", "POST /api/teams", team(WORLD.team));
    expect(twice.body).toMatchObject({ status: 409, field: "name" });
    expect((await api.ask("anonymous", "GET /api/teams")).body).toMatchObject({ status: 401 });
  });

  test.each([
    [
      "/api/reports/spend?organization_id=org_own&to=2026-01-31",
      "from",
      "a day such as 2027-01-31",
    ],
    ["/api/reports/spend?from=2026-01-01&to=2026-01-31", "organization_id", "a text"],
    ["/api/alert-channels", "organization_id", "a text"],
  ])("what is missing of %s is said to be missing, and what it is", async (path, field, what) => {
    const { body } = await api.ask("owner", `GET ${path}`);
    const detail = `${field} is missing: ${what} is needed.`;
    expect(body).toMatchObject({ status: 400, field, detail });
  });

  test("a value of the wrong kind is told in the field's own words", async () => {
    const path = `/api/reports/spend?organization_id=${WORLD.own}&from=x&to=2026-01-31`;
    const { body } = await api.ask("owner", `GET ${path}`);
    expect(body).toMatchObject({ detail: "from must be a day such as 2027-01-31." });
  });

  test("a member's role is changed on the version it was decided on, where one is named", async () => {
    const path = "/api/members/mem_viewer";
    const change = { role: "viewer" };
    const done = await api.ask("owner", `PATCH ${path}`, change);
    const etag = done.headers.get("etag") ?? "";
    const again = await api.ask("owner", `PATCH ${path}`, change, { "if-match": etag });
    expect(again.status).toBe(200);
    const late = await api.ask("owner", `PATCH ${path}`, change, { "if-match": etag });
    expect(late.body).toMatchObject({ status: 412, field: "If-Match" });
  });

  test("privileged fields are unknown to whoever may not set them", async () => {
    const path = `/api/organizations/${WORLD.own}`;
    const etag = (await api.ask("owner", `GET ${path}`)).headers.get("etag") ?? "";
    const asOwner = await api.ask("owner", `PATCH ${path}`, { plan: "free" }, { "if-match": etag });
    expect(asOwner.body).toMatchObject({ status: 400, field: "plan" });
    const credit = { settings: { creditLimitUsd: "1000" } };
    const limited = await api.ask("owner", `PATCH ${path}`, credit, { "if-match": etag });
    expect(limited.body).toMatchObject({ status: 400, field: "settings.creditLimitUsd" });
    const body = { plan: "free", ...credit };
    const byPlatform = await api.ask("platform", `PATCH ${path}`, body, { "if-match": etag });
    expect(byPlatform).toMatchObject({ status: 200, body: { plan: "free", ...credit } });
    const zone = { settings: { recordDays: 30 } };
    const kept = await api.ask("owner", `PATCH ${path}`, zone, { "if-match": "*" });
    expect(kept.body.settings).toMatchObject({ recordDays: 30, creditLimitUsd: "1000" });
  });

  test("pages are stable while objects come, and cursors that are none are refused", async () => {
    for (let at = 0; at < 5; at++) await api.ask("owner", "POST /api/teams", team(`page ${at}`));
    const all = (await api.ask("owner", "GET /api/teams?limit=200")).body.data;
    const seen: string[] = [];
    let cursor = "";
    for (let page = 0; page < 10; page++) {
      const answer = await api.ask("owner", `GET /api/teams?limit=2${cursor}`);
      seen.push(...answer.body.data.map(({ id }: { id: string }) => id));
      if (page === 1) await api.ask("owner", "POST /api/teams", team("meanwhile"));
      if (!answer.body.has_more) break;
      cursor = `&cursor=${answer.body.next_cursor}`;
    }
    expect(seen).toEqual(all.map(({ id }: { id: string }) => id));
    for (const wrong of ["x", "YzE6JyBPUiAxPTE", "%00"]) {
      const answer = await api.ask("owner", `GET /api/teams?cursor=${wrong}`);
      expect(answer.body).toMatchObject({ status: 400, field: "cursor" });
    }
  });

  test("lists hold what is within reach, and nothing else", async () => {
    const ids = async (who: string, path: string): Promise<string[]> =>
      (await api.ask(who, `GET ${path}?limit=200`)).body.data.map(({ id }: { id: string }) => id);
    expect(await ids("team-viewer", "/api/teams")).toEqual([WORLD.team]);
    expect(await ids("team-viewer", "/api/projects")).toEqual([WORLD.project]);
    expect(await ids("stranger-owner", "/api/projects")).toEqual([WORLD.otherProject]);
    expect(await ids("viewer", "/api/projects")).toHaveLength(3);
    expect(await ids("platform", "/api/projects")).toContain(WORLD.otherProject);
    expect(await ids("team-viewer", "/api/organizations")).toEqual([WORLD.own]);
    const foreign = await api.ask("owner", `GET /api/teams?organization_id=${WORLD.other}`);
    expect(foreign.status).toBe(404);
  });

  test("each change is in the audit log, with who and before and after", async () => {
    await api.ask("owner", "POST /api/teams", team("audited"));
    const [entry] = await listAuditEntries(api.core, { limit: 1 });
    expect(entry).toMatchObject({
      action: "teams.create",
      actor_id: "user_owner",
      via: "session:ses_owner",
      organization_id: WORLD.own,
      ip: "127.0.0.1",
    });
    expect(entry?.after_state).toContain("audited");
  });

  test("a body over 1 MiB, a nested one and a body that is no JSON are refused", async () => {
    const large = await api.ask("owner", "POST /api/teams", { name: "x".repeat(1_100_000) });
    expect(large.body).toMatchObject({
      status: 413,
      detail: "The body is over 1.0 MiB. Nothing here needs as much: send shorter lists and texts.",
    });
    const nested = `{"name":${"[".repeat(5_000)}${"]".repeat(5_000)}}`;
    expect((await api.ask("owner", "POST /api/teams", nested)).status).toBe(400);
    const form = { "content-type": "application/x-www-form-urlencoded" };
    expect((await api.ask("owner", "POST /api/teams", "name=x", form)).status).toBe(415);
  });
});

describe("Idempotency-Key", () => {
  const key = (value: string) => ({ "idempotency-key": value });

  test("the same request is done once, and its first answer given again", async () => {
    const [first, second] = [
      await api.ask("owner", "POST /api/teams", team("once"), key("k1")),
      await api.ask("owner", "POST /api/teams", team("once"), key("k1")),
    ];
    expect(second.status).toBe(201);
    expect(second.body).toEqual(first.body);
    expect(second.headers.get("etag")).toBe(first.headers.get("etag"));
    expect(second.headers.get("idempotent-replayed")).toBe("true");
  });

  test("another body is 422, another actor is another scope, and failures are not kept", async () => {
    const other = await api.ask("owner", "POST /api/teams", team("twice"), key("k1"));
    expect(other.body).toMatchObject({ status: 422, field: "Idempotency-Key" });
    const theirs = await api.ask("admin", "POST /api/teams", team("theirs"), key("k1"));
    expect(theirs.status).toBe(201);
    const taken = await api.ask("owner", "POST /api/teams", team(WORLD.team), key("k2"));
    expect(taken.status).toBe(409);
    expect((await api.ask("owner", "POST /api/teams", team("free"), key("k2"))).status).toBe(201);
  });

  test("of two at once one is done and the other is told to wait or given the answer", async () => {
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => api.ask("owner", "POST /api/teams", team("race"), key("k3"))),
    );
    const made = answers.filter(({ status }) => status === 201);
    expect(new Set(made.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.every(({ status }) => status === 201 || status === 409)).toBe(true);
  });

  test("after 24 hours the key is free", async () => {
    await api.ask("owner", "POST /api/teams", team("old"), key("k4"));
    api.clock += 25 * 60 * 60 * 1_000;
    expect((await api.ask("owner", "POST /api/teams", team("new"), key("k4"))).status).toBe(201);
  });
});

test("whoever asks too often is told when to go on", async () => {
  const slow = await startAdminApi({ burst: 3, perMinute: 60 });
  for (let at = 0; at < 3; at++) await slow.ask("owner", "GET /api/teams");
  const answer = await slow.ask("owner", "GET /api/teams");
  expect(answer.status).toBe(429);
  expect(answer.headers.get("retry-after")).toBe("1");
  expect((await slow.ask("admin", "GET /api/teams")).status).toBe(200);
  await slow.close();
});
