import { setTimeout } from "node:timers/promises";

import type { Config } from "#config/read-config.ts";
import { localLimiter, type Limiter } from "#limits/limiter.ts";
import { LocalLimits } from "#limits/local-limits.ts";
import { SharedLimiter } from "#limits/shared-limiter.ts";
import { valkeyLimits, type ValkeyLimits } from "#limits/valkey-limits.ts";
import type { Log } from "#telemetry/log.ts";

interface Opened {
  readonly config: Config | undefined;
  readonly log: Log;
  /** Takes what ends it. */
  readonly closers: (() => void | Promise<void>)[];
}

/** The limits of this gateway, shared with others where there is a Valkey. */
export async function openLimits({ config, log, closers }: Opened): Promise<Limiter> {
  const now = Date.now;
  const local = new LocalLimits(now);
  const url = config?.valkey?.url;
  if (url === undefined) return localLimiter(local, now);
  const shared = await connect(url);
  closers.push(() => shared.close());
  return new SharedLimiter({
    local,
    shared,
    now,
    onShared: (isShared, reason) => {
      if (isShared) log.info({}, "limits are shared by Valkey again");
      else log.warn({ reason }, "Valkey is gone or slow: this gateway limits alone meanwhile");
    },
  });
}

const LONGEST_START_MS = 1_000;

/** Connects in the background and again after every loss; what cannot be asked now is not asked later. */
async function connect(url: string): Promise<ValkeyLimits> {
  const { Redis } = await import("ioredis");
  const client = new Redis(url, {
    protocol: 2,
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 5_000,
    retryStrategy: (times: number) => Math.min(10_000, 100 * 2 ** Math.min(times, 10)),
  });
  // Without a listener an error would end the process; the limiter tells what matters.
  client.on("error", () => {});
  const connected = client.connect().catch(() => undefined);
  // A gateway that starts beside its server should share from the first request on.
  await Promise.race([connected, setTimeout(LONGEST_START_MS, undefined, { ref: false })]);
  return valkeyLimits(client);
}
