import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { describeMachine } from "./harness/machine.ts";
import { figureRows, renderTable, type PartResult } from "./harness/report.ts";
import type { Progress, Settings } from "./harness/settings.ts";
import { runJson } from "./parts/json.ts";
import { runKeys } from "./parts/keys.ts";
import { runMemory } from "./parts/memory.ts";
import { runMicro } from "./parts/micro.ts";
import { runStartup } from "./parts/startup.ts";
import { runStreams } from "./parts/streams.ts";
import { RESULTS, writeReadme } from "./write-readme.ts";

type Part = (settings: Settings, progress: Progress) => Promise<PartResult>;

/** In the order in which they are run and shown. */
const PARTS: Readonly<Record<string, Part>> = {
  json: runJson,
  streams: runStreams,
  memory: runMemory,
  startup: runStartup,
  micro: runMicro,
  keys: runKeys,
};

const HELP = `Usage: npm run bench -- [${Object.keys(PARTS).join(" | ")}]... [options]
  --rounds <n>     rounds of every cell (default 3)
  --seconds <n>    length of a cell of closed-loop load (default 3, at most 10)
  --write-readme   put the latest results into bench/README.md`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "3" },
    "write-readme": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const progress: Progress = (message) => void process.stderr.write(`${message}\n`);

async function runPart(name: string, part: Part, settings: Settings): Promise<void> {
  const result = await part(settings, progress);
  console.log(`\n## ${name}\n\n${renderTable(result.rows)}`);
  if (result.figures.length > 0) console.log(`\n${renderTable(figureRows(result.figures))}`);
  for (const skipped of result.skipped) console.log(`\nSKIPPED ${skipped}`);
  mkdirSync(RESULTS, { recursive: true });
  const report = { part: name, machine: describeMachine(), settings, ...result };
  writeFileSync(join(RESULTS, `${name}.json`), `${JSON.stringify(report, undefined, 2)}\n`);
}

async function run(): Promise<void> {
  if (values.help) return console.log(HELP);
  const unknown = positionals.find((name) => !(name in PARTS));
  if (unknown !== undefined) throw new Error(`There is no part "${unknown}".\n${HELP}`);
  const settings = {
    rounds: Math.max(1, Number(values.rounds) || 3),
    seconds: Math.min(10, Number(values.seconds) || 3),
  };
  const onlyWrite = values["write-readme"] && positionals.length === 0;
  for (const [name, part] of Object.entries(PARTS)) {
    const asked = positionals.length === 0 ? !onlyWrite : positionals.includes(name);
    if (asked) await runPart(name, part, settings);
  }
  if (values["write-readme"]) writeReadme(Object.keys(PARTS));
}

await run();
