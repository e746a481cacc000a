import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { migrateDatabase } from "../../gateway/src/store/migrate-database.ts";
import { openStore, type Store } from "../../gateway/src/store/store.ts";
import { foldMonths } from "../../gateway/src/store/fold-months.ts";
import { DIMENSIONS } from "../../gateway/src/telemetry/rollup-rows.ts";
import { startPostgres } from "../../gateway/test/postgres-server.ts";
import { describeMachine } from "./harness/machine.ts";
import { figureRows, renderTable, type Figure, type Row } from "./harness/report.ts";
import {
  fill,
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
    repeat: { type: "string", default: "21" },
    only: { type: "string" },
    "write-readme": { type: "boolean", default: false },
  },
});
const ROWS = Number(values.rows);
const REPEAT = Number(values.repeat);
const TARGET_MS = 200;
const README = fileURLToPath(new URL("../README.md", import.meta.url));
const RESULTS = fileURLToPath(new URL("../results", import.meta.url));

interface Measured {
  readonly p50: number;
  readonly p95: number;
}

/** Each page many times over, in turns, so that no page has the caches for itself. */
async function measure(store: Store): Promise<ReadonlyMap<string, Measured>> {
  const times = new Map(PAGES.map(({ name }) => [name, [] as number[]]));
  for (let at = 0; at < REPEAT; at++) {
    for (const page of PAGES) {
      const began = performance.now();
      await page.read(store.records, at);
      times.get(page.name)?.push(performance.now() - began);
    }
  }
  return new Map(
    [...times].map(([name, all]) => {
      const sorted = all.toSorted((a, b) => a - b);
      const at = (part: number): number =>
        sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
      return [name, { p50: at(0.5), p95: at(0.95) }];
    }),
  );
}

async function onSqlite(): Promise<ReadonlyMap<string, Measured>> {
  const home = mkdtempSync(join(tmpdir(), "turnpike-reports-"));
  try {
    await (await openStore({ home })).close();
    const filling = fillingOfSqlite(join(home, "records.db"));
    await timed("SQLite filled", () => fill(filling, ROWS, sqliteNumbers));
    await filling.close();
    const store = await openStore({ home });
    await timed("months summed up", () =>
      foldMonths(store.records, LAST_DAY + 86_400_000, DIMENSIONS),
    );
    const measured = await measure(store);
    await store.close();
    return measured;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

async function onPostgres(): Promise<ReadonlyMap<string, Measured> | undefined> {
  const server = await startPostgres();
  if (server === undefined) return undefined;
  try {
    await migrateDatabase(server.url);
    const filling = await fillingOfPostgres(server.url);
    await timed("Postgres filled", () => fill(filling, ROWS, postgresNumbers));
    await filling.run("VACUUM ANALYZE request_records");
    await filling.close();
    const store = await openStore({ home: tmpdir(), databaseUrl: server.url });
    await timed("months summed up", () =>
      foldMonths(store.records, LAST_DAY + 86_400_000, DIMENSIONS),
    );
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

const databases: Readonly<
  Record<string, () => Promise<ReadonlyMap<string, Measured> | undefined>>
> = {
  SQLite: onSqlite,
  Postgres: onPostgres,
};
const results = new Map<string, ReadonlyMap<string, Measured>>();
for (const [name, run] of Object.entries(databases)) {
  if (values.only !== undefined && values.only !== name) continue;
  const measured = await run();
  if (measured === undefined) console.log(`Skipped: ${name} is not on this machine.`);
  else results.set(name, measured);
}

const rows: readonly Row[] = PAGES.map(({ name }) => ({
  page: name,
  ...Object.fromEntries(
    [...results].flatMap(([database, measured]) => {
      const { p50 = 0, p95 = 0 } = measured.get(name) ?? {};
      return [
        [`${database} p50 ms`, Math.round(p50 * 10) / 10],
        [`${database} p95 ms`, Math.round(p95 * 10) / 10],
      ];
    }),
  ),
}));
const figures: readonly Figure[] = [...results].map(([database, measured]) => ({
  name: `Slowest page at ${ROWS.toLocaleString("en")} records on ${database}, p95`,
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
  const [start, end] = ["<!-- reports:start -->", "<!-- reports:end -->"];
  const text = readFileSync(README, "utf8");
  const { processor, cores, node, commit, date } = machine;
  const body = [
    start,
    "## Reports and the log",
    `Pages of 50 rows over ${ROWS.toLocaleString("en")} request records of ninety days, one organization with four of five of them; a year of daily sums with as many values as each dimension may have. \`npm run bench:reports\`. ${processor}, ${cores} cores, Node ${node}, commit ${commit}, ${date.slice(0, 10)}.`,
    renderTable(figureRows(figures)),
    renderTable(rows),
    end,
  ].join("\n\n");
  const at = text.indexOf(start);
  const before = at === -1 ? `${text.trimEnd()}\n\n` : text.slice(0, at);
  const after = at === -1 ? "\n" : text.slice(text.indexOf(end) + end.length);
  writeFileSync(README, `${before}${body}${after}`);
}
