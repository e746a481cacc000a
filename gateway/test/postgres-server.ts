import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import pg from "pg";

/** A Postgres server of the tests' own: a Unix socket and a free port, data in a temporary folder. */
export interface PostgresServer {
  /** Of its `postgres` database. */
  readonly url: string;
  /** All of it stands still, connections stay open. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

const ROOT = "/usr/lib/postgresql";

/** The newest server of Debian's packages; `undefined`: there is none. */
function findBinaries(): string | undefined {
  if (!existsSync(ROOT)) return undefined;
  const versions = readdirSync(ROOT).toSorted((a, b) => Number(b) - Number(a));
  return versions
    .map((version) => join(ROOT, version, "bin"))
    .find((bin) => existsSync(join(bin, "initdb")));
}

/**
 * Starts one, in a folder that is kept when it is named, with settings beside the tests' own;
 * `undefined` where the machine has no Postgres.
 */
export async function startPostgres(
  kept?: string,
  more: readonly string[] = [],
): Promise<PostgresServer | undefined> {
  const bin = findBinaries();
  if (bin === undefined) return undefined;
  const folder = kept ?? mkdtempSync(join(tmpdir(), "turnpike-postgres-"));
  mkdirSync(folder, { recursive: true });
  // It refuses to run as root.
  const user = userInfo().uid === 0 ? nobody() : undefined;
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const initdb = [
    "-D",
    data,
    "-U",
    "postgres",
    "-A",
    "trust",
    "--no-sync",
    "-E",
    "UTF8",
    "--locale=C",
  ];
  if (!existsSync(data)) {
    execFileSync(join(bin, "initdb"), initdb, { stdio: "ignore", cwd: folder, ...user });
  }
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const settings = [
    "fsync=off",
    "full_page_writes=off",
    "max_connections=300",
    `port=${port}`,
    ...more,
  ];
  const args = [
    "-D",
    data,
    "-k",
    folder,
    "-h",
    "127.0.0.1",
    ...settings.flatMap((one) => ["-c", one]),
  ];
  const child = spawn(join(bin, "postgres"), args, { stdio: "ignore", cwd: folder, ...user });
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  await untilReady(url, child);
  return {
    url,
    freeze: () => signalAll(child, "-STOP"),
    thaw: () => signalAll(child, "-CONT"),
    stop: async () => {
      const gone = new Promise<void>((resolve) => void child.once("exit", () => resolve()));
      child.kill("SIGINT");
      await gone;
      if (kept === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function signalAll({ pid }: ChildProcess, name: "-STOP" | "-CONT"): void {
  const children = execFileSync("ps", ["-o", "pid=", "--ppid", String(pid)], { encoding: "utf8" });
  execFileSync("kill", [name, String(pid), ...children.trim().split(/\s+/)]);
}

function nobody(): { readonly uid: number; readonly gid: number } {
  const id = (flag: string): number =>
    Number(execFileSync("id", [flag, "nobody"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

const PATIENCE_MS = 30_000;

async function untilReady(url: string, child: ChildProcess): Promise<void> {
  for (const began = Date.now(); ;) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (child.exitCode !== null || Date.now() - began > PATIENCE_MS) throw error;
      await sleep(50);
    }
  }
}
