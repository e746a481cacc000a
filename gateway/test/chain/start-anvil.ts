import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

/** A local Ethereum node: nothing of it is kept. */
export interface Anvil {
  readonly url: string;
  readonly chainId: number;
  stop(): Promise<void>;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };
/** Far more than it takes: 60 ms. */
const START_TIMEOUT_MS = 20_000;

/** Starts a node on a free loopback port, a block for each transaction; it ends with this process at the latest. */
export async function startAnvil(chainId: number): Promise<Anvil> {
  const flags = ["--host", "127.0.0.1", "--port", "0", "--chain-id", `${chainId}`];
  const node = spawn(binary(), flags, { stdio: ["ignore", "pipe", "ignore"] });
  const kill = (): void => void node.kill("SIGKILL");
  process.once("exit", kill);
  node.once("exit", () => process.off("exit", kill));
  const url = await listeningUrl(node);
  return { url, chainId, stop: () => stopProcess(node) };
}

/** The package for this machine, beside the one that names it; its own launcher would be one process more. */
function binary(): string {
  const architecture = ARCHITECTURES[process.arch] ?? process.arch;
  const launcher = createRequire(import.meta.resolve("@foundry-rs/anvil/package.json"));
  const name = process.platform === "win32" ? "anvil.exe" : "anvil";
  return launcher.resolve(`@foundry-rs/anvil-${process.platform}-${architecture}/bin/${name}`);
}

async function listeningUrl(node: ChildProcess): Promise<string> {
  if (node.stdout === null) throw new Error("anvil was started without its output");
  const lines = createInterface(node.stdout);
  // Read to the end: it prints every call, and would stop at a full pipe.
  const url = new Promise<string>((resolve) => {
    lines.on("line", (line) => {
      const address = /^Listening on (\S+)/.exec(line)?.[1];
      if (address === undefined) return;
      lines.close();
      node.stdout?.resume();
      resolve(`http://${address}`);
    });
  });
  const ended = once(node, "exit").then(([code]) => {
    throw new Error(`anvil ended with ${String(code)} before it listened`);
  });
  // Most nodes end long after they have listened, and nobody waits for that here.
  ended.catch(() => {});
  const late = AbortSignal.timeout(START_TIMEOUT_MS);
  const expired = once(late, "abort").then(() => {
    throw new Error(`anvil did not listen within ${START_TIMEOUT_MS} ms`);
  });
  expired.catch(() => {});
  return Promise.race([url, ended, expired]);
}

async function stopProcess(node: ChildProcess): Promise<void> {
  if (node.exitCode !== null || node.signalCode !== null) return;
  node.kill("SIGKILL");
  await once(node, "exit");
}
