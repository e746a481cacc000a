import { parseArgs } from "node:util";

import { AGENTS, type Agent } from "./test-agents/agents.ts";
import { checkRun } from "./test-agents/check-run.ts";
import { DIALECTS, type Dialect } from "./test-agents/dialects.ts";
import { installAgents } from "./test-agents/install-agents.ts";
import { runIsolated } from "./test-agents/isolate-network.ts";
import { runAgent, type Run } from "./test-agents/run-agent.ts";
import { makeTask } from "./test-agents/task.ts";

const USAGE = `Runs coding agents, unmodified and headless, through the gateway onto every upstream protocol.

  npm run test:agents [-- [--verbose] [name …]]

Names choose agents (${Object.keys(AGENTS).join(", ")})
and protocols (${Object.keys(DIALECTS).join(", ")}); without any: all.
  --verbose   what was asked, answered and lost`;

interface Line {
  readonly agent: string;
  readonly dialect: string;
  readonly run: Run;
  readonly faults: readonly string[];
}

const chosen = <T>(all: Readonly<Record<string, T>>, names: readonly string[]): [string, T][] => {
  const known = Object.entries(all);
  const asked = known.filter(([name]) => names.includes(name));
  return asked.length === 0 ? known : asked;
};

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { help: { type: "boolean" }, verbose: { type: "boolean", default: false } },
    allowPositionals: true,
  });
  const unknown = positionals.filter((name) => !(name in AGENTS) && !(name in DIALECTS));
  if (values.help === true || unknown.length > 0) {
    console.log(unknown.length > 0 ? `Unknown: ${unknown.join(", ")}\n\n${USAGE}` : USAGE);
    return unknown.length > 0 ? 1 : 0;
  }
  const commands = installAgents();
  const isolated = runIsolated();
  if (isolated !== undefined) return isolated;
  const lines: Line[] = [];
  for (const [name, agent] of chosen<Agent>(AGENTS, positionals)) {
    for (const [protocol, dialect] of chosen<Dialect>(DIALECTS, positionals)) {
      const setting = { name, agent, dialect, task: makeTask(Math.random), commands };
      const run = await runAgent(setting);
      const line = { agent: name, dialect: protocol, run, faults: checkRun(setting, run) };
      lines.push(line);
      print(line, values.verbose);
    }
  }
  const failed = lines.filter(({ faults }) => faults.length > 0).length;
  console.log(`\n${lines.length - failed} of ${lines.length} passed.`);
  return failed === 0 ? 0 : 1;
}

function print({ agent, dialect, run, faults }: Line, verbose: boolean): void {
  const mark = faults.length === 0 ? "✓" : "✗";
  const turns = `${String(run.requests.length).padStart(2)} requests`;
  const seconds = `${run.seconds.toFixed(1).padStart(5)} s`;
  console.log(`${mark} ${agent.padEnd(12)} ${dialect.padEnd(19)} ${turns} ${seconds}`);
  for (const fault of faults) console.log(`    ${fault.replaceAll("\n", "\n      ")}`);
  if (verbose) console.log(JSON.stringify(run, undefined, 1));
}

process.exitCode = await main();
