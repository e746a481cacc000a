import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

import { startApp } from "../../gateway/src/app.ts";
import { openStore } from "../../gateway/src/store/store.ts";
import { startFakeUpstream, type ReceivedRequest } from "../../gateway/test/fake-upstream.ts";
import { startAccessLog, type Access } from "./access-log.ts";
import { connectAgent, type Agent } from "./agents.ts";
import type { Dialect } from "./dialects.ts";
import { readRecords, type RunRecord } from "./read-records.ts";
import { scriptedModel } from "./scripted-model.ts";
import type { Task } from "./task.ts";

const TIME_LIMIT_MS = 90_000;
/** The key that agents have of the gateway. */
export const KEY = "sk-agents-0123456789-0123456789-0123456789";

/** One agent at one protocol. */
export interface Setting {
  readonly name: string;
  readonly agent: Agent;
  readonly dialect: Dialect;
  readonly task: Task;
  /** The folder of the agents' commands. */
  readonly commands: string;
}

/** Everything that can be known of a run from outside. */
export interface Run extends AgentExit {
  readonly seconds: number;
  /** All that the agent asked of the gateway, model lists and the like too. */
  readonly accesses: readonly Access[];
  /** What the provider was asked. */
  readonly requests: readonly ReceivedRequest[];
  readonly records: readonly RunRecord[];
  /** Internal errors that the gateway wrote to its log. */
  readonly warnings: readonly string[];
}

interface AgentExit {
  /** `null`: killed at the time limit. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs an agent with a home of its own, through a gateway of its own, to a provider of its own. */
export async function runAgent(setting: Setting): Promise<Run> {
  const { dialect, task } = setting;
  const folder = mkdtempSync(join(tmpdir(), "turnpike-agent-run-"));
  const home = join(folder, "gateway");
  const warnings: string[] = [];
  const onWarning = (warning: Error & { readonly code?: string }): void => {
    if (warning.code?.startsWith("TURNPIKE_") === true) warnings.push(String(warning.stack));
  };
  process.on("warning", onWarning);
  const upstream = await startFakeUpstream();
  upstream.answer(scriptedModel(dialect.wire, task));
  const env = { TURNPIKE_KEY: KEY, ...dialect.env(upstream.origin) };
  const app = await startApp({ home, env, port: 0 });
  const log = startAccessLog(Number(new URL(app.url).port));
  try {
    const started = performance.now();
    const exit = await spawnAgent(setting, folder, app.url);
    const seconds = (performance.now() - started) / 1000;
    await app.close();
    const store = await openStore({ home });
    const records = await readRecords(store.records);
    await store.close();
    const { requests } = upstream;
    return { ...exit, seconds, accesses: log.lines, requests, records, warnings };
  } finally {
    log.stop();
    process.off("warning", onWarning);
    await upstream.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Nothing of the person's own environment: a key of theirs would lead the agent past the gateway. */
function spawnAgent(setting: Setting, folder: string, url: string): Promise<AgentExit> {
  const { name, agent, dialect, task, commands } = setting;
  const userHome = join(folder, "home");
  const work = join(folder, "work");
  mkdirSync(userHome);
  mkdirSync(work);
  const gate = { url, key: KEY };
  const variables = connectAgent(name, agent, { gate, userHome, model: dialect.model });
  const [command, ...args] = agent.command(dialect.model, task.prompt);
  const path = `${commands}${delimiter}${process.env["PATH"]}`;
  const env = { PATH: path, HOME: userHome, TMPDIR: folder, LANG: "C.UTF-8", ...variables };
  const child = spawn(command, args, {
    cwd: work,
    env,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: TIME_LIMIT_MS,
    killSignal: "SIGKILL",
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}
