import { spawn, type ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";

/** Ticks a second in /proc; 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** A child process with everything that it started. */
export interface Running {
  readonly pid: number;
  stop(): Promise<void>;
}

/** Any port that is free now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? (address?.port ?? 0) : 0));
    });
  });
}

interface SpawnOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Answers any HTTP status once the process serves. */
  readonly readyUrl: string;
  readonly cwd?: string;
}

const READY_MS = 20_000;
const POLL_MS = 3;

/** Starts a process and waits until it answers. Rejects with its output when it does not. */
export async function startProcess(options: SpawnOptions): Promise<Running> {
  const { command, args, env, readyUrl, cwd } = options;
  const child = spawn(command, args, {
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(cwd !== undefined && { cwd }),
  });
  let output = "";
  const keep = (text: Buffer): void => {
    output = (output + text.toString()).slice(-4_000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const failed = new Promise<never>((_, reject) => {
    child.once("error", reject);
    child.once("exit", (code) =>
      reject(new Error(`${command} ended with ${code} at its start:\n${output}`)),
    );
  });
  failed.catch(() => undefined);
  try {
    await Promise.race([answers(readyUrl, () => output), failed]);
  } catch (error) {
    await stop(child);
    throw error;
  }
  return { pid: child.pid ?? 0, stop: () => stop(child) };
}

async function answers(url: string, output: () => string): Promise<void> {
  const end = performance.now() + READY_MS;
  while (performance.now() < end) {
    const answered = await fetch(url).then(
      (response) => response.arrayBuffer().then(() => true),
      () => false,
    );
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`${url} does not answer:\n${output()}`);
}

const GRACE_MS = 3_000;

function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const force = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
    child.once("exit", () => {
      clearTimeout(force);
      resolve();
    });
    child.kill("SIGTERM");
  });
}

/** User and system time of a process, its threads and its children so far, in microseconds. */
export function cpuMicros(pid: number): number {
  const ticks = familyOf(pid).reduce((sum, member) => sum + cpuTicks(member), 0);
  return (ticks * 1e6) / TICKS_PER_SECOND;
}

function cpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name in brackets may hold anything: fields are counted from behind it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

/** Resident memory of a process and its children, in KiB. */
export function rssKib(pid: number): number {
  return familyOf(pid).reduce((sum, member) => {
    const status = readFileSync(`/proc/${member}/status`, "utf8");
    return sum + Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  }, 0);
}

function familyOf(pid: number): readonly number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean),
  );
  return [pid, ...children.map(Number)];
}
