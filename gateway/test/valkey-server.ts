import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const SERVER = ["valkey-server", "redis-server"].find(
  (name) => spawnSync(name, ["--version"]).status === 0,
);

/** Whether there is one to test with; in CI there must be. */
export const hasValkey = SERVER !== undefined;

if (!hasValkey) {
  const remedy = "install valkey-server or redis-server (Debian: apt-get install redis-server)";
  if (process.env["CI"] === "true") throw new Error(`No Valkey to test with: ${remedy}.`);
  process.stderr.write(`Limits shared by Valkey are not tested: ${remedy}.\n`);
}

/** A server of its own on a loopback port, without persistence. */
export interface ValkeyServer {
  readonly url: string;
  /** Freezes it: connections stay, nothing is answered. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

export async function startValkey(): Promise<ValkeyServer> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "turnpike-valkey-"));
  const settings = { port, bind: "127.0.0.1", dir: folder, save: "", appendonly: "no" };
  const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, `${value}`]);
  const server = spawn(SERVER ?? "", flags, { stdio: "ignore" });
  await untilListening(port);
  return {
    url: `redis://127.0.0.1:${port}`,
    freeze: () => void server.kill("SIGSTOP"),
    thaw: () => void server.kill("SIGCONT"),
    stop: async () => {
      await stopProcess(server);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function untilListening(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const listening = await Promise.race([
      once(socket, "connect").then(() => true),
      once(socket, "error").then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (listening) return;
    await pause(20);
  }
}

async function stopProcess(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  server.kill("SIGKILL");
  await once(server, "exit");
}
