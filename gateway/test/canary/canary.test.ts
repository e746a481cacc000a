import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import { GEMINI_VERBS, INFERENCE_ROUTES } from "#http/ingress/inference.ts";
import { asObjects, asObject } from "#lib/json.ts";
import { erase, erasedBefore } from "#privacy/erase.ts";
import { createEnvelope } from "#privacy/envelope.ts";
import { loadMasterKey } from "#privacy/master-key.ts";
import { readContent } from "#privacy/read-content.ts";
import { createCompactor } from "#store/compact.ts";
import { changeDirectory } from "#store/directory-version.ts";
import { listErasures } from "#store/erasures.ts";
import { openStore, type Store } from "#store/store.ts";
import { startGatewayProcess, type GatewayProcess } from "#test/canary/process.ts";
import { scanBytes, scanFolder, type Canaries, type Finding } from "#test/canary/scan.ts";
import { makeDatabase, type TestDatabase } from "#test/databases.ts";
import {
  bytes,
  startFakeUpstream,
  status,
  type FakeUpstream,
  type Script,
} from "#test/fake-upstream.ts";
import { provider } from "#test/guardrails/answers.ts";
import { asksOf, geminiAsksOf, type Ask } from "#test/guardrails/asks.ts";
import { clientOf, postJson, type ApiClient } from "#test/sign-in-client.ts";
import { providerEnvironment } from "#test/start-gateway.ts";

/*
 * Done-when 4: a real gateway at its most talkative log level, every way to ask, answers and faults
 * that echo what they were sent. Then every file that it or its database has written is searched.
 */

const ASKS: readonly Ask[] = [
  ...INFERENCE_ROUTES.flatMap(asksOf),
  ...[...GEMINI_VERBS].flatMap(([verb, operation]) => geminiAsksOf(verb, operation)),
];

const random = (): string => randomBytes(12).toString("hex");

const makeCanaries = () => ({
  prompt: `prompt-canary-${random()}`,
  image: `image-canary-${random()}`,
  argument: `argument-canary-${random()}`,
  answer: `answer-canary-${random()}`,
  header: `header-canary-${random()}`,
  query: `query-canary-${random()}`,
  providerKey: `sk-provider-canary-${random()}`,
  gatewayKey: `gateway-key-canary-${random()}-${random()}`,
  ownKey: `sk-own-canary-${random()}`,
  password: `Password-canary-${random()}`,
  broken: `broken-canary-${random()}`,
  webhookUrl: `webhook-canary-${random()}`,
  comment: `comment-canary-${random()}`,
});

/** What providers do wrong; each tells what it was sent, as real ones do. */
function faultsOf({ providerKey }: Canaries): readonly Script[] {
  const echo =
    (code: number): Script =>
    (request, response) => {
      const message = `Incorrect API key provided: ${providerKey}. You sent: ${request.text.slice(0, 4_000)}`;
      return status(code, { error: { message, type: "invalid_request_error", code: message } })(
        request,
        response,
      );
    };
  const page: Script = (request, response) =>
    bytes(`<html>${providerKey} ${request.text}</html>`, { type: "text/html", status: 502 })(
      request,
      response,
    );
  const inStream: Script = (request, response) =>
    bytes(
      `event: error\ndata: ${JSON.stringify({ type: "error", error: { type: "api_error", message: `${providerKey} ${request.text}` } })}\n\n`,
    )(request, response);
  const cut: Script = (request, response) =>
    bytes(
      `data: {"choices":[{"index":0,"delta":{"content":"${request.text.length}"}}]}\n\ndata: {"cho`,
    )(request, response);
  return [echo(400), echo(401), echo(429), echo(500), page, inStream, cut];
}

describe.each(["sqlite", "postgres"] as const)("canaries on %s", (dialect) => {
  const isMissing = dialect === "postgres" && inject("postgresUrl") === "";
  const canaries: Canaries = makeCanaries();
  const person = `person-${random()}@example.org`;
  const kept = `kept-canary-${random()}`;
  let upstream: FakeUpstream;
  let database: TestDatabase | undefined;
  let gateway: GatewayProcess;
  let admin: ApiClient;
  /** What clients and admins were answered, apart from answers to the prompts themselves. */
  const told: [string, Buffer][] = [];

  beforeAll(async () => {
    if (isMissing) return;
    upstream = await startFakeUpstream();
    database = dialect === "postgres" ? await makeDatabase("postgres") : undefined;
    const providers = providerEnvironment(upstream.origin);
    const keys = Object.fromEntries(
      Object.entries(providers).map(([name, value]) => [
        name,
        name.endsWith("_KEY") || name.includes("TOKEN") ? canaries["providerKey"] : value,
      ]),
    ) as Record<string, string>;
    gateway = await startGatewayProcess({
      ...keys,
      TURNPIKE_KEY: canaries["gatewayKey"] ?? "",
      ...(database !== undefined && { TURNPIKE_DATABASE_URL: database.url }),
    });
  }, 120_000);
  afterAll(async () => {
    if (isMissing) return;
    gateway.remove();
    await upstream.close();
    await database?.remove();
  });

  const open = (): Promise<Store> => openStore({ home: gateway.home, databaseUrl: database?.url });

  const ask = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const join = path.includes("?") ? "&" : "?";
    const response = await fetch(`${gateway.url}${path}${join}trace=${canaries["query"]}`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${canaries["gatewayKey"]}`,
        "content-type": "application/json",
        "x-custom": canaries["header"] ?? "",
        ...headers,
      },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    const text = await response.text();
    return { id: response.headers.get("x-request-id") ?? "", status: response.status, text };
  };

  const image = {
    type: "image_url",
    image_url: {
      url: `data:image/png;base64,${Buffer.from(canaries["image"] ?? "").toString("base64")}`,
    },
  };
  const chat = (text: string) => ({
    model: "openai/gpt-4o-mini",
    user: person,
    messages: [{ role: "user", content: [{ type: "text", text }, image] }],
  });

  /** Whatever can be found of it, wherever: files, output, answers. */
  const everything = async (wanted: Canaries): Promise<readonly Finding[]> => [
    ...scanFolder(gateway.home, wanted),
    ...scanFolder(gateway.temporary, wanted),
    ...scanBytes("output", gateway.said(), wanted),
    ...told.flatMap(([place, text]) => scanBytes(place, text, wanted)),
    ...(dialect === "postgres" ? scanFolder(await postgresFolder(), wanted) : []),
  ];

  test.skipIf(isMissing)(
    "nothing of what passes is kept or told, whatever goes wrong",
    async () => {
      const { password = "" } = canaries;
      const first = await postJson(`${gateway.url}/api/setup`, {
        token: gateway.setupToken(),
        email: "admin@example.org",
        name: "Admin",
        password,
      });
      expect(first.status).toBe(201);
      admin = await clientOf(gateway.url, first);
      const own = await admin.request("POST", "/api/credentials", {
        organization_id: "org_default",
        provider: "mistral",
        name: "own",
        secret: canaries["ownKey"],
      });
      expect([own.status, await own.text()]).toEqual([201, expect.anything()]);
      await postJson(`${gateway.url}/api/session`, {
        email: "admin@example.org",
        password: `${password}x`,
      });

      const channel = {
        kind: "webhook",
        name: "hook",
        url: `https://hooks.example.org/${canaries["webhookUrl"]}`,
      };
      const hook = await admin.request("POST", "/api/alert-channels", {
        organization_id: "org_default",
        channel,
      });
      const webhookSecret = String(asObject(await hook.json())["secret"]);
      expect([hook.status, webhookSecret]).toEqual([201, expect.stringMatching(/^whsec_/)]);

      const said = { text: canaries["answer"] ?? "", argument: canaries["argument"] ?? "" };
      const scripts = [provider(said), ...faultsOf(canaries)];
      // What a request itself wants to be kept lies encrypted, too.
      upstream.answer(provider(said));
      const stored = await ask("/v1/responses", {
        model: "openai/gpt-4o-mini",
        input: canaries["prompt"],
        store: true,
      });
      expect(stored.status).toBe(200);
      const judged = { generation_id: stored.id, score: 1, comment: canaries["comment"] };
      expect((await ask("/v1/feedback", judged)).status).toBeLessThan(300);
      const ids: string[] = [];
      for (const script of scripts) {
        upstream.answer(script);
        for (const one of ASKS) {
          const asked = await ask(one.path, { ...one.body(canaries["prompt"] ?? "") });
          if (asked.id !== "") ids.push(asked.id);
          // A provider's key is nobody's business, not even the caller's.
          expect(asked.text).not.toContain(canaries["providerKey"]);
        }
        ids.push(
          (
            await ask("/v1/chat/completions", chat(canaries["prompt"] ?? ""), {
              "idempotency-key": random(),
            })
          ).id,
        );
      }
      for (const body of [
        `{"model": "openai/gpt-4o-mini", ${canaries["broken"]}`,
        { ...chat("x"), temperature: canaries["broken"] },
        { model: "openai/gpt-4o-mini", messages: canaries["broken"] },
        { ...chat("x"), provider: { [canaries["broken"] ?? ""]: 1 } },
      ]) {
        expect((await ask("/v1/chat/completions", body)).status).toBeGreaterThanOrEqual(400);
      }
      for (const id of ids.slice(0, 60)) await tell(`/v1/generations/${id}`);
      await tell("/metrics");
      for (const path of [
        "/api/requests?organization_id=org_default",
        "/api/audit",
        "/api/credentials",
        "/api/keys",
        "/api/alert-channels",
      ]) {
        const answer = await admin.request("GET", path);
        told.push([path, Buffer.from(await answer.text())]);
      }
      await sleep(500);
      const session = Object.fromEntries(
        admin.cookie
          .split("; ")
          .map((cookie, at) => [`session ${at}`, cookie.slice(cookie.indexOf("=") + 1)]),
      );
      expect(await everything({ ...canaries, ...session, webhookSecret })).toEqual([]);
    },
    300_000,
  );

  const tell = async (path: string): Promise<void> => {
    const headers = { authorization: `Bearer ${canaries["gatewayKey"]}` };
    const response = await fetch(gateway.url + path, { headers });
    told.push([path, Buffer.from(await response.text())]);
  };

  test.skipIf(isMissing)(
    "the scanner finds what is there: the name of an end user is metadata",
    async () => {
      const found = await everything({ person });
      expect(found.map(({ form }) => form)).toContain("plain");
      expect(found.some(({ place }) => place === "output")).toBe(false);
      expect(
        scanBytes("x", Buffer.from(`zz${Buffer.from(`a${kept}b`).toString("base64")}`), { kept }),
      ).not.toEqual([]);
    },
  );

  test.skipIf(isMissing)(
    "with the log of texts on they are there for readers, and encrypted",
    async () => {
      await allowContentLog(open);
      upstream.answer(provider({ text: `${kept}-answer`, argument: kept }));
      const ids: string[] = [];
      for (const one of ASKS) ids.push((await ask(one.path, { ...one.body(kept) })).id);
      ids.push((await ask("/v1/chat/completions", chat(kept))).id);
      const optedOut = await ask("/v1/chat/completions", chat(kept), {
        "x-turnpike-content-log": "off",
      });
      const store = await open();
      const envelope = envelopeOf(store, gateway.home);
      const read = (id: string) =>
        readContent({ records: store.records, envelope, now: Date.now }, id);
      for (const id of ids) {
        await expect
          .poll(async () => (await read(id))?.request, { timeout: 10_000 })
          .toContain(kept);
      }
      expect(await read(optedOut.id)).toBeUndefined();
      await store.close();
      expect(await everything({ kept })).toEqual([]);
    },
    180_000,
  );

  test.skipIf(isMissing)(
    "after erasure nothing of a person is left, and of a project no text",
    async () => {
      const store = await open();
      const envelope = envelopeOf(store, gateway.home);
      const { core, records } = store;
      const master = loadMasterKey(gateway.home, undefined);
      const deps = {
        core,
        records,
        envelope,
        master,
        now: Date.now,
        compact: createCompactor(store),
      };
      await erase(deps, "org_default", { kind: "subject", endUser: person });
      await erase(deps, "org_default", { kind: "project", projectId: "proj_default" });
      expect((await listErasures(core)).map(erasedBefore).length).toBe(2);
      expect(await records.selectFrom("content_log").selectAll().execute()).toEqual([]);
      const named = records
        .selectFrom("request_records")
        .select("id")
        .where("end_user", "is not", null);
      expect(await named.execute()).toEqual([]);
      await store.close();
      told.length = 0;
      await gateway.stop();
      const left = await everything({ ...canaries, kept, ...(dialect === "sqlite" && { person }) });
      expect(left).toEqual([]);
    },
    60_000,
  );
});

const envelopeOf = ({ core }: Store, home: string) =>
  createEnvelope({ core, master: loadMasterKey(home, undefined), now: Date.now });

async function allowContentLog(open: () => Promise<Store>): Promise<void> {
  const store = await open();
  await changeDirectory(store.core, async (transaction, version) => {
    await transaction
      .updateTable("organizations")
      .set({ settings: '{"contentLogAllowed":true}', version })
      .where("id", "=", "org_default")
      .execute();
    await transaction
      .updateTable("projects")
      .set({ settings: '{"contentLog":{"purpose":"debugging","redact":false}}', version })
      .where("id", "=", "proj_default")
      .execute();
  });
  await store.close();
  // Gateways look at the directory twice a second.
  await sleep(1_500);
}

/** Where the server keeps its files, its own log included; all of it is written first. */
async function postgresFolder(): Promise<string> {
  const client = new pg.Client({ connectionString: inject("postgresUrl") });
  await client.connect();
  await client.query("CHECKPOINT");
  const { rows } = await client.query("SHOW data_directory");
  await client.end();
  return String(asObject(asObjects(rows)[0])["data_directory"]);
}
