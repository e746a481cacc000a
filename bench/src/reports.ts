import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { migrateDatabase } from "../../gateway/src/store/migrate-database.ts";
import { openStore, type Store } from "../../gateway/src/store/store.ts";
import { foldRollups } from "../../gateway/src/store/fold-rollups.ts";
import { DIMENSIONS } from "../../gateway/src/telemetry/rollup-rows.ts";
import { startPostgres } from "../../gateway/test/postgres-server.ts";
import { describeMachine } from "./harness/machine.ts";
import { figureRows, renderTable, type Figure, type Row } from "./harness/report.ts";
import { writeSection } from "./harness/readme-section.ts";
import {
  fill,
  FILLING_SETTINGS,
  fillingOfPostgres,
  fillingOfSqlite,
  postgresNumbers,
  sqliteNumbers,
} from "./reports/fill.ts";
import { LAST_DAY } from "./reports/fill.ts";
import { PAGES } from "./reports/pages.ts";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "10000000" },
    /** Of Postgres, where it is to have another number. */
    "postgres-rows": { type: "string" },
    repeat: { type: "string", default: "21" },
    only: { type: "string" },
    /** Where filled databases are kept, and taken from the next time. */
    home: { type: "string" },
    /** Pages whose names have this in them. */
    pages: { type: "string", default: "" },
    "write-readme": { type: "boolean", default: false },
  },
});
const ROWS = {
  SQLite: Number(values.rows),
  Postgres: Number(values["postgres-rows"] ?? values.rows),
} as const;
type Database = keyof typeof ROWS;
const REPEAT = Number(values.repeat);
const TARGET_MS = 200;
const MEASURED_PAGES = PAGES.filter(({ name }) => name.includes(values.pages));
const RESULTS = fileURLToPath(new URL("../results", import.meta.url));

interface Measured {
  readonly p50: number;
  readonly p95: number;
  /** Processor time of this process, all threads: what a page costs whatever else the machine does. */
  readonly cpuP50: number;
}

interface Times {
  readonly wall: number[];
  readonly cpu: number[];
}

/** Each page many times over, in turns, so that no page has the caches for itself. */
async function measure(store: Store): Promise<ReadonlyMap<string, Measured>> {
  const times = new Map(MEASURED_PAGES.map(({ name }): [string, Times] => [name, emptyTimes()]));
  for (let at = 0; at < REPEAT; at++) {
    for (const page of MEASURED_PAGES) {
      const [began, used] = [performance.now(), process.cpuUsage()];
      await page.read(store.reports, at);
      const { user, system } = process.cpuUsage(used);
      times.get(page.name)?.wall.push(performance.now() - began);
      times.get(page.name)?.cpu.push((user + system) / 1000);
    }
  }
  return new Map(
    [...times].map(([name, { wall, cpu }]) => [
      name,
      { p50: quantile(wall, 0.5), p95: quantile(wall, 0.95), cpuP50: quantile(cpu, 0.5) },
    ]),
  );
}

const emptyTimes = (): Times => ({ wall: [], cpu: [] });

function quantile(all: readonly number[], part: number): number {
  const sorted = all.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

/** A folder of one database at this size; whether it is kept. */
function folderOf(database: Database): string {
  if (values.home === undefined) return mkdtempSync(join(tmpdir(), "turnpike-reports-"));
  // Not by the store, which lets nobody else in: Postgres runs as another user.
  mkdirSync(values.home, { recursive: true });
  return join(resolve(values.home), `${database.toLowerCase()}-${ROWS[database]}`);
}

/** Says in a kept folder that it is filled: one that was left half full is not to be measured. */
const filledMark = (home: string): string => join(home, "filled");

async function onSqlite(): Promise<ReadonlyMap<string, Measured>> {
  const home = folderOf("SQLite");
  try {
    await (await openStore({ home })).close();
    if (!existsSync(filledMark(home))) {
      const filling = fillingOfSqlite(join(home, "records.db"));
      await timed("SQLite filled", () => fill(filling, ROWS.SQLite, sqliteNumbers));
      await filling.close();
      writeFileSync(filledMark(home), "");
    }
    const store = await openStore({ home });
    await foldAsGateways(store);
    const measured = await measure(store);
    await store.close();
    return measured;
  } finally {
    if (values.home === undefined) rmSync(home, { recursive: true, force: true });
  }
}

const foldAsGateways = (store: Store): Promise<void> =>
  timed("months and weeks summed up", () =>
    foldRollups(store.records, LAST_DAY + 86_400_000, DIMENSIONS),
  );

async function onPostgres(): Promise<ReadonlyMap<string, Measured> | undefined> {
  const home = values.home === undefined ? undefined : folderOf("Postgres");
  const server = await startPostgres(home, FILLING_SETTINGS);
  if (server === undefined) return undefined;
  try {
    await migrateDatabase(server.url);
    if (home === undefined || !existsSync(filledMark(home))) {
      const filling = await fillingOfPostgres(server.url);
      await timed("Postgres filled", () => fill(filling, ROWS.Postgres, postgresNumbers));
      await filling.run("VACUUM ANALYZE request_records");
      await filling.close();
      if (home !== undefined) writeFileSync(filledMark(home), "");
    }
    const store = await openStore({ home: tmpdir(), databaseUrl: server.url });
    await foldAsGateways(store);
    const measured = await measure(store);
    await store.close();
    return measured;
  } finally {
    await server.stop();
  }
}

async function timed(what: string, work: () => Promise<void>): Promise<void> {
  const began = performance.now();
  await work();
  console.log(`${what}: ${((performance.now() - began) / 1000).toFixed(0)} s`);
}

const databases: readonly (readonly [
  Database,
  () => Promise<ReadonlyMap<string, Measured> | undefined>,
])[] = [
  ["SQLite", onSqlite],
  ["Postgres", onPostgres],
];
const results = new Map<Database, ReadonlyMap<string, Measured>>();
for (const [name, run] of databases) {
  if (values.only !== undefined && values.only !== name) continue;
  const measured = await run();
  if (measured === undefined) console.log(`Skipped: ${name} is not on this machine.`);
  else results.set(name, measured);
}

const rows: readonly Row[] = MEASURED_PAGES.map(({ name }) => ({
  page: name,
  ...Object.fromEntries(
    [...results].flatMap(([database, measured]) => {
      const { p50 = 0, p95 = 0, cpuP50 = 0 } = measured.get(name) ?? {};
      const ms = (value: number): number => Math.round(value * 10) / 10;
      return [
        [`${database} p50 ms`, ms(p50)],
        [`${database} p95 ms`, ms(p95)],
        // Postgres has its own processes.
        ...(database === "SQLite" ? [["SQLite CPU p50 ms", ms(cpuP50)] as const] : []),
      ];
    }),
  ),
}));
const figures: readonly Figure[] = [...results].map(([database, measured]) => ({
  name: `Slowest page at ${ROWS[database].toLocaleString("en")} records on ${database}, p95`,
  measured: Math.max(...[...measured.values()].map(({ p95 }) => p95)),
  unit: "ms",
  target: { limit: TARGET_MS, kind: "at most" },
}));
console.log(`\n${renderTable(figureRows(figures))}\n\n${renderTable(rows)}`);
mkdirSync(RESULTS, { recursive: true });
const machine = describeMachine();
writeFileSync(
  join(RESULTS, "reports.json"),
  `${JSON.stringify({ machine, rows, figures }, undefined, 2)}\n`,
);
if (values["write-readme"]) writeReadme();

function writeReadme(): void {
  const { processor, cores, node, commit, date } = machine;
  const sizes = [...results.keys()]
    .map((database) => `${ROWS[database].toLocaleString("en")} on ${database}`)
    .join(", ");
  const [load = 0] = loadavg().map((one) => one.toFixed(1));
  const body = [
    "## Reports and the log",
    `Pages of 50 rows over request records of ninety days (${sizes}), one organization with four of five of them; a year of daily sums with as many values as each dimension may have, months and weeks summed up as a gateway does. Each page ${REPEAT} times in turns. \`npm run bench:reports\` (\`-- --home <folder>\` keeps the filled databases for the next run). The machine's load average was ${load} at the end. ${processor}, ${cores} cores, Node ${node}, commit ${commit}, ${date.slice(0, 10)}.`,
    renderTable(figureRows(figures)),
    renderTable(rows),
  ].join("\n\n");
  writeSection("reports", body);
}
