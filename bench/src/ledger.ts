import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import type { Charge, CounterLimit } from "../../gateway/src/ledger/commands.ts";
import { openLedger, type Ledger } from "../../gateway/src/ledger/open-ledger.ts";
import { createLedgerStore } from "../../gateway/src/store/ledger.ts";
import { migrateDatabase } from "../../gateway/src/store/migrate-database.ts";
import { openStore } from "../../gateway/src/store/store.ts";
import { startPostgres } from "../../gateway/test/postgres-server.ts";
import { pause } from "./harness/load.ts";
import { describeMachine } from "./harness/machine.ts";
import { figureRows, renderTable, type Figure, type Row } from "./harness/report.ts";
import { median, percentile } from "./harness/statistics.ts";
import { writeSection } from "./harness/readme-section.ts";
import { RESULTS } from "./write-readme.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    rate: { type: "string", default: "1000" },
    "write-readme": { type: "boolean", default: false },
  },
});
const SECONDS = Number(values.seconds);
const RATE = Number(values.rate);

/** As many requests under way at once as a busy gateway has. */
const CONCURRENT = 512;
const HOLDS = 20_000;
/** An answer takes a while between its hold and its charge. */
const ANSWER_MS = 50;
/** Organization, team, project and key each have a budget. */
const LEVELS = 4;

const counters: readonly CounterLimit[] = Array.from({ length: LEVELS }, (_none, level) => ({
  id: `bud_${level}:0:`,
  budgetId: `bud_${level}`,
  organizationId: "org_1",
  subject: "",
  periodStart: 0,
  periodEnd: null,
  unit: "usd",
  limit: 10n ** 17n,
}));

const charge: Charge = {
  walletId: "wallet:org_1",
  projectId: "proj_1",
  chargeNanoUsd: 13_500n,
  cost: { provider: "openai", nanoUsd: 13_500n },
  tokens: 30,
  counters,
};

const hold = (ledger: Ledger, id: string) =>
  ledger.run({
    type: "reserve",
    id,
    at: Date.now(),
    organizationId: "org_1",
    owner: "gw_bench",
    deadline: Date.now() + 900_000,
    wallet: { id: "wallet:org_1", lowest: -(10n ** 17n) },
    counters,
    lines: [{ basePicoUsd: 6_000_000n, outputPicoUsd: 600_000n, inputTokens: 40 }],
    answers: 1,
    wantedTokens: 1_000,
    leastTokens: 256,
    fallback: charge,
  });

const settle = (ledger: Ledger, id: string) =>
  ledger.run({ type: "settle", id, at: Date.now(), organizationId: "org_1", charge, held: true });

/** As many as go, `CONCURRENT` at once; a second. */
async function throughput(work: (id: string) => Promise<unknown>, name: string): Promise<number> {
  let next = 0;
  const began = performance.now();
  const worker = async (): Promise<void> => {
    while (next < HOLDS) await work(`${name}-${next++}`);
  };
  await Promise.all(Array.from({ length: CONCURRENT }, worker));
  return (HOLDS / (performance.now() - began)) * 1_000;
}

/** Milliseconds that hold and charge add to each request at a steady rate. */
async function added(ledger: Ledger): Promise<number[]> {
  const times: number[] = [];
  const all: Promise<void>[] = [];
  const one = async (id: string): Promise<void> => {
    const began = performance.now();
    await hold(ledger, id);
    const held = performance.now();
    await pause(ANSWER_MS);
    const ended = performance.now();
    await settle(ledger, id);
    times.push(held - began + performance.now() - ended);
  };
  const began = performance.now();
  for (let sent = 0; sent < RATE * SECONDS;) {
    const due = Math.floor(((performance.now() - began) * RATE) / 1_000);
    while (sent < due) all.push(one(`paced-${sent++}`));
    await pause(1);
  }
  await Promise.all(all);
  return times;
}

interface Measured {
  readonly row: Row;
  readonly figures: readonly Figure[];
}

async function measure(name: string, home: string, databaseUrl?: string): Promise<Measured> {
  const store = await openStore({ home, databaseUrl });
  const ledger = openLedger({ store: createLedgerStore(store) });
  await throughput((id) => hold(ledger, id), "warm");
  const holds = await throughput((id) => hold(ledger, id), "hold");
  const charges = await throughput((id) => settle(ledger, id), "hold");
  const times = await added(ledger);
  await store.close();
  const isSqlite = databaseUrl === undefined;
  const [p50, p99] = [median(times), percentile(times, 0.99)];
  return {
    row: {
      database: name,
      "holds/s": holds,
      "charges/s": charges,
      [`hold + charge at ${RATE}/s, p50 ms`]: p50,
      "p99 ms": p99,
    },
    figures: isSqlite
      ? [
          {
            name: `hold and charge add, p50 at ${RATE}/s (SQLite FULL)`,
            measured: p50,
            unit: "ms",
            target: { limit: 2.5, kind: "at most" },
          },
          {
            name: "holds a second, batched (SQLite FULL)",
            measured: holds,
            unit: "/s",
            target: { limit: 10_000, kind: "at least" },
          },
        ]
      : [],
  };
}

const home = mkdtempSync(join(tmpdir(), "turnpike-bench-ledger-"));
const load = loadavg()[0] ?? 0;
const measured = [await measure("SQLite, synchronous FULL", join(home, "sqlite"))];
const server = await startPostgres();
if (server !== undefined) {
  await migrateDatabase(server.url);
  measured.push(await measure("Postgres, without fsync", join(home, "postgres"), server.url));
  await server.stop();
}
rmSync(home, { recursive: true, force: true });

const { processor, cores, node, commit, date } = describeMachine();
const machine = `${processor}, ${cores} cores, Node ${node}, commit ${commit}, ${date.slice(0, 10)}; load average at the start ${load.toFixed(1)}`;
const rows = measured.map(({ row }) => row);
const figures = measured.flatMap((one) => one.figures);
const body = [machine, renderTable(rows), renderTable(figureRows(figures))].join("\n\n");
console.log(body);
mkdirSync(RESULTS, { recursive: true });
const result = { part: "ledger", machine: describeMachine(), load, rows, figures };
writeFileSync(join(RESULTS, "ledger.json"), `${JSON.stringify(result, undefined, 2)}\n`);
if (values["write-readme"]) writeSection("ledger", body);
