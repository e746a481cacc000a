import { startUpstream } from "../contenders/contender.ts";
import { startTurnpike } from "../contenders/turnpike.ts";
import { pause } from "../harness/load.ts";
import { rssKib } from "../harness/processes.ts";
import type { PartResult, Row } from "../harness/report.ts";
import type { Progress, Settings } from "../harness/settings.ts";
import { median } from "../harness/statistics.ts";

const SETTLE_MS = 500;

/** Time from spawn to the first answer, with a new data folder, and the memory taken then. */
export async function runStartup({ rounds }: Settings, progress: Progress): Promise<PartResult> {
  const upstream = await startUpstream();
  const rows: Row[] = [];
  const ready: number[] = [];
  const memory: number[] = [];
  try {
    for (let round = 1; round <= rounds; round++) {
      progress(`start ${round}/${rounds}`);
      const started = performance.now();
      const turnpike = await startTurnpike(upstream.origin);
      ready.push(performance.now() - started);
      await pause(SETTLE_MS);
      memory.push(rssKib(turnpike.pid) / 1_024);
      await turnpike.stop();
      rows.push({ start: round, "ready ms": ready.at(-1) ?? 0, "RSS MiB": memory.at(-1) ?? 0 });
    }
  } finally {
    await upstream.stop();
  }
  return {
    rows,
    figures: [
      {
        name: "Start-up: from spawn to the first answer",
        measured: median(ready),
        unit: "ms",
        target: { limit: 1_500, kind: "at most" },
      },
      {
        name: "Start-up: RSS",
        measured: median(memory),
        unit: "MiB",
        // 150 MB, in MiB.
        target: { limit: 143, kind: "at most" },
      },
    ],
    skipped: [],
  };
}
