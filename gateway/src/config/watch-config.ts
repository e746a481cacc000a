import { existsSync, readFileSync, unwatchFile, watchFile } from "node:fs";

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
 * Watches a configuration file, also one that does not exist yet; returns what stops it. It asks for
 * the file's date instead of waiting for events: editors replace the file, mounted folders of
 * containers send no events, and a question twice a second costs nothing.
 */
export function watchConfig(file: string, options: WatchOptions): () => void {
  const { env, onChange, onError, intervalMs = INTERVAL_MS } = options;
  let last = textOf(file);
  const look = async (): Promise<void> => {
    const text = textOf(file);
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
  const listener = (): void => void look();
  watchFile(file, { persistent: false, interval: intervalMs }, listener);
  return () => unwatchFile(file, listener);
}

const textOf = (file: string): string | undefined =>
  existsSync(file) ? readFileSync(file, "utf8") : undefined;
