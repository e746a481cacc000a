import type { Alerts } from "#app/open-alerts.ts";
import { retentionsOf } from "#governance/record-retentions.ts";
import { lacksRollups } from "#store/record-retention.ts";
import type { Store } from "#store/store.ts";
import { keepRecords } from "#telemetry/keep-records.ts";
import { errorFacts, type Log } from "#telemetry/log.ts";
import { rebuildRollups } from "#telemetry/rebuild-rollups.ts";
import { createRequestMetrics, type RequestMetrics } from "#telemetry/request-metrics.ts";
import { createRecordWriter, type WriteRecord } from "#telemetry/write-record.ts";

export interface Records {
  readonly writeRecord: WriteRecord;
  readonly metrics: RequestMetrics;
}

interface Opened {
  readonly store: Store;
  readonly log: Log;
  readonly alerts: Pick<Alerts, "noteOutcome">;
  readonly closers: (() => void | Promise<void>)[];
}

const HOURLY_MS = 3_600_000;

/** Records and their sums: written, kept for as long as organizations want, counted for Prometheus. */
export async function openRecords({ store, log, alerts, closers }: Opened): Promise<Records> {
  const { core, records } = store;
  const metrics = createRequestMetrics();
  const write = createRecordWriter(records);
  let isStopped = false;
  let working: Promise<unknown> = Promise.resolve();
  const inBackground = (what: string, work: () => Promise<unknown>): void => {
    working = working
      .then(() => (isStopped ? undefined : work()))
      .catch((error: unknown) => log.error(errorFacts(error), what));
  };
  if (await lacksRollups(records)) {
    inBackground("sums of earlier records could not be made", () =>
      rebuildRollups(records, { since: 0, until: Date.now(), isStopped: () => isStopped }),
    );
  }
  const keep = async (): Promise<void> => {
    const retentions = await retentionsOf(core);
    await keepRecords(records, { now: Date.now(), retentions, isStopped: () => isStopped });
  };
  const timer = setInterval(
    () => inBackground("old records could not be deleted", keep),
    HOURLY_MS,
  );
  timer.unref();
  closers.push(async () => {
    isStopped = true;
    clearInterval(timer);
    await working;
  });
  return {
    metrics,
    writeRecord: (record) => {
      metrics.note(record);
      alerts.noteOutcome(record);
      return write(record);
    },
  };
}
