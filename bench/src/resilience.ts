import { mkdirSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { describeMachine, type Machine } from "./harness/machine.ts";
import { pause } from "./harness/load.ts";
import { figureRows, isMet, renderTable, type Figure, type Row } from "./harness/report.ts";
import { writeSection } from "./harness/readme-section.ts";
import {
  startGateway,
  startNaive,
  startUpstream,
  type Contestant,
  type Upstream,
} from "./resilience/contestants.ts";
import { loadAtRate } from "./resilience/load.ts";
import type { Run } from "./resilience/measure.ts";
import { figures, outageRows, runRows, type Runs } from "./resilience/report.ts";
import { RESULTS } from "./write-readme.ts";

const HELP = `Usage: npm run bench:resilience -- [options]
  --seconds <n>    length of a run with outages (default 300; a shorter one has the same outages in less time)
  --rate <n>       requests a second (default 200)
  --check          ends with 1 when a target is missed
  --write-readme   puts the result into bench/README.md`;

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "300" },
    rate: { type: "string", default: "200" },
    check: { type: "boolean", default: false },
    "write-readme": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

/** Enough for the percentiles of a run in which nothing happens. */
const CALM_SECONDS = 60;
const WARM_UP = { perSecond: 50, seconds: 3 };

interface Setting {
  readonly start: (upstream: Upstream) => Promise<Contestant>;
  readonly perSecond: number;
  readonly seconds: number;
  readonly outages: boolean;
}

/** One contestant before fresh providers, from its start to its end. */
async function measure({ start, perSecond, seconds, outages }: Setting): Promise<Run> {
  const upstream = await startUpstream();
  try {
    const contestant = await start(upstream);
    await loadAtRate(contestant, WARM_UP);
    await upstream.begin(outages ? seconds : 0);
    const beganMs = Date.now();
    const exchanges = await loadAtRate(contestant, { perSecond, seconds });
    // The last records are written behind the last answers.
    await pause(500);
    const seen = await upstream.seen();
    const calls = (await contestant.finish()).filter(({ atMs }) => atMs >= beganMs);
    return { beganMs, seconds, exchanges, calls, seen };
  } finally {
    await upstream.stop();
  }
}

async function measureAll(seconds: number, perSecond: number): Promise<Runs> {
  const startHere = (upstream: Upstream): Promise<Contestant> => startGateway(upstream, seconds);
  const calmSeconds = Math.min(CALM_SECONDS, seconds);
  const run = (name: string, setting: Omit<Setting, "perSecond">): Promise<Run> => {
    process.stderr.write(`${name}, ${setting.seconds} s\n`);
    return measure({ ...setting, perSecond });
  };
  return {
    calm: await run("turnpike, no outage", {
      start: startHere,
      seconds: calmSeconds,
      outages: false,
    }),
    gateway: await run("turnpike", { start: startHere, seconds, outages: true }),
    naive: await run("naive round robin", { start: startNaive, seconds, outages: true }),
  };
}

interface Report {
  readonly machine: Machine;
  /** Mean number of processes that ran or waited for a core in the minute before. */
  readonly loadBefore: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly figures: readonly Figure[];
  readonly rows: readonly Row[];
  readonly outages: readonly Row[];
}

function render({
  machine,
  loadBefore,
  seconds,
  perSecond,
  figures,
  rows,
  outages,
}: Report): string {
  const { processor, cores, node, commit, date } = machine;
  return [
    `${seconds} s at ${perSecond} requests a second. ${processor}, ${cores} cores (load ${loadBefore.toFixed(1)} before the run), Node ${node}, commit ${commit}, ${date.slice(0, 10)}`,
    renderTable(figureRows(figures)),
    renderTable(rows),
    renderTable(outages),
  ].join("\n\n");
}

if (values.help) console.log(HELP);
else {
  const [seconds, perSecond] = [Number(values.seconds), Number(values.rate)];
  if (!(seconds > 0 && perSecond > 0))
    throw new Error(`--seconds and --rate are numbers.\n${HELP}`);
  const [loadBefore = 0] = loadavg();
  const runs = await measureAll(seconds, perSecond);
  const report: Report = {
    machine: describeMachine(),
    loadBefore,
    seconds,
    perSecond,
    figures: figures(runs),
    rows: runRows(runs),
    outages: outageRows(runs),
  };
  const tables = render(report);
  console.log(tables);
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, "resilience.json"), `${JSON.stringify(report, undefined, 2)}\n`);
  if (values["write-readme"]) writeSection("resilience", tables);
  if (values.check && !report.figures.every(isMet)) process.exitCode = 1;
}
