import { startProxy } from "../contenders/contender.ts";
import { setPace, startField, type Entry } from "../contenders/field.ts";
import { startTurnpike } from "../contenders/turnpike.ts";
import { Client, loadCount, pause } from "../harness/load.ts";
import { rssKib } from "../harness/processes.ts";
import type { Figure, PartResult, Row } from "../harness/report.ts";
import type { Progress, Settings } from "../harness/settings.ts";

const STREAMS = 2_000;
const WARM_STREAMS = 100;
/** Streams outlast the opening of all and the reading of the memory. */
const EVENTS = 20;
const INTERVAL_MS = 1_000;
const OPEN_LIMIT_MS = 12_000;
const SHAPE = { bytes: 1_000, stream: true };

/** Resident memory of open streams. */
export async function runMemory(_settings: Settings, progress: Progress): Promise<PartResult> {
  const rows: Row[] = [];
  const figures: Figure[] = [];
  for (const door of ["pipe", "turnpike", "turnpike crossing dialects"]) {
    // A fresh process each: memory once taken is not given back.
    const start = door === "pipe" ? (to: string) => startProxy("pipe", to) : startTurnpike;
    const field = await startField([start], progress);
    try {
      progress(`${STREAMS} open streams: ${door}`);
      const entry = field.entries.find((candidate) => candidate.door.name === door);
      if (entry === undefined) throw new Error(`no contender ${door}`);
      const row = await measure(entry, field.upstream);
      rows.push({ contender: door, streams: STREAMS, ...row });
      if (door !== "pipe") figures.push(figureOf(door, row["KiB/stream"]));
    } finally {
      await field.stop();
    }
  }
  return { rows, figures, skipped: [] };
}

const figureOf = (door: string, measured: number): Figure => ({
  name: `Memory: RSS a stream at ${STREAMS.toLocaleString("en")} streams, ${door === "turnpike" ? "byte-faithful lane" : "crossing dialects"}`,
  measured,
  unit: "KiB",
  target: { limit: 100, kind: "at most" },
});

async function measure({ door, pid }: Entry, upstream: string) {
  const client = new Client(door, SHAPE);
  await setPace(upstream, 5, 10);
  for (let turn = 0; turn < 5; turn++) {
    await loadCount(client, { concurrency: WARM_STREAMS, each: 2, spreadMs: 0 });
  }
  await setPace(upstream, EVENTS, INTERVAL_MS);
  await pause(500);
  const before = rssKib(pid);
  const open = openAll(client);
  await open.opened;
  await pause(1_500);
  const after = rssKib(pid);
  await open.finished;
  await client.close();
  return {
    "RSS before MiB": before / 1_024,
    "RSS with streams MiB": after / 1_024,
    "KiB/stream": (after - before) / STREAMS,
  };
}

function openAll(client: Client): { opened: Promise<void>; finished: Promise<unknown> } {
  let open = 0;
  const streams: Promise<unknown>[] = [];
  const opened = new Promise<void>((resolve, reject) => {
    setTimeout(
      () => reject(new Error(`only ${open} of ${STREAMS} streams were open at a time`)),
      OPEN_LIMIT_MS,
    ).unref();
    const onFirstByte = (): void => {
      open++;
      if (open === STREAMS) resolve();
    };
    for (let at = 0; at < STREAMS; at++) streams.push(client.exchange(onFirstByte));
  });
  const finished = Promise.all(streams);
  finished.catch(() => undefined);
  return { opened, finished };
}
