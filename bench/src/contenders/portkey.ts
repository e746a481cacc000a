import { execFile } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { freePort, startProcess } from "../harness/processes.ts";
import { chatDoor, type Contender, type Skipped } from "./contender.ts";

const PACKAGE = "@portkey-ai/gateway";
const VERSION = "1.15.2";
const INSTALL_MS = 120_000;

/** Installs Portkey's gateway outside the workspace (once a machine) and starts it. */
export async function startPortkey(upstream: string): Promise<Contender | Skipped> {
  const folder = join(tmpdir(), `turnpike-bench-portkey-${VERSION}`);
  const main = join(folder, "node_modules", PACKAGE, "build", "start-server.js");
  try {
    await install(folder, main);
    return await start(main, upstream);
  } catch (error) {
    const [reason = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    return { skipped: `${PACKAGE} ${VERSION}: ${reason}` };
  }
}

async function install(folder: string, main: string): Promise<void> {
  if (existsSync(main)) return;
  mkdirSync(folder, { recursive: true });
  const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder];
  await promisify(execFile)("npm", [...args, `${PACKAGE}@${VERSION}`], { timeout: INSTALL_MS });
}

async function start(main: string, upstream: string): Promise<Contender> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const running = await startProcess({
    command: process.execPath,
    args: [main, `--port=${port}`, "--headless"],
    // It refuses private addresses unless they are named.
    env: { NODE_ENV: "production", TRUSTED_CUSTOM_HOSTS: "127.0.0.1,localhost" },
    readyUrl: origin,
  });
  const headers = {
    authorization: "Bearer sk-bench",
    "x-portkey-provider": "openai",
    "x-portkey-custom-host": `${upstream}/v1`,
  };
  return { ...running, doors: [chatDoor("portkey", origin, headers)] };
}
