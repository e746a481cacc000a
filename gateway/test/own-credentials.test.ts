import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { asObject } from "#lib/json.ts";
import { json, status, type ReceivedRequest, type Script } from "#test/fake-upstream.ts";
import { startGateway, type TestGateway } from "#test/start-gateway.ts";
import { openTenants, type Tenants } from "#test/tenants.ts";

const PLATFORM = "sk-upstream-openai";
const NORTH = "sk-north-canary-4711-abcdefgh";
const SOUTH = "sk-south-canary-0815-ijklmnop";
const NORTH_MISTRAL = "mistral-north-canary-99887766";

/** Directory changes are seen within half a second; a second is promised. */
const SOON_MS = 1_000;

let gateway: TestGateway;
let tenants: Tenants;
let keys: Record<"north" | "northOther" | "south" | "plain" | "strict", string>;
let ids: Record<"north" | "south" | "mistral" | "strict", string>;
const notices: string[] = [];

beforeAll(async () => {
  gateway = await startGateway({ onNotice: (notice) => void notices.push(notice) });
  tenants = await openTenants(gateway.home);
  await tenants.organization("north");
  await tenants.organization("south");
  await tenants.organization("plain");
  await tenants.organization("strict", { byok: { order: "own-only" } });
  keys = {
    north: (await tenants.key("north")).key,
    northOther: (await tenants.key("north")).key,
    south: (await tenants.key("south")).key,
    plain: (await tenants.key("plain")).key,
    strict: (await tenants.key("strict")).key,
  };
  ids = {
    north: await own("north", "openai", NORTH),
    south: await own("south", "openai", SOUTH),
    mistral: await own("north", "mistral", NORTH_MISTRAL),
    strict: await own("strict", "openai", "sk-strict-canary-1234567890"),
  };
  await sleep(SOON_MS);
});
afterAll(async () => {
  await tenants.close();
  await gateway.close();
});
beforeEach(() => {
  gateway.upstream.requests.length = 0;
  gateway.upstream.answer(json(COMPLETION));
});

const own = (organization: string, provider: string, secret: string): Promise<string> =>
  tenants.credential({ organization, provider, secret });

const COMPLETION = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "gpt-4o-mini",
  choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 1_000, completion_tokens: 100, total_tokens: 1_100 },
};

const ASK = { model: "openai/gpt-4o-mini", messages: [{ role: "user", content: "hello" }] };

const ask = (key: string, body: object = {}, headers: Record<string, string> = {}) =>
  gateway.post(
    "/v1/chat/completions",
    { ...ASK, ...body },
    { authorization: `Bearer ${key}`, ...headers },
  );

const secretOf = ({ headers }: ReceivedRequest): string =>
  headers.authorization?.replace("Bearer ", "") ?? "";
const secretsSeen = (): readonly string[] => gateway.upstream.requests.map(secretOf);

/** Refuses one key, and answers all others. */
const refusing =
  (secret: string): Script =>
  (request, response) =>
    secretOf(request) === secret
      ? status(401, { error: { message: "bad key" } })(request, response)
      : json(COMPLETION)(request, response);

/** The providers that the model list names to a key. */
async function providersOf(key: string): Promise<ReadonlySet<unknown>> {
  const answer = await gateway.get("/v1/models", { authorization: `Bearer ${key}` });
  const { data } = (await answer.json()) as { readonly data: { readonly providers: unknown[] }[] };
  return new Set(data.flatMap(({ providers }) => providers));
}

describe("own credentials", () => {
  test("each organization's requests go out with its own key, and nobody else's", async () => {
    for (const key of [keys.north, keys.south, keys.plain, keys.north]) {
      expect((await ask(key)).status).toBe(200);
    }
    expect(secretsSeen()).toEqual([NORTH, SOUTH, PLATFORM, NORTH]);
  });

  test("the answer says that an own key was used", async () => {
    const answer = await ask(keys.north);
    expect(answer.headers.get("x-turnpike-route-reason")).toBe("own");
    expect((await ask(keys.plain)).headers.get("x-turnpike-route-reason")).not.toBe("own");
  });

  test("a refused own key is passed over unnoticed for the platform's", async () => {
    gateway.upstream.answer(refusing(NORTH));
    const answer = await ask(keys.north);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-turnpike-attempts")).toBe("2");
    expect(secretsSeen()).toEqual([NORTH, PLATFORM]);
  });

  test("own-only: the platform's key is never used, whatever happens", async () => {
    gateway.upstream.answer(status(401, { error: { message: "bad key" } }));
    expect((await ask(keys.strict)).status).toBe(502);
    expect(new Set(secretsSeen())).toEqual(new Set(["sk-strict-canary-1234567890"]));
    gateway.upstream.requests.length = 0;
    const elsewhere = await ask(keys.strict, { model: "groq/openai/gpt-oss-120b" });
    expect(elsewhere.status).toBe(503);
    expect(await elsewhere.text()).toContain("only own credentials are used");
    expect((await ask(keys.strict, { provider: { byok: "never" } })).status).toBe(503);
    expect(secretsSeen()).toEqual([]);
  });

  test("a request may ask for own keys only, or for none of them", async () => {
    gateway.upstream.answer(refusing(NORTH));
    expect((await ask(keys.north, { provider: { byok: "only" } })).status).toBe(502);
    expect(secretsSeen()).toEqual([NORTH]);
    gateway.upstream.requests.length = 0;
    expect((await ask(keys.north, {}, { "x-turnpike-byok": "never" })).status).toBe(200);
    expect(secretsSeen()).toEqual([PLATFORM]);
    const wrong = await ask(keys.north, {}, { "x-turnpike-byok": "sometimes" });
    expect(wrong.status).toBe(400);
  });

  test("a provider that the platform has no key of is there for the tenant alone", async () => {
    const body = { model: "mistral/mistral-small-latest" };
    expect((await providersOf(keys.north)).has("mistral")).toBe(true);
    expect((await providersOf(keys.plain)).has("mistral")).toBe(false);
    expect((await providersOf(keys.strict)).has("groq")).toBe(false);
    expect((await ask(keys.south, body)).status).toBe(503);
    expect((await ask(keys.north, body)).status).toBe(200);
    expect(secretsSeen()).toEqual([NORTH_MISTRAL]);
  });

  test("a plan names own endpoints to their tenant alone; health, too", async () => {
    const plan = async (key: string): Promise<string> =>
      (await gateway.post("/v1/route", ASK, { authorization: `Bearer ${key}` })).text();
    expect(await plan(keys.north)).toContain(`openai/gpt-4o-mini@byok:${ids.north}`);
    expect(await plan(keys.south)).not.toContain(ids.north);
    await ask(keys.north);
    const health = async (key: string): Promise<string> =>
      (await gateway.get("/api/health/endpoints", { authorization: `Bearer ${key}` })).text();
    expect(await health(keys.north)).toContain(ids.north);
    expect(await health(keys.south)).not.toContain(ids.north);
    expect(await (await gateway.get("/metrics")).text()).not.toContain("cred_");
  });

  test("a project's own come before the organization's, and are nobody else's", async () => {
    await tenants.organization("two");
    await own("two", "openai", "sk-two-organization-12345678");
    await tenants.credential({
      organization: "two",
      provider: "openai",
      secret: "sk-two-project-12345678901",
      project_id: "proj_two",
    });
    const inProject = (await tenants.key("two")).key;
    const outside = (await tenants.key("two", "proj_default")).key;
    await sleep(SOON_MS);
    await ask(inProject);
    await ask(outside);
    expect(secretsSeen()).toEqual(["sk-two-project-12345678901", "sk-two-organization-12345678"]);
    gateway.upstream.requests.length = 0;
    gateway.upstream.answer(status(500, { error: { message: "down" } }));
    await ask(inProject);
    expect([...new Set(secretsSeen())]).toEqual([
      "sk-two-project-12345678901",
      "sk-two-organization-12345678",
      PLATFORM,
    ]);
  });

  test("a credential for some keys is used by them alone; positions are the order", async () => {
    await tenants.organization("some");
    const one = await tenants.key("some");
    const other = await tenants.key("some");
    await tenants.credential({
      organization: "some",
      provider: "openai",
      secret: "sk-some-keys-only-1234567",
      allowed_key_ids: JSON.stringify([one.id]),
      position: 0,
    });
    await tenants.credential({
      organization: "some",
      provider: "openai",
      secret: "sk-some-for-all-123456789",
      position: 5,
    });
    await sleep(SOON_MS);
    for (let time = 0; time < 4; time++) await ask(one.key);
    await ask(other.key);
    expect(new Set(secretsSeen().slice(0, 4))).toEqual(new Set(["sk-some-keys-only-1234567"]));
    expect(secretsSeen()[4]).toBe("sk-some-for-all-123456789");
  });

  test("a disabled, renewed or removed one is so within a second", async () => {
    await tenants.organization("brief");
    const { key } = await tenants.key("brief");
    const id = await own("brief", "openai", "sk-brief-canary-123456789");
    await sleep(SOON_MS);
    await ask(key);
    await tenants.change(id, { disabled_at: 1 });
    await sleep(SOON_MS);
    await ask(key);
    await tenants.change(id, { disabled_at: null });
    await sleep(SOON_MS);
    await ask(key);
    await tenants.change(id, { archived_at: 1, sealed: Buffer.alloc(0) });
    await sleep(SOON_MS);
    await ask(key);
    const brief = "sk-brief-canary-123456789";
    expect(secretsSeen()).toEqual([brief, PLATFORM, brief, PLATFORM]);
  });

  test("one that cannot be opened is left out, and the operator is told", async () => {
    await tenants.organization("broken");
    const { key } = await tenants.key("broken");
    const id = await own("broken", "openai", "sk-broken-canary-12345678");
    const { sealed } = await tenants.store.core
      .selectFrom("provider_credentials")
      .select("sealed")
      .where("id", "=", ids.north)
      .executeTakeFirstOrThrow();
    // Another tenant's secret under this one's name: it is bound to its place, and does not open.
    await tenants.change(id, { sealed });
    await sleep(SOON_MS);
    expect((await ask(key)).status).toBe(200);
    expect(secretsSeen()).toEqual([PLATFORM]);
    expect(notices.join("\n")).toContain(`Credential ${id} (openai, of org_broken) is left out`);
  });

  test("a tenant's address is never a private one, though the operator trusts that origin", async () => {
    await tenants.organization("sly", { byok: { order: "own-only" } });
    const { key } = await tenants.key("sly");
    await tenants.credential({
      organization: "sly",
      provider: "openai",
      secret: "sk-sly-canary-123456789012",
      // As if the check at saving had been passed by.
      base_url: `${gateway.upstream.origin}/openai/v1`,
    });
    await sleep(SOON_MS);
    expect((await ask(key)).status).toBe(502);
    expect(gateway.upstream.requests).toEqual([]);
  });

  test("zero retention is what the organization attests, not what the platform agreed", async () => {
    await tenants.organization("quiet", { byok: { order: "own-only" } });
    const { key } = await tenants.key("quiet");
    const id = await own("quiet", "openai", "sk-quiet-canary-123456789");
    await sleep(SOON_MS);
    expect((await ask(key, { provider: { zdr: true } })).status).toBe(403);
    await tenants.change(id, { zero_retention_at: 1, zero_retention_by: "owner" });
    await sleep(SOON_MS);
    expect((await ask(key, { provider: { zdr: true } })).status).toBe(200);
  });

  test("auto uses the own key of the model that it chooses", async () => {
    const answer = await ask(keys.strict, { model: "auto" });
    expect(answer.status).toBe(200);
    expect(secretsSeen()).toEqual(["sk-strict-canary-1234567890"]);
  });

  test("no secret is at rest, in records, or in what the gateway tells", async () => {
    const record = await gateway.get(
      `/v1/generations/${(await ask(keys.north)).headers.get("x-request-id")}`,
      { authorization: `Bearer ${keys.north}` },
    );
    expect(JSON.stringify(asObject(await record.json()))).not.toContain(NORTH);
    for (const name of readdirSync(gateway.home)) {
      const bytes = readFileSync(join(gateway.home, name));
      for (const secret of [NORTH, SOUTH, NORTH_MISTRAL]) {
        expect(bytes.includes(secret), `${secret} in ${name}`).toBe(false);
      }
    }
    expect(notices.join("\n")).not.toMatch(/canary/);
  });
});
