import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { VERSION } from "../gateway/src/lib/version.ts";
import { packRelease } from "./pack-release/pack.ts";

let project: string;
/** The installed package. */
let installed: string;

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), "turnpike-packed-"));
  const tarball = await packRelease(join(project, "dist"));
  writeFileSync(join(project, "package.json"), '{"private":true}');
  // Offline: nothing but the tarball may be needed.
  const args = [
    "install",
    "--offline",
    "--no-audit",
    "--no-fund",
    "--engine-strict=false",
    tarball,
  ];
  execFileSync("npm", args, { cwd: project, stdio: "pipe" });
  installed = join(project, "node_modules/turnpike");
}, 120_000);

afterAll(() => rmSync(project, { recursive: true, force: true }));

/** Nothing of the real environment: no keys, no home. */
const env = (): NodeJS.ProcessEnv => ({ HOME: project, PATH: process.env["PATH"] });

const start = (...args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [join(installed, "main.js"), ...args], { cwd: project, env: env() });

describe("the packed release", () => {
  test("is one package of the gateway's version without dependencies", () => {
    const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as object;
    expect(manifest).toMatchObject({ name: "turnpike", version: VERSION, license: "MIT" });
    expect(manifest).not.toHaveProperty("dependencies");
    expect(readFileSync(join(installed, "main.js"), "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  test("imports nothing before it has looked at the version of Node", () => {
    const main = readFileSync(join(installed, "main.js"), "utf8");
    const imports = [...main.matchAll(/^import .* from (".*?");/gm)].map(([, from]) => from);
    expect(imports).toEqual(['"node:module"']);
  });

  test("holds the licences of what is bundled, and no path of the machine that packed it", () => {
    const licenses = readFileSync(join(installed, "THIRD-PARTY-LICENSES.txt"), "utf8");
    for (const name of ["fastify", "undici", "zod", "kysely"]) {
      expect(licenses).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(MIT\\)$`, "m"));
    }
    expect(licenses).not.toContain("no licence named");
    const root = resolve(import.meta.dirname, "..");
    for (const name of readdirSync(installed, { recursive: true, encoding: "utf8" })) {
      const file = join(installed, name);
      if (statSync(file).isFile()) expect(readFileSync(file, "utf8")).not.toContain(root);
    }
  });

  test("starts, answers the request that it prints, and stops", async () => {
    const child = start("serve", "--port", "0");
    let out = "";
    let err = "";
    child.stdout?.on("data", (chunk: Buffer) => (out += chunk.toString()));
    child.stderr?.on("data", (chunk: Buffer) => (err += chunk.toString()));
    const exit = new Promise<number | null>((resolve) => child.once("exit", resolve));
    await expect.poll(() => out + err, { timeout: 10_000 }).toContain("Agents:");
    const command = /curl [^\n]*\\\n[^\n]*\\\n[^\n]*/.exec(out)?.[0] ?? "";
    const answer = execFileSync("sh", ["-c", `${command} -sS`], { env: env(), encoding: "utf8" });
    child.kill("SIGTERM");
    expect(answer).toContain("You said: Hello");
    expect(await exit).toBe(0);
  });

  test("has the whole catalogue and every command", async () => {
    const run = (...args: readonly string[]): string =>
      execFileSync(process.execPath, [join(installed, "main.js"), ...args], {
        cwd: project,
        env: env(),
        encoding: "utf8",
      });
    expect(run("--version").trim()).toBe(VERSION);
    for (const command of ["serve", "init", "keys", "models", "usage", "connect", "env", "doctor"])
      expect(run(command, "--help")).toContain(command);
    expect(run("models", "claude", "--all")).toContain("claude-haiku-4-5");
  });
});
