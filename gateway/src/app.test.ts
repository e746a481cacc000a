import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import type { AppOptions } from "#app/app-options.ts";
import { startApp, type App } from "#app.ts";
import { listKeys, revokeKeys, type StoredKey } from "#store/keys.ts";
import { openStore, type Store } from "#store/store.ts";

let home: string;
let app: App | undefined;
let notices: string[];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "turnpike-app-"));
  notices = [];
});
afterEach(async () => {
  await app?.close();
  app = undefined;
  rmSync(home, { recursive: true, force: true });
});

async function start(options: Partial<AppOptions> = {}): Promise<App> {
  const onNotice = (text: string): void => void notices.push(text);
  app = await startApp({ home, env: {}, port: 0, onNotice, ...options });
  return app;
}

async function restart(env: NodeJS.ProcessEnv): Promise<App> {
  await app?.close();
  return start({ env });
}

async function withStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore({ home });
  return work(store).finally(() => store.close());
}

const keys = (): Promise<readonly StoredKey[]> => withStore(({ core }) => listKeys(core));

const statusOf = async (key: string | undefined): Promise<number> =>
  (await fetch(`${app?.url}/v1/key`, { headers: { "x-api-key": key ?? "" } })).status;

/** Reading the first file loads parser and schema. */
const SLOW = { timeout: 8_000 };

describe("the first key", () => {
  test("works at once", async () => {
    const { startup } = await start();
    expect(await statusOf(startup.bootstrap.created)).toBe(200);
  });

  test("is not made by a start that fails, so that the next one shows it", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await expect(start({ port })).rejects.toThrow("EADDRINUSE");
    await new Promise((resolve) => server.close(resolve));
    await expect(start({ host: "256.1.1.1" })).rejects.toThrow("256.1.1.1");
    writeFileSync(join(home, "turnpike.yaml"), "providers: {openai: {baseUrl: nonsense}}\n");
    await expect(start()).rejects.toThrow(/turnpike\.yaml:1: providers\.openai\.baseUrl/);
    writeFileSync(join(home, "turnpike.yaml"), "providers: {openai: {}}\n");
    await expect(start()).rejects.toThrow(/turnpike\.yaml: providers\.openai: neither apiKey nor/);
    rmSync(join(home, "turnpike.yaml"));
    expect(await keys()).toEqual([]);
    expect((await start()).startup.bootstrap.created).toMatch(/^sk-tp-/);
  });
});

describe("TURNPIKE_KEY", () => {
  const OLD = "old-0123456789-0123456789-0123456789";
  const NEW = "new-0123456789-0123456789-0123456789";

  test("another value stops the one before, and setting it back revives it", async () => {
    await restart({ TURNPIKE_KEY: OLD });
    await restart({ TURNPIKE_KEY: NEW });
    expect([await statusOf(OLD), await statusOf(NEW)]).toEqual([401, 200]);
    await restart({ TURNPIKE_KEY: OLD });
    expect([await statusOf(OLD), await statusOf(NEW)]).toEqual([200, 401]);
    expect(await keys()).toHaveLength(2);
  });

  test("without it its key stops, and there is another one", async () => {
    await restart({ TURNPIKE_KEY: OLD });
    const { startup } = await restart({});
    expect(await statusOf(OLD)).toBe(401);
    expect(await statusOf(startup.bootstrap.created)).toBe(200);
  });

  test("a key that a person revoked does not come back", async () => {
    await restart({ TURNPIKE_KEY: OLD });
    await withStore(({ core }) => revokeKeys(core, "TURNPIKE_KEY", Date.now()));
    await expect(restart({ TURNPIKE_KEY: OLD })).rejects.toThrow(/was revoked\. Set another/);
    await restart({ TURNPIKE_KEY: NEW });
    await expect(restart({ TURNPIKE_KEY: OLD })).rejects.toThrow(/was revoked\. Set another/);
  });

  test("a short one is refused", async () => {
    await expect(start({ env: { TURNPIKE_KEY: "short" } })).rejects.toThrow(/at least 32/);
  });
});

describe("settings", () => {
  const settings = (text: string, name = "turnpike.yaml"): string => {
    writeFileSync(join(home, name), text);
    return join(home, name);
  };
  const saysSoon = (expected: RegExp): Promise<void> =>
    vi.waitFor(() => expect(notices.join("\n")).toMatch(expected), SLOW);

  test("a file that appears in any of its places is used, and its going is told", async () => {
    await start({ configPlaces: [join(home, "here.yaml"), join(home, "turnpike.yaml")] });
    settings("limits: {bodyBytes: 2048}\n");
    await saysSoon(/^Settings applied from .*turnpike\.yaml; limits: at the next start\.$/m);
    const file = settings("aliases: {house: auto}\n", "here.yaml");
    await saysSoon(/^Settings applied from .*here\.yaml\.$/m);
    rmSync(file);
    rmSync(join(home, "turnpike.yaml"));
    await saysSoon(/^No settings file any more: defaults applied\.$/m);
  });

  test("a change with a mistake is refused in words", async () => {
    await start();
    settings("providers: {mine: {baseUrl: 'ftp://x'}}\n");
    await saysSoon(/are refused, the old ones stay:\n.*turnpike\.yaml:1: providers\.mine\.baseUrl/);
  });

  test("aliases that lead nowhere are warned of, at the start and after", async () => {
    settings("aliases: {a: claude-sonet-4-5, b: b, c: auto, d: openai/new, e: gpt-4o:floor}\n");
    await start();
    expect(notices).toEqual([
      expect.stringMatching(/^Warning: turnpike\.yaml: alias a: there is no model .*Did you mean/),
      "Warning: turnpike.yaml: alias b: it names itself.",
    ]);
    settings("aliases: {z: nothing-like-it}\n");
    await saysSoon(/alias z: there is no model nothing-like-it/);
  });

  test("providers of the file are in the report", async () => {
    settings("providers: {mine: {baseUrl: 'http://127.0.0.1:9/v1'}, groq: {apiKey: x}}\n");
    const { startup } = await start({ env: { GROQ_API_KEY: "y", OPENAI_API_KEY: "z" } });
    expect(startup.providers).toEqual([
      { id: "openai", variable: "OPENAI_API_KEY" },
      { id: "mine", variable: "turnpike.yaml" },
      { id: "groq", variable: "turnpike.yaml" },
    ]);
  });
});

test("a catalogue that cannot be used is told in words", async () => {
  writeFileSync(join(home, "catalog.json"), JSON.stringify({ schema: 1, asOf: "x" }));
  const { startup } = await start();
  expect(startup.models).toBeGreaterThan(100);
  expect(notices).toEqual([
    expect.stringMatching(/catalog\.json is refused, the built-in catalogue is used:\n/),
  ]);
  expect(notices[0]).toContain("asOf: must be a date such as 2026-01-31");
  expect(notices[0]).toContain("models: is missing: a list is needed");
});
