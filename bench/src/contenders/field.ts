import type { Progress } from "../harness/settings.ts";
import { startUpstream, type Contender, type Door, type Skipped } from "./contender.ts";

type Start = (upstream: string) => Promise<Contender | Skipped>;

/** A door with the process behind it. */
export interface Entry {
  readonly door: Door;
  readonly pid: number;
}

/** Contenders that run side by side in front of one upstream. */
export interface Field {
  readonly upstream: string;
  readonly entries: readonly Entry[];
  readonly skipped: readonly string[];
  stop(): Promise<void>;
}

/** Starts the upstream and the contenders, each in its own process; those that cannot start are told. */
export async function startField(starts: readonly Start[], progress: Progress): Promise<Field> {
  const upstream = await startUpstream();
  const running: Contender[] = [];
  const skipped: string[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all([upstream, ...running].map((process) => process.stop()));
  };
  try {
    for (const start of starts) {
      const started = await start(upstream.origin);
      if ("skipped" in started) {
        progress(`SKIPPED ${started.skipped}`);
        skipped.push(started.skipped);
      } else running.push(started);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const entries = running.flatMap(({ pid, doors }) => doors.map((door) => ({ door, pid })));
  return { upstream: upstream.origin, entries, skipped, stop };
}

/** Sets how the upstream paces its streams from now on. */
export async function setPace(upstream: string, events: number, ms: number): Promise<void> {
  await fetch(`${upstream}/pace?events=${events}&ms=${ms}`, { method: "POST" });
}
