import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, expect, test } from "vitest";

import { runCli } from "#cli/run.ts";
import { asObject } from "#lib/json.ts";
import { changeDirectory } from "#store/directory-version.ts";
import { openStore } from "#store/store.ts";
import { json } from "#test/fake-upstream.ts";
import { setUpGateway, type ApiClient } from "#test/sign-in-client.ts";
import { startGateway, type TestGateway } from "#test/start-gateway.ts";

let gateway: TestGateway;
let admin: ApiClient;

beforeAll(async () => {
  gateway = await startGateway();
  admin = await setUpGateway(gateway);
  gateway.upstream.answer(
    json({
      id: "x",
      object: "chat.completion",
      choices: [
        { index: 0, message: { role: "assistant", content: "hello Ada" }, finish_reason: "stop" },
      ],
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    }),
  );
  await optIn({ purpose: "debugging" });
});
afterAll(() => gateway.close());

/** Writes what its admins decide, and waits until the gateway has looked. */
async function optIn(contentLog: object, policy?: object): Promise<void> {
  const store = await openStore({ home: gateway.home });
  await changeDirectory(store.core, async (transaction, version) => {
    await transaction
      .updateTable("organizations")
      .set({ settings: '{"contentLogAllowed":true}', version })
      .execute();
    await transaction
      .updateTable("projects")
      .set({ settings: JSON.stringify({ contentLog }), version })
      .execute();
    if (policy === undefined) return;
    const row = {
      organization_id: "org_default",
      level: "organization",
      target_id: "org_default",
    } as const;
    const times = { created_at: 0, updated_at: 0, deleted_at: null };
    await transaction
      .insertInto("policies")
      .values({ id: "pol_zdr", ...row, document: JSON.stringify(policy), ...times, version })
      .execute();
  });
  await store.close();
  await sleep(1_200);
}

const ask = async (body: object = {}, headers: Record<string, string> = {}) => {
  const messages = [{ role: "user", content: "I am ada@example.org" }];
  const asked = { model: "openai/gpt-4o-mini", user: "ada", messages, ...body };
  const response = await gateway.post("/v1/chat/completions", asked, headers);
  await response.text();
  return { id: response.headers.get("x-request-id") ?? "", status: response.status };
};

const contentOf = async (id: string) => {
  const response = await admin.request("GET", `/api/requests/${id}/content`);
  return { status: response.status, body: asObject(await response.json()) };
};

const isKept = (id: string) =>
  expect.poll(async () => (await contentOf(id)).status, { timeout: 5_000 }).toBe(200);

test("admins read a kept text, and the audit log says so; strangers and keys do not", async () => {
  const { id } = await ask();
  await isKept(id);
  expect((await contentOf(id)).body).toMatchObject({
    object: "content",
    state: "kept",
    request: expect.stringContaining("I am [email]"),
    answer: expect.stringContaining("hello Ada"),
  });
  const audit = await (await admin.request("GET", "/api/audit?organization_id=org_default")).text();
  expect(audit).toContain("content.read");
  expect(audit).toContain(id);
  const byKey = await gateway.get(`/api/requests/${id}/content`);
  expect(byKey.status).toBe(401);
  expect((await contentOf("req_none")).status).toBe(404);
});

test("a request can opt out by a header and by its metadata, and cannot opt in", async () => {
  const out = [
    await ask({}, { "x-turnpike-content-log": "off" }),
    await ask({ metadata: { turnpike_content_log: "off" } }),
  ];
  const marker = await ask();
  await isKept(marker.id);
  for (const { id } of out) expect((await contentOf(id)).status).toBe(404);
});

test("a person is erased; the receipt is genuine, and a changed one is none", async () => {
  const { id } = await ask();
  await isKept(id);
  const response = await admin.request(
    "DELETE",
    "/api/privacy/subjects/ada?organization_id=org_default",
  );
  expect(response.status).toBe(200);
  const receipt = asObject(await response.json());
  expect((await contentOf(id)).status).toBe(404);
  const [good, bad] = [join(gateway.home, "receipt.json"), join(gateway.home, "bad.json")];
  writeFileSync(good, JSON.stringify(receipt));
  writeFileSync(bad, JSON.stringify({ ...receipt, completed_at: "2020-01-01T00:00:00.000Z" }));
  const verify = (file: string) =>
    runCli(["privacy", "verify-receipt", file], {
      env: { TURNPIKE_HOME: gateway.home },
      cwd: gateway.home,
      userHome: gateway.home,
      now: Date.now,
      readInput: async () => "",
      out: () => undefined,
      err: () => undefined,
    });
  expect([await verify(good), await verify(bad)]).toEqual([0, 1]);
});

test("another project's or organization's texts are nobody's to erase here", async () => {
  const wrong = await admin.request("POST", "/api/privacy/erasures", {
    kind: "project",
    organization_id: "org_default",
    project_id: "proj_other",
  });
  expect(wrong.status).toBe(404);
  const unknown = await admin.request("POST", "/api/privacy/erasures", { kind: "galaxy" });
  expect(unknown.status).toBe(400);
});

test("sealed texts are handed out sealed", async () => {
  const { publicKey } = generateKeyPairSync("x25519");
  await optIn({ purpose: "audit", publicKey: publicKey.export({ type: "spki", format: "pem" }) });
  const { id } = await ask();
  await isKept(id);
  const { body } = await contentOf(id);
  expect(body["state"]).toBe("sealed");
  expect(Buffer.from(String(body["request"]), "base64").toString("latin1")).toMatch(
    /^\{"format":"turnpike-sealed-1"/,
  );
});

test("under zero retention nothing is kept, storing is refused, and no endpoint means no answer", async () => {
  const asked = await ask({ provider: { zdr: true } });
  expect(asked.status).toBe(403);
  await optIn({ purpose: "debugging" }, { zeroRetention: true });
  const refused = await gateway.post("/v1/responses", {
    model: "openai/gpt-4o-mini",
    input: "x",
    store: true,
  });
  expect(refused.status).toBe(400);
  expect(await refused.text()).toMatch(/zero retention/);
  const none = await gateway.post("/v1/chat/completions", {
    model: "openai/gpt-4o-mini",
    messages: [{ role: "user", content: "x" }],
  });
  expect(none.status).toBe(403);
  expect(await none.text()).toMatch(/zdr_no_endpoint/);
});
