import { eventFacts } from "#health/event-facts.ts";
import { shareHealth } from "#health/health-sharing.ts";
import type { HealthTracker } from "#health/health-tracker.ts";
import { valkeyTransport } from "#health/valkey-transport.ts";
import { newId } from "#lib/ids.ts";
import type { Config } from "#config/read-config.ts";
import type { Log } from "#telemetry/log.ts";

type Closer = () => void | Promise<void>;

interface Watching {
  readonly config: Config | undefined;
  readonly log: Log;
}

/** Tells the operator what changes, and the other gateways where there are any. Returns how to stop. */
export async function watchHealth(
  health: HealthTracker,
  { config, log }: Watching,
): Promise<Closer> {
  health.onEvent((event) => {
    const { facts, words, needsPerson } = eventFacts(event);
    if (needsPerson) log.error(facts, words);
    else log.warn(facts, words);
  });
  const { valkey } = config ?? {};
  if (valkey === undefined) return () => undefined;
  const { url, channel } = valkey;
  const transport = await valkeyTransport({
    url,
    ...(channel !== undefined && { channel }),
    onConnected: (connected, reason) => {
      if (connected) log.info({}, "health is shared by Valkey");
      else log.warn({ reason }, "Valkey is gone: this gateway learns of health alone meanwhile");
    },
  });
  return shareHealth(health, transport, newId("gw_", Date.now()));
}
