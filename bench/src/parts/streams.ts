import { chatDoor, startProxy, type Door } from "../contenders/contender.ts";
import { setPace, startField, type Entry, type Field } from "../contenders/field.ts";
import { startTurnpike } from "../contenders/turnpike.ts";
import { Client, loadCount, pause } from "../harness/load.ts";
import { cpuMicros } from "../harness/processes.ts";
import type { Figure, PartResult } from "../harness/report.ts";
import type { Progress, Settings } from "../harness/settings.ts";
import { median, percentile } from "../harness/statistics.ts";

const STREAMS = 200;
const EVENTS = 100;
/** 200 streams at 40 events a second: a load that every contender keeps up with, so that none can merge events. */
const INTERVAL_MS = 25;
const STREAMS_EACH = 2;
const SETTLE_MS = 150;
const SHAPE = { bytes: 1_000, stream: true };

interface Cell {
  readonly cpuPerEvent: number;
  readonly cores: number;
  readonly firstBytes: readonly number[];
}

/** CPU per event of a stream, and how much later its first byte comes. */
export async function runStreams(settings: Settings, progress: Progress): Promise<PartResult> {
  const field = await startField([(to) => startProxy("pipe", to), startTurnpike], progress);
  try {
    await setPace(field.upstream, EVENTS, INTERVAL_MS);
    const full = await measure(field.entries, STREAMS, { settings, progress });
    const half = await measure(withDirect(field), STREAMS / 2, { settings, progress });
    const rows = [...full].map(([name, cell]) => ({
      contender: name,
      streams: STREAMS,
      "CPU µs/event": cell.cpuPerEvent,
      "× pipe": cell.cpuPerEvent / (full.get("pipe")?.cpuPerEvent ?? Number.NaN),
      "cores busy": cell.cores,
    }));
    const firstBytes = [...half].map(([name, cell]) => ({
      contender: name,
      streams: STREAMS / 2,
      "first byte p50 ms": percentile(cell.firstBytes, 0.5),
      "first byte p99 ms": percentile(cell.firstBytes, 0.99),
    }));
    return {
      rows: [...rows, ...firstBytes],
      figures: [...cpuFigures(full), ...firstByteFigures(half)],
      skipped: field.skipped,
    };
  } finally {
    await field.stop();
  }
}

/** The upstream itself as a contender: what the first byte takes without anything between. */
const withDirect = (field: Field): readonly (Entry | { door: Door })[] => [
  { door: chatDoor("direct", field.upstream) },
  ...field.entries,
];

async function measure(
  entries: readonly (Entry | { door: Door })[],
  streams: number,
  { settings, progress }: { settings: Settings; progress: Progress },
): Promise<ReadonlyMap<string, Cell>> {
  const found = new Map<string, Cell[]>();
  for (const entry of entries) await load(entry, streams, 1);
  for (let round = 1; round <= settings.rounds; round++) {
    for (const entry of entries) {
      progress(`${streams} streams, round ${round}/${settings.rounds}: ${entry.door.name}`);
      const cells = found.get(entry.door.name) ?? [];
      found.set(entry.door.name, cells);
      cells.push(await load(entry, streams, STREAMS_EACH));
    }
  }
  return new Map([...found].map(([name, cells]) => [name, medianCell(cells)]));
}

async function load(
  entry: Entry | { door: Door },
  concurrency: number,
  each: number,
): Promise<Cell> {
  const client = new Client(entry.door, SHAPE);
  const cpu = (): number => ("pid" in entry ? cpuMicros(entry.pid) : 0);
  const before = cpu();
  const spreadMs = EVENTS * INTERVAL_MS * 0.2;
  const { answers, elapsedMs } = await loadCount(client, { concurrency, each, spreadMs });
  await pause(SETTLE_MS);
  const used = cpu() - before;
  await client.close();
  return {
    cpuPerEvent: used / (answers.length * EVENTS),
    cores: used / 1_000 / elapsedMs,
    firstBytes: answers.map(({ firstByteMs }) => firstByteMs),
  };
}

/** Medians of the rounds; first bytes of all rounds together, or a percentile would be a single stream's. */
const medianCell = (cells: readonly Cell[]): Cell => ({
  cpuPerEvent: median(cells.map((cell) => cell.cpuPerEvent)),
  cores: median(cells.map((cell) => cell.cores)),
  firstBytes: cells.flatMap((cell) => cell.firstBytes),
});

const LANES = [
  { door: "turnpike", name: "byte-faithful lane", limit: 1.25 },
  { door: "turnpike crossing dialects", name: "crossing dialects", limit: 1.6 },
];

function cpuFigures(cells: ReadonlyMap<string, Cell>): readonly Figure[] {
  const cpu = (name: string): number => cells.get(name)?.cpuPerEvent ?? Number.NaN;
  return LANES.map(({ door, name, limit }) => ({
    name: `Streams, ${STREAMS} × ${EVENTS} events: CPU per event to bare piping, ${name}`,
    measured: cpu(door) / cpu("pipe"),
    unit: "×",
    target: { limit, kind: "at most" },
  }));
}

function firstByteFigures(cells: ReadonlyMap<string, Cell>): readonly Figure[] {
  const p99 = (name: string): number => percentile(cells.get(name)?.firstBytes ?? [], 0.99);
  return LANES.map(({ door, name }) => ({
    name: `Streams at half load: added time to first byte p99, ${name}`,
    measured: p99(door) - p99("direct"),
    unit: "ms",
    target: { limit: 20, kind: "at most" },
  }));
}
