import { createHmac } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterEach, beforeEach, expect, test } from "vitest";

import { runCli } from "#cli/run.ts";
import { asObject, type JsonObject } from "#lib/json.ts";
import { openStore } from "#store/store.ts";
import { status } from "#test/fake-upstream.ts";
import { startGateway, type TestGateway } from "#test/start-gateway.ts";

interface Got {
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

let home: string;
let got: Got[];
let origin: string;
let secret: string;
let gateway: TestGateway | undefined;
const closers: (() => void)[] = [];

/** A receiver of webhooks in the operator's own network, and a channel that leads to it. */
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "turnpike-alerts-"));
  got = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      got.push({ headers: request.headers, body });
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  closers.push(
    () => server.close(),
    () => rmSync(home, { recursive: true, force: true }),
  );
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const made = await cli(["add", "--name", "ops", "--events", "error-rate,ledger.invariant"], {
    typed: `${origin}/in?token=hidden`,
  });
  secret = String(made["secret"]);
});
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
  for (const close of closers.splice(0)) close();
});

async function cli(args: readonly string[], { typed = "" } = {}): Promise<JsonObject> {
  const out: string[] = [];
  const io = {
    env: { TURNPIKE_HOME: home },
    cwd: home,
    userHome: home,
    now: Date.now,
    readInput: async () => typed,
    out: (text: string) => void out.push(text),
    err: (text: string) => void out.push(text),
  };
  const code = await runCli(["alerts", ...args, "--json"], io);
  expect([code, out.join("\n")]).toEqual([0, expect.not.stringContaining("hidden")]);
  const read: unknown = JSON.parse(out.join("\n"));
  return Array.isArray(read) ? { data: read } : asObject(read);
}

const start = async (): Promise<TestGateway> =>
  (gateway = await startGateway({
    home,
    configText: `alerts: { allowOrigins: ["${origin}"] }\n`,
  }));

/** Deliveries are looked for every two seconds. */
async function delivered(): Promise<Got> {
  for (let tries = 0; got.length === 0 && tries < 200; tries++) await sleep(50);
  const [first] = got;
  if (first === undefined) throw new Error("nothing was delivered");
  return first;
}

/** The scheme of standardwebhooks.com, by itself. */
function isSigned({ headers, body }: Got): boolean {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const content = `${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${body}`;
  const expected = `v1,${createHmac("sha256", key).update(content, "utf8").digest("base64")}`;
  return String(headers["webhook-signature"]).split(" ").includes(expected);
}

test("an organization whose requests fail is told of it, once, by a signed webhook", async () => {
  const started = await start();
  started.upstream.answer(status(500, { error: { message: "ill" } }));
  const ask = { model: "openai/gpt-4o-mini", messages: [{ role: "user", content: "hello" }] };
  for (let at = 0; at < 24; at++) {
    expect((await started.post("/v1/chat/completions", ask)).status).toBeGreaterThanOrEqual(500);
  }
  const alert = await delivered();
  expect(isSigned(alert)).toBe(true);
  expect(JSON.parse(alert.body)).toMatchObject({
    type: "error-rate",
    data: { organization_id: "org_default", requests: 20, failed: 20, window_minutes: 5 },
  });
  await sleep(2_500);
  expect(got).toHaveLength(1);
  const channels = await cli(["list"]);
  const [channel] = channels["data"] as { id: string; url: string }[];
  expect(channel?.url).toBe(origin);
  const deliveries = await cli(["deliveries", channel?.id ?? ""]);
  expect(deliveries["data"]).toMatchObject([{ kind: "error-rate", state: "sent", tries: 1 }]);
});

test("books that do not balance are told to the operator when the gateway starts", async () => {
  const store = await openStore({ home });
  const account = { kind: "wallet", organization_id: "org_default", pending: 0, created_at: 1 };
  await store.core
    .insertInto("ledger_accounts")
    .values({ ...account, id: "wallet:org_default", debits: 0, credits: 7 })
    .execute();
  await store.close();
  await start();
  for (let tries = 0; got.length < 2 && tries < 200; tries++) await sleep(50);
  expect(got.every(isSigned)).toBe(true);
  const bodies = got.map(({ body }) => JSON.parse(body) as { type: string; data: JsonObject });
  expect(bodies.map(({ type }) => type)).toEqual(["ledger.invariant", "ledger.invariant"]);
  const rules = new Set(bodies.map(({ data }) => data["rule"]));
  expect(rules).toEqual(new Set(["a balance is its transfers", "debits equal credits"]));
  const subjects = bodies.map(({ data }) => data["subject"]);
  expect(subjects).toContain("wallet:org_default");
});
