import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const MAIN = resolve(import.meta.dirname, "../../src/main.ts");

/** A gateway in a process of its own, with a home and a folder for temporary files of its own. */
export interface GatewayProcess {
  readonly url: string;
  readonly home: string;
  readonly temporary: string;
  /** All that it has said so far. */
  readonly said: () => Buffer;
  /** The token of its setup page. */
  readonly setupToken: () => string;
  stop(): Promise<void>;
  remove(): void;
}

const PATIENCE_MS = 60_000;

export async function startGatewayProcess(
  env: Readonly<Record<string, string>>,
): Promise<GatewayProcess> {
  const root = mkdtempSync(join(tmpdir(), "turnpike-canary-"));
  const home = join(root, "home");
  const temporary = join(root, "tmp");
  mkdirSync(temporary);
  const child = spawn(process.execPath, [MAIN, "serve"], {
    cwd: root,
    env: {
      PATH: process.env["PATH"],
      HOME: root,
      TMPDIR: temporary,
      TURNPIKE_HOME: home,
      TURNPIKE_PORT: "0",
      LOG_LEVEL: "debug",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const pieces: Buffer[] = [];
  const said = (): Buffer => Buffer.concat(pieces);
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data: Buffer) => pieces.push(data));
  }
  const url = await untilListening(child, said);
  return {
    url,
    home,
    temporary,
    said,
    setupToken: () =>
      /[?&#/]token=([\w-]+)|setup token:? ([\w-]+)/i.exec(said().toString())?.[1] ?? "",
    stop: async () => {
      if (child.exitCode !== null) return;
      const gone = new Promise((done) => {
        child.once("exit", done);
      });
      child.kill("SIGTERM");
      await gone;
    },
    remove: () => {
      child.kill("SIGKILL");
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function untilListening(child: ChildProcess, said: () => Buffer): Promise<string> {
  const began = Date.now();
  return new Promise((done, fail) => {
    const timer = setInterval(() => {
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(said().toString());
      if (found !== null) {
        clearInterval(timer);
        done(found[0]);
      } else if (child.exitCode !== null || Date.now() - began > PATIENCE_MS) {
        clearInterval(timer);
        fail(new Error(`the gateway did not start: ${said().toString()}`));
      }
    }, 20);
  });
}
