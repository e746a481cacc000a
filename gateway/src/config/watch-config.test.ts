import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { watchConfig } from "./watch-config.ts";

let folder: string;
let file: string;
let second: string;
let stop: () => void;
const onChange = vi.fn<Parameters<typeof watchConfig>[1]["onChange"]>();
const onError = vi.fn<(message: string) => void>();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "turnpike-config-"));
  file = join(folder, "turnpike.yaml");
  second = join(folder, "second.yaml");
  onChange.mockReset();
  onError.mockReset();
});
afterEach(() => {
  stop();
  rmSync(folder, { recursive: true });
});
/** Reading the first file loads parser and schema. */
const SLOW = { timeout: 8_000 };
const watch = (): void => {
  stop = watchConfig([file, second], { env: {}, onChange, onError, intervalMs: 10 });
};

test("a file that appears, changes and goes is followed", async () => {
  watch();
  writeFileSync(file, "server: {port: 1}\n");
  await vi.waitFor(() => expect(onChange.mock.lastCall?.[0].server).toEqual({ port: 1 }), SLOW);
  writeFileSync(file, "server: {port: 22}\n");
  await vi.waitFor(() => expect(onChange.mock.lastCall?.[0].server).toEqual({ port: 22 }), SLOW);
  rmSync(file);
  await vi.waitFor(() => expect(onChange.mock.lastCall?.[0].server).toEqual({}), SLOW);
  expect(onError).not.toHaveBeenCalled();
});

test("a wrong version is told in words and never handed on", async () => {
  writeFileSync(file, "server: {port: 1}\n");
  watch();
  writeFileSync(file, "server:\n  prot: 12\n");
  await vi.waitFor(() => expect(onError).toHaveBeenCalled(), SLOW);
  expect(onError.mock.lastCall?.[0]).toMatch(/turnpike\.yaml:2: server\.prot: .*Did you mean port/);
  expect(onChange).not.toHaveBeenCalled();
});

test("of two places the first that has a file counts, whenever it comes and goes", async () => {
  watch();
  const port = (): unknown => onChange.mock.lastCall?.[0].server.port;
  writeFileSync(second, "server: {port: 2}\n");
  await vi.waitFor(() => expect(port()).toBe(2), SLOW);
  expect(onChange.mock.lastCall?.[1]).toBe(second);
  writeFileSync(file, "server: {port: 1}\n");
  await vi.waitFor(() => expect(port()).toBe(1), SLOW);
  rmSync(file);
  await vi.waitFor(() => expect(port()).toBe(2), SLOW);
  rmSync(second);
  await vi.waitFor(() => expect(onChange.mock.lastCall?.[1]).toBeUndefined(), SLOW);
});
