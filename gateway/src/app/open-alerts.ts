import type { AlertEvent, EmitAlert } from "@turnpike/contract/alerts.ts";

import { watchErrorRate, type Outcome } from "#alerts/error-rate.ts";
import { healthAlert } from "#alerts/health-alerts.ts";
import { expiringKeys } from "#alerts/key-expiry.ts";
import { openPost } from "#alerts/open-post.ts";
import { noteEvent, sendDue, type OutboxParts } from "#alerts/outbox.ts";
import type { Config } from "#config/read-config.ts";
import type { HealthTracker } from "#health/health-tracker.ts";
import type { MasterKey } from "#privacy/master-key.ts";
import { deleteOldAlerts } from "#store/alerts.ts";
import type { Store } from "#store/store.ts";
import { errorFacts, type Log } from "#telemetry/log.ts";

export interface Alerts {
  readonly emit: EmitAlert;
  /** Told of each request that ended. */
  readonly noteOutcome: (outcome: Outcome) => void;
  readonly outbox: OutboxParts;
}

interface Opened {
  readonly store: Store;
  readonly master: MasterKey;
  readonly config: Config | undefined;
  readonly health: HealthTracker;
  readonly log: Log;
  readonly closers: (() => void | Promise<void>)[];
}

const LOOK_MS = 2_000;
const HOURLY_MS = 3_600_000;
/** Names of events are known for so long: a budget's lifetime threshold may come again after it. */
const KEPT_MS = 400 * 86_400_000;

/** Tells people of what happens. Events are written down first; one gateway of several sends each. */
export function openAlerts({ store, master, config, health, log, closers }: Opened): Alerts {
  const now = Date.now;
  const { post, close } = openPost(config ?? {}, now);
  const outbox: OutboxParts = { core: store.core, master, post, now };
  const emit: EmitAlert = (event) => void noted(outbox, event, log);
  health.onEvent((event) => {
    const alert = healthAlert(event, now());
    if (alert !== undefined) emit(alert);
  });
  const look = async (): Promise<void> => {
    // A full page: there may be more.
    while ((await sendDue(outbox)) >= FULL_PAGE);
  };
  const hourly = async (): Promise<void> => {
    for (const event of await expiringKeys(store.core, now())) emit(event);
    await deleteOldAlerts(store.core, now() - KEPT_MS);
  };
  closers.push(close);
  repeat(look, LOOK_MS, closers);
  repeat(hourly, HOURLY_MS, closers);
  return { emit, noteOutcome: watchErrorRate(emit, now), outbox };
}

const FULL_PAGE = 10;

/** A store that fails is told of by others, and asked again. */
function repeat(work: () => Promise<void>, everyMs: number, closers: Opened["closers"]): void {
  let running: Promise<void> | undefined;
  const run = (): void => {
    running ??= work()
      .catch(() => undefined)
      .finally(() => (running = undefined));
  };
  const timer = setInterval(run, everyMs);
  timer.unref();
  closers.push(async () => {
    clearInterval(timer);
    await running;
  });
}

async function noted(outbox: OutboxParts, event: AlertEvent, log: Log): Promise<void> {
  try {
    const isNew = await noteEvent(outbox, event);
    if (isNew) log.warn({ kind: event.kind, organizationId: event.organizationId }, event.text);
  } catch (error) {
    log.error({ kind: event.kind, ...errorFacts(error) }, "an alert could not be written down");
  }
}
