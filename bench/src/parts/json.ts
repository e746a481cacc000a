import { startProxy } from "../contenders/contender.ts";
import { startField, type Entry, type Field } from "../contenders/field.ts";
import { startNginx } from "../contenders/nginx.ts";
import { startPortkey } from "../contenders/portkey.ts";
import { startTurnpike } from "../contenders/turnpike.ts";
import { Client, loadFor, pause } from "../harness/load.ts";
import { cpuMicros } from "../harness/processes.ts";
import type { Figure, PartResult, Row } from "../harness/report.ts";
import type { Progress, Settings } from "../harness/settings.ts";
import { median, percentile } from "../harness/statistics.ts";

const SIZES = [1_000, 48_000];
const CONCURRENCY = 32;
const WARM_UP_MS = 2_500;
/** Work that a contender puts off until after the answer (records) belongs to the request. */
const SETTLE_MS = 150;

interface Cell {
  readonly cpuMicros: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** CPU per whole answer: the gateway, the bare proxy, another gateway and NGINX. */
export async function runJson(settings: Settings, progress: Progress): Promise<PartResult> {
  const field = await startField(
    [(to) => startProxy("bare", to), startTurnpike, startPortkey, startNginx],
    progress,
  );
  try {
    const rows: Row[] = [];
    const figures: Figure[] = [];
    for (const bytes of SIZES) {
      const cells = await measure(field, bytes, { settings, progress });
      rows.push(...rowsOf(bytes, cells));
      figures.push(...figuresOf(bytes, cells));
    }
    return { rows, figures, skipped: field.skipped };
  } finally {
    await field.stop();
  }
}

async function measure(
  field: Field,
  bytes: number,
  { settings, progress }: { settings: Settings; progress: Progress },
): Promise<ReadonlyMap<string, Cell>> {
  const found = new Map<string, Cell[]>();
  for (const entry of field.entries) await load(entry, bytes, WARM_UP_MS);
  for (let round = 1; round <= settings.rounds; round++) {
    for (const entry of field.entries) {
      progress(`json ${bytes} B, round ${round}/${settings.rounds}: ${entry.door.name}`);
      const cells = found.get(entry.door.name) ?? [];
      found.set(entry.door.name, cells);
      cells.push(await load(entry, bytes, settings.seconds * 1_000));
    }
  }
  return new Map([...found].map(([name, cells]) => [name, medianCell(cells)]));
}

async function load({ door, pid }: Entry, bytes: number, ms: number): Promise<Cell> {
  const client = new Client(door, { bytes, stream: false });
  const before = cpuMicros(pid);
  const { answers, elapsedMs } = await loadFor(client, { concurrency: CONCURRENCY, ms });
  await pause(SETTLE_MS);
  const used = cpuMicros(pid) - before;
  await client.close();
  const times = answers.map(({ totalMs }) => totalMs);
  return {
    cpuMicros: used / answers.length,
    perSecond: (answers.length / elapsedMs) * 1_000,
    p50Ms: percentile(times, 0.5),
    p99Ms: percentile(times, 0.99),
  };
}

const medianCell = (cells: readonly Cell[]): Cell => ({
  cpuMicros: median(cells.map((cell) => cell.cpuMicros)),
  perSecond: median(cells.map((cell) => cell.perSecond)),
  p50Ms: median(cells.map((cell) => cell.p50Ms)),
  p99Ms: median(cells.map((cell) => cell.p99Ms)),
});

function rowsOf(bytes: number, cells: ReadonlyMap<string, Cell>): readonly Row[] {
  const bare = cells.get("bare")?.cpuMicros ?? Number.NaN;
  return [...cells].map(([name, cell]) => ({
    request: `${bytes / 1_000} kB`,
    contender: name,
    "CPU µs/request": cell.cpuMicros,
    "× bare": cell.cpuMicros / bare,
    "requests/s": cell.perSecond,
    "p50 ms": cell.p50Ms,
    "p99 ms": cell.p99Ms,
  }));
}

function figuresOf(bytes: number, cells: ReadonlyMap<string, Cell>): readonly Figure[] {
  const cpu = (name: string): number => cells.get(name)?.cpuMicros ?? Number.NaN;
  const size = `JSON chat, ${bytes / 1_000} kB request`;
  const target = { limit: 3, kind: "at most" } as const;
  const own = cpu("turnpike") / cpu("bare");
  const crossing = cpu("turnpike crossing dialects") / cpu("bare");
  return [
    { name: `${size}: CPU of turnpike to bare proxy`, measured: own, unit: "×", target },
    { name: `${size}: the same, crossing dialects`, measured: crossing, unit: "×" },
    ...(cells.has("portkey")
      ? [
          {
            name: `${size}: CPU of Portkey to turnpike`,
            measured: cpu("portkey") / cpu("turnpike"),
            unit: "×",
            target: { limit: 4, kind: "at least" } as const,
          },
        ]
      : []),
    ...(cells.has("nginx")
      ? [
          {
            name: `${size}: CPU of turnpike to NGINX`,
            measured: cpu("turnpike") / cpu("nginx"),
            unit: "×",
          },
        ]
      : []),
  ];
}
