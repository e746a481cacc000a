import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { createTestCli, type TestCli } from "#test/cli.ts";
import { json, startFakeUpstream, status, type FakeUpstream } from "#test/fake-upstream.ts";

const SECRET = "sk-cli-canary-0123456789";

let cli: TestCli;
let upstream: FakeUpstream;
beforeEach(async () => {
  upstream = await startFakeUpstream();
  cli = createTestCli({ OPENAI_BASE_URL: `${upstream.origin}/v1` });
});
afterEach(async () => {
  await upstream.close();
  cli.remove();
});

async function add(...args: string[]): Promise<string> {
  cli.typed.text = `${SECRET}\n`;
  const made = await cli.run("credentials", "add", "--provider", "openai", ...args, "--json");
  expect(made).not.toContain(SECRET);
  return (JSON.parse(made) as { readonly id: string }).id;
}

test("one is added from standard input, listed without its secret, tested and removed", async () => {
  expect(await cli.run("credentials", "list")).toMatch(/No organization/);
  const id = await add("--name", "team key");
  expect(await cli.run("credentials", "list")).toMatch(
    new RegExp(`${id} +openai +team key +…6789 +org_default +active +not tested`),
  );
  upstream.answer(json({ data: [] }));
  expect(await cli.run("credentials", "test", id)).toBe("valid: the key is valid");
  expect(upstream.requests.at(-1)?.headers.authorization).toBe(`Bearer ${SECRET}`);
  upstream.answer(status(401, { error: { message: `no such key ${SECRET}` } }));
  await cli.fails("credentials", "test", id);
  expect(cli.out.join("\n")).toBe("refused: refuses the key (401)");
  expect(await cli.run("credentials", "list")).toContain("refused");
  expect(await cli.run("credentials", "remove", id)).toBe(`Removed ${id}.`);
  expect(await cli.run("credentials", "list")).not.toContain(id);
  expect(await cli.fails("credentials", "test", id)).toMatch(/was removed/);
});

test("one is given another secret, put in order, and taken out of force and back", async () => {
  const id = await add("--name", "team key");
  cli.typed.text = "sk-cli-canary-rotated-4711\n";
  expect(await cli.run("credentials", "rotate", id)).toMatch(/has another secret \(…4711\)/);
  upstream.answer(json({ data: [] }));
  await cli.run("credentials", "test", id);
  const secretSent = upstream.requests.at(-1)?.headers.authorization;
  expect(secretSent).toBe("Bearer sk-cli-canary-rotated-4711");
  expect(await cli.run("credentials", "order", id, "7")).toContain("is at position 7");
  expect(await cli.fails("credentials", "order", id, "first")).toMatch(/is no position/);
  await cli.run("credentials", "disable", id);
  expect(await cli.run("credentials", "list")).toContain("disabled");
  await cli.run("credentials", "enable", id);
  const [view] = JSON.parse(await cli.run("credentials", "list", "--json")) as object[];
  expect(view).toMatchObject({ position: 7, state: "active", hint: "4711" });
});

test("AWS key pairs and Google service accounts are taken as their makers hand them out", async () => {
  const aws = ["--provider", "bedrock", "--variables", "region=eu-west-1"];
  cli.typed.text = JSON.stringify({ AccessKeyId: "AKIA1", SecretAccessKey: "secret" });
  expect(await cli.run("credentials", "add", ...aws)).toContain("(bedrock");
  cli.typed.text = JSON.stringify({ AccessKeyId: "AKIA1" });
  expect(await cli.fails("credentials", "add", ...aws)).toMatch(/SecretAccessKey/);
  cli.typed.text = JSON.stringify({ client_email: "a@b.example", private_key: "pem" });
  const google = ["--provider", "vertex", "--variables", "project=p,location=europe-west4"];
  expect(await cli.run("credentials", "add", ...google)).toContain("(vertex");
  cli.typed.text = "plain";
  expect(await cli.fails("credentials", "add", ...google)).toMatch(/service account/);
});

test("a secret can come from a variable, and is never an argument", async () => {
  cli.io.env["MY_KEY"] = SECRET;
  await cli.run("credentials", "add", "--provider", "openai", "--secret-env", "MY_KEY");
  expect(await cli.fails("credentials", "add", "--provider", "openai")).toMatch(
    /pipe the provider/,
  );
  const none = await cli.fails("credentials", "add", "--provider", "openai", "--secret", SECRET);
  expect(none).toMatch(/no option "--secret"/);
  for (const name of readdirSync(join(cli.folder, "data"))) {
    const bytes = readFileSync(join(cli.folder, "data", name));
    expect(bytes.includes(SECRET), name).toBe(false);
  }
});

test.each([
  [["--provider", "nobody"], /There is no provider "nobody"/],
  [["--provider", "ollama"], /There is no provider "ollama"/],
  [["--provider", "demo"], /There is no provider "demo"/],
  [["--provider", "openai", "--base-url", "https://10.0.0.1/v1"], /base_url must name a host/],
  [["--provider", "openai", "--variables", "region=eu"], /has no variables/],
  [["--provider", "azure"], /needs these variables: /],
  [["--provider", "openai", "--organization", "org_none"], /no such organization/],
  [["--provider", "openai", "--project", "proj_none"], /no such project/],
])("what cannot be used is refused with the reason: %j", async (args, reason) => {
  cli.typed.text = SECRET;
  expect(await cli.fails("credentials", "add", ...args)).toMatch(reason);
});

test("a key of a gateway is no key of a provider, and a broken one none at all", async () => {
  cli.typed.text = "sk-tp-0123456789";
  expect(await cli.fails("credentials", "add", "--provider", "openai")).toMatch(/key of a gateway/);
  cli.typed.text = "sk-with\na line break";
  expect(await cli.fails("credentials", "add", "--provider", "openai")).toMatch(/no header can/);
});
