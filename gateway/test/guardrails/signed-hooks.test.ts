import { createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterEach, beforeEach, expect, test } from "vitest";

import { createTestCli } from "#test/cli.ts";
import { json, startFakeUpstream, type FakeUpstream } from "#test/fake-upstream.ts";
import { startGateway, type TestGateway } from "#test/start-gateway.ts";

const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const NEXT = `whsec_${Buffer.alloc(32, 8).toString("base64")}`;

let hook: FakeUpstream;
let gateway: TestGateway;
beforeEach(async () => {
  hook = await startFakeUpstream();
  hook.answer(json({ action: "block", reason: "the hook says no" }));
});
afterEach(async () => {
  await gateway.close();
  await hook.close();
});

/** Its origin is one of a provider, so that a private address may be asked. */
async function start(secrets: string): Promise<void> {
  gateway = await startGateway({
    env: { MISTRAL_BASE_URL: `${hook.origin}/mistral/v1`, HOOK_SECRET: SECRET },
    configText: secrets,
  });
  const cli = createTestCli({ TURNPIKE_HOME: gateway.home });
  writeFileSync(
    join(cli.folder, "policy.yaml"),
    `guardrails: [{ kind: http, url: "${hook.origin}/check" }]\n`,
  );
  await cli.run("policies", "set", "proj_default", "-f", "policy.yaml");
  cli.remove();
}

const ask = async (): Promise<Record<string, string>> => {
  const body = { model: "openai/gpt-4o-mini", messages: [{ role: "user", content: "hello" }] };
  for (let tries = 0; hook.requests.length === 0 && tries < 100; tries += 1) {
    if (tries > 0) await sleep(100);
    await gateway.post("/v1/chat/completions", body);
  }
  const [asked] = hook.requests;
  return { ...(asked?.headers as Record<string, string>), body: asked?.text ?? "" };
};

/** The scheme of standardwebhooks.com, by itself. */
const signature = (secret: string, asked: Record<string, string>): string => {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const content = `${asked["webhook-id"]}.${asked["webhook-timestamp"]}.${asked["body"]}`;
  return `v1,${createHmac("sha256", key).update(content).digest("base64")}`;
};

test("a hook is asked with a signature of each of its origin's secrets, whatever its path", async () => {
  await start(
    `guardrails: { hookSecrets: { "${hook.origin}/any": ["\${HOOK_SECRET}", "${NEXT}"] } }\n`,
  );
  const asked = await ask();
  expect(asked["body"]).toContain('"phase":"request"');
  expect(asked["webhook-id"]).toMatch(/^ask_\w{22}$/);
  expect(asked["webhook-timestamp"]).toMatch(/^\d{10}$/);
  expect(asked["webhook-signature"]?.split(" ")).toEqual([
    signature(SECRET, asked),
    signature(NEXT, asked),
  ]);
});

test("a hook of another origin is asked without one", async () => {
  await start(`guardrails: { hookSecrets: { "https://checks.example.com": ["${SECRET}"] } }\n`);
  const asked = await ask();
  expect(asked["body"]).toContain('"phase":"request"');
  expect(Object.keys(asked).filter((name) => name.startsWith("webhook-"))).toEqual([]);
});
