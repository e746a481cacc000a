import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { openStore } from "#store/store.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "turnpike-folder-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const modeOf = (...path: string[]): number => statSync(join(home, ...path)).mode & 0o777;

const openAndClose = async (folder = home): Promise<void> =>
  (await openStore({ home: folder })).close();

describe("openStore", () => {
  test("makes folders and files for their owner alone", async () => {
    await openAndClose(join(home, "a", "b"));
    expect(modeOf("a", "b")).toBe(0o700);
    expect(modeOf("a", "b", "turnpike.db")).toBe(0o600);
    expect(modeOf("a", "b", "records.db")).toBe(0o600);
  });

  test("closes what was open to others", async () => {
    await openAndClose();
    chmodSync(home, 0o755);
    chmodSync(join(home, "turnpike.db"), 0o644);
    await openAndClose();
    expect([modeOf(), modeOf("turnpike.db")]).toEqual([0o700, 0o600]);
  });

  test("leaves a folder with other things in it as it is, but not its own files", async () => {
    writeFileSync(join(home, "letter.txt"), "");
    chmodSync(home, 0o755);
    await openAndClose();
    expect([modeOf(), modeOf("turnpike.db")]).toEqual([0o755, 0o600]);
  });

  test("a file in the way, and a place where nothing can be made, are said, not waited for", async () => {
    writeFileSync(join(home, "file"), "");
    await expect(openStore({ home: join(home, "file") })).rejects.toThrow(
      /file: there is a file where/,
    );
    await expect(openStore({ home: join(home, "file", "x") })).rejects.toThrow(/set TURNPIKE_HOME/);
    mkdirSync(join(home, "records.db"));
    await expect(openStore({ home })).rejects.toThrow(/records\.db: there is a folder where/);
  });

  test.runIf(process.platform === "linux")("/proc is such a place", async () => {
    await expect(openStore({ home: "/proc/nope" })).rejects.toThrow(
      /\/proc\/nope: it cannot be made there/,
    );
  });

  test.each(["turnpike.db", "records.db"])("a damaged %s is named, with a remedy", async (name) => {
    writeFileSync(join(home, name), "this is no database ".repeat(100));
    await expect(openStore({ home })).rejects.toThrow(
      new RegExp(`the database .*${name} cannot be used .*Restore a backup of it, or move it away`),
    );
  });

  test("pages that were overwritten under a process that was killed stop the start", async () => {
    const file = join(home, "turnpike.db");
    const store = await openStore({ home });
    const teams = Array.from({ length: 2_000 }, (_, at) => ({
      id: `team_${at}`,
      organization_id: "org_default",
      name: `name ${at}`.padEnd(80, "."),
      created_at: 1,
      version: 1,
    }));
    await store.core.insertInto("teams").values(teams).execute();
    await store.close();
    const bytes = readFileSync(file);
    for (let page = 10; page < 20; page++) bytes.fill(0xa5, page * 4_096, page * 4_096 + 64);
    writeFileSync(file, bytes);
    // What a killed process leaves.
    writeFileSync(`${file}-wal`, Buffer.alloc(32));
    await expect(openStore({ home, checkIntegrity: true })).rejects.toThrow(
      /turnpike\.db is damaged .*turnpike restore/,
    );
  });
});
