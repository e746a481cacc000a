import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, beforeEach, expect, test } from "vitest";

import { createTestCli, type TestCli } from "#test/cli.ts";

let cli: TestCli;
beforeEach(() => {
  cli = createTestCli({ GROQ_API_KEY: "gsk_test" });
});
afterEach(() => cli.remove());

interface Row {
  readonly id: string;
  readonly providers: readonly string[];
}
const rows = async (...args: string[]): Promise<readonly Row[]> =>
  JSON.parse(await cli.run("models", ...args, "--json")) as Row[];

test("lists what the configured providers have, and the demo", async () => {
  const list = await rows();
  expect(list.map(({ id }) => id)).toContain("demo/echo");
  const providers = new Set(list.flatMap((row) => row.providers));
  expect([...providers].toSorted()).toEqual(["demo", "groq"]);
});

test("--all lists the others, too", async () => {
  expect((await rows("--all")).length).toBeGreaterThan(300);
});

test("a search narrows; a table has prices for a million tokens", async () => {
  const text = await cli.run("models", "demo echo");
  expect(text).toMatch(/demo\/echo +128000 +0\.1 +0\.4 +demo/);
  expect(text.split("\n")).toHaveLength(2);
});

test("nothing found is said, with what --all would find", async () => {
  await cli.run("models", "no-such-model");
  expect(cli.err.join("\n")).toMatch(/No model fits\.$/);
  await cli.run("models", "sonnet");
  expect(cli.err.join("\n")).toMatch(/models would with a key of .*models sonnet --all/);
});

test("models of a server on this machine are there as soon as it runs", async () => {
  const server = createServer((_request, response) => {
    response.end(JSON.stringify({ object: "list", data: [{ id: "my-llama:3b" }] }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  cli.io.env["OLLAMA_BASE_URL"] = `http://127.0.0.1:${port}/v1`;
  const list = await rows("my-llama");
  await new Promise((resolve) => server.close(resolve));
  expect(list).toMatchObject([{ providers: ["ollama"] }]);
});
