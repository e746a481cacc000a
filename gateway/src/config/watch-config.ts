import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";

import type { Config } from "./read-config.ts";

export interface WatchOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Given each new version that is valid. */
  readonly onChange: (config: Config) => void;
  /** Told in words why a new version is refused; the last good one is to stay in force. */
  readonly onError: (message: string) => void;
  readonly intervalMs?: number;
}

const INTERVAL_MS = 500;

/**
 * Watches a configuration file, also one that does not exist yet; returns what stops it. It reads
 * the file instead of waiting for events: editors replace the file, mounted folders of containers
 * send no events, and a few kilobytes twice a second cost nothing.
 */
export function watchConfig(file: string, options: WatchOptions): () => void {
  const { env, onChange, onError, intervalMs = INTERVAL_MS } = options;
  let last = textNow(file);
  const look = async (): Promise<void> => {
    const text = await readFile(file, "utf8").catch(() => undefined);
    // Some editors empty the file before they write it; the next look finds it whole.
    if (text === last || text === "") return;
    last = text;
    try {
      // Loaded with the first file: a gateway without one needs neither parser nor schema.
      const { parseConfig } = await import("./read-config.ts");
      onChange(parseConfig(text ?? "", env, file));
    } catch (error) {
      onError(error instanceof Error ? error.message : String(error));
    }
  };
  const timer = setInterval(() => void look(), intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}

function textNow(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
