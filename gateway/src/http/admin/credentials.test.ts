import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import type { FastifyInstance } from "fastify";

import { addAdminRoutes } from "#http/admin/add-admin-routes.ts";
import { CREDENTIAL_ROUTES } from "#http/admin/credentials.ts";
import { createServer } from "#http/server.ts";
import { loadMasterKey } from "#privacy/master-key.ts";
import type { Store } from "#store/store.ts";
import { listAuditEntries } from "#store/audit.ts";
import { createLog } from "#telemetry/log.ts";
import { actorNamed, fillWorld, WORLD } from "#test/admin-world.ts";
import { credentialDesk } from "#test/credential-desk.ts";
import { makeDatabase, type TestDatabase } from "#test/databases.ts";
import { json, startFakeUpstream, status, type FakeUpstream } from "#test/fake-upstream.ts";
import { createDialer, type Dialer } from "#upstream/dialer.ts";

const SECRET = "sk-canary-0123456789abcdef";

let database: TestDatabase;
let store: Store;
let server: FastifyInstance;
let upstream: FakeUpstream;
let dialer: Dialer;
let told: string[];
beforeAll(async () => {
  database = await makeDatabase("sqlite");
  store = await database.open();
  await fillWorld(store);
  upstream = await startFakeUpstream();
  dialer = createDialer(() => new Set([upstream.origin]));
  const master = loadMasterKey(database.home, undefined);
  const env = { OPENAI_BASE_URL: `${upstream.origin}/v1` };
  server = createServer({ now: Date.now, bodyLimit: undefined, log: createLog("silent") });
  addAdminRoutes(
    server,
    {
      core: store.core,
      authenticate: async ({ headers }) => actorNamed(headers.authorization ?? ""),
      sealer: master,
      now: Date.now,
      rate: { burst: 1e9, perMinute: 1e9 },
      onChange: async () => undefined,
      parts: {
        pepper: master.keyPepper,
        gatePay: undefined,
        explainPolicy: async () => undefined,
        reports: undefined as never,
        readInvoice: undefined as never,
        outbox: undefined as never,
        privacy: undefined as never,
        reconcilePayment: undefined as never,
        credentials: credentialDesk(store.core, master, { env, send: dialer.send }),
      },
    },
    CREDENTIAL_ROUTES,
  );
});
afterAll(async () => {
  await server.close();
  await dialer.close();
  await upstream.close();
  await store.close();
  await database.remove();
});
beforeEach(() => {
  told = [];
});

interface Answer {
  readonly status: number;
  readonly etag: string;
  // Tests look into answers of every shape.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

async function ask(
  who: string,
  request: string,
  { body, etag }: { readonly body?: object; readonly etag?: string } = {},
): Promise<Answer> {
  const [method = "GET", url = ""] = request.split(" ");
  const answer = await server.inject({
    method: method as "GET",
    url,
    headers: { authorization: who, ...(etag !== undefined && { "if-match": etag }) },
    ...(body !== undefined && { payload: body }),
  });
  told.push(answer.payload, JSON.stringify(answer.headers));
  const parsed: unknown = answer.payload === "" ? undefined : answer.json();
  return { status: answer.statusCode, etag: answer.headers["etag"] ?? "", body: parsed };
}

const NEW = { organization_id: WORLD.own, provider: "openai", name: "ours", secret: SECRET };

const add = async (changes: object = {}): Promise<Answer> => {
  const made = await ask("owner", "POST /api/credentials", { body: { ...NEW, ...changes } });
  expect(made.status).toBe(201);
  return made;
};

describe("credentials of the admin API", () => {
  test("one is made, read, changed and removed; its secret is told nowhere", async () => {
    const made = await add();
    expect(made.body).toMatchObject({ state: "active", hint: "cdef", zero_retention: null });
    const path = `/api/credentials/${made.body.id}`;
    const change = { position: 3, attests_zero_retention: true, disabled: true };
    const changed = await ask("admin", `PATCH ${path}`, { body: change, etag: made.etag });
    expect(changed.body).toMatchObject({
      position: 3,
      state: "disabled",
      zero_retention: { attested_by: "admin@example.com" },
    });
    expect((await ask("owner", `PATCH ${path}`, { body: change })).status).toBe(428);
    expect((await ask("owner", `PATCH ${path}`, { body: change, etag: made.etag })).status).toBe(
      412,
    );
    expect((await ask("owner", `DELETE ${path}`)).status).toBe(200);
    expect((await ask("owner", `GET ${path}`)).body).toMatchObject({ state: "archived" });
    expect((await ask("owner", `POST ${path}/test`)).status).toBe(409);
    expect((await ask("owner", `POST ${path}/rotate`, { body: { secret: "x" } })).status).toBe(409);
    const row = await store.core
      .selectFrom("provider_credentials")
      .selectAll()
      .where("id", "=", made.body.id)
      .executeTakeFirstOrThrow();
    expect(row.sealed).toHaveLength(0);
    const keys = await store.core.selectFrom("encryption_keys").select("id").execute();
    expect(keys.map(({ id }) => id)).not.toContain(row.encryption_key);
    const audit = await listAuditEntries(store.core, { limit: 10, targetId: made.body.id });
    expect(audit.map(({ action }) => action)).toEqual([
      "credentials.remove",
      "credentials.update",
      "credentials.create",
    ]);
    expect(JSON.stringify(audit)).not.toMatch(/canary|sealed|encryption_key/);
    expect(told.join("\n")).not.toMatch(/canary|sealed|encryption_key/);
  });

  test("the test button asks the provider, and tells nothing of what it said", async () => {
    const { body, etag } = await add({ name: "tested" });
    const path = `/api/credentials/${body.id}`;
    upstream.answer(status(401, { error: { message: `Incorrect API key: ${SECRET}` } }));
    expect((await ask("owner", `POST ${path}/test`)).body).toMatchObject({ outcome: "refused" });
    expect(upstream.requests.at(-1)?.headers.authorization).toBe(`Bearer ${SECRET}`);
    upstream.answer(json({ data: [] }));
    expect((await ask("owner", `POST ${path}/test`)).body).toMatchObject({ outcome: "valid" });
    const read = await ask("owner", `GET ${path}`);
    expect(read.body.last_test).toMatchObject({ outcome: "valid" });
    expect(read.etag).toBe(etag);
    expect(told.join("\n")).not.toMatch(/canary/);
  });

  test("an address changes only together with the secret, and is checked", async () => {
    const { body, etag } = await add({ name: "moved" });
    const path = `/api/credentials/${body.id}`;
    const url = "https://llm.example.com/v1";
    expect((await ask("owner", `PATCH ${path}`, { body: { base_url: url }, etag })).status).toBe(
      400,
    );
    for (const base_url of ["http://llm.example.com", "https://127.0.0.1", "https://localhost"]) {
      const rotation = { secret: "another-secret-0123456789", base_url };
      expect((await ask("owner", `POST ${path}/rotate`, { body: rotation })).body).toMatchObject({
        status: 400,
        field: "base_url",
      });
    }
    const rotation = { secret: "another-secret-0123456789", base_url: url };
    expect((await ask("owner", `POST ${path}/rotate`, { body: rotation })).body).toMatchObject({
      base_url: url,
      hint: "6789",
    });
  });

  test("nobody adds more than they hold: a team's heads for its projects, the organization's for all", async () => {
    const whole = async (who: string): Promise<number> =>
      (await ask(who, "POST /api/credentials", { body: { ...NEW, name: who } })).status;
    const forProject = async (who: string, project_id: string): Promise<number> =>
      (await ask(who, "POST /api/credentials", { body: { ...NEW, name: who, project_id } })).status;
    expect(
      await Promise.all(["owner", "admin", "developer", "viewer", "billing"].map(whole)),
    ).toEqual([201, 201, 403, 403, 403]);
    expect(await whole("team-owner")).toBe(403);
    expect(await whole("stranger-owner")).toBe(404);
    expect(await forProject("team-admin", WORLD.project)).toBe(201);
    expect(await forProject("team-developer", WORLD.project)).toBe(403);
    expect(await forProject("team-admin", WORLD.siblingProject)).toBe(404);
    expect(await forProject("team-admin", WORLD.looseProject)).toBe(404);
    expect(await forProject("owner", WORLD.otherProject)).toBe(404);
  });

  test("lists hold what is within reach", async () => {
    const ofTeam = await add({ name: "team's", project_id: WORLD.project });
    const ofAll = await add({ name: "everybody's" });
    const idsFor = async (who: string): Promise<readonly string[]> => {
      const { body } = await ask(who, "GET /api/credentials?limit=200");
      return (body.data as { readonly id: string }[]).map(({ id }) => id);
    };
    expect(await idsFor("owner")).toEqual(expect.arrayContaining([ofTeam.body.id, ofAll.body.id]));
    expect(await idsFor("team-admin")).toContain(ofTeam.body.id);
    expect(await idsFor("team-admin")).not.toContain(ofAll.body.id);
    expect(await idsFor("stranger-owner")).toEqual([]);
    expect((await ask("developer", "GET /api/credentials")).status).toBe(403);
    const path = `GET /api/credentials/${ofTeam.body.id}`;
    expect((await ask("stranger-owner", path)).status).toBe(404);
  });

  test("keys that it names are of its own organization or project", async () => {
    const named = async (key: string, project_id: string | null): Promise<number> => {
      const body = { ...NEW, project_id, allowed_key_ids: [key] };
      return (await ask("owner", "POST /api/credentials", { body })).status;
    };
    expect(await named(WORLD.key, null)).toBe(201);
    expect(await named(WORLD.key, WORLD.project)).toBe(201);
    expect(await named(WORLD.siblingKey, WORLD.project)).toBe(400);
    expect(await named(WORLD.otherKey, null)).toBe(400);
  });

  test("fields that are none are refused", async () => {
    for (const extra of [{ id: "cred_x" }, { hint: "x" }, { sealed: "x" }, { version: 1 }]) {
      const body = { ...NEW, ...extra };
      expect((await ask("owner", "POST /api/credentials", { body })).status).toBe(400);
    }
  });
});
