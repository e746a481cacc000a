import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { migrateDatabase } from "#store/migrate-database.ts";
import { json } from "#test/fake-upstream.ts";
import { startPostgres, type PostgresServer } from "#test/postgres-server.ts";
import { startGateway, type TestGateway } from "#test/start-gateway.ts";

/** A server of its own: it is stopped in the middle. */
const server: PostgresServer | undefined = await startPostgres();

let gateway: TestGateway;
let home: string;

const MASTER = "m".repeat(40);

const whole = json({
  id: "x",
  object: "chat.completion",
  choices: [{ index: 0, message: { role: "assistant", content: "ok" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
});
const ask = (): Promise<Response> =>
  gateway.post("/v1/chat/completions", {
    model: "openai/gpt-4o-mini",
    messages: [{ role: "user", content: "x" }],
  });

describe.skipIf(server === undefined)("a gateway on Postgres", () => {
  beforeEach(async () => {
    const url = server?.url ?? "";
    await migrateDatabase(url);
    home = mkdtempSync(join(tmpdir(), "turnpike-postgres-"));
    const env = { TURNPIKE_DATABASE_URL: url, TURNPIKE_MASTER_KEY: MASTER };
    gateway = await startGateway({ home, env });
    gateway.upstream.answer(whole);
  });
  afterEach(async () => {
    await gateway.close();
    await server?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  test("answers and keeps records; while the database stands still 503, never 401; then goes on", async () => {
    const first = await ask();
    expect(first.status).toBe(200);
    const id = first.headers.get("x-request-id");
    const record = await gateway.get(`/v1/generations/${id}`);
    expect(await record.json()).toMatchObject({ data: { id, cost_nano_usd: 4500 } });
    expect((await gateway.get("/readyz")).status).toBe(200);

    server?.freeze();
    try {
      const began = Date.now();
      const statuses = await Promise.all(
        [ask(), ask(), ask()].map(async (one) => (await one).status),
      );
      expect(statuses).toEqual([503, 503, 503]);
      expect(Date.now() - began).toBeLessThan(25_000);
      expect(await (await gateway.get("/readyz")).json()).toEqual({ status: "store_unavailable" });
    } finally {
      server?.thaw();
    }
    await expect
      .poll(async () => (await gateway.get("/readyz")).status, { timeout: 30_000 })
      .toBe(200);
    await expect.poll(async () => (await ask()).status, { timeout: 10_000 }).toBe(200);
  });
});
