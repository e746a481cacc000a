import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";

import type { Config } from "./read-config.ts";

export interface WatchOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Given each new version that is valid, and the file; no file: none is there any more. */
  readonly onChange: (config: Config, file: string | undefined) => void;
  /** Told in words why a new version is refused; the last good one is to stay in force. */
  readonly onError: (message: string) => void;
  readonly intervalMs?: number;
}

const INTERVAL_MS = 500;

/**
 * Watches the places where a configuration file may be, the first that exists counts; returns what
 * stops it. It reads the file instead of waiting for events: editors replace the file, mounted
 * folders of containers send no events, and a few kilobytes twice a second cost nothing.
 */
export function watchConfig(files: readonly string[], options: WatchOptions): () => void {
  const { env, onChange, onError, intervalMs = INTERVAL_MS } = options;
  let last = foundNow(files);
  const look = async (): Promise<void> => {
    const { file, text } = await find(files);
    // Some editors empty the file before they write it; the next look finds it whole.
    if ((file === last.file && text === last.text) || text === "") return;
    last = { file, text };
    try {
      // Loaded with the first file: a gateway without one needs neither parser nor schema.
      const { parseConfig } = await import("./read-config.ts");
      onChange(parseConfig(text ?? "", env, file), file);
    } catch (error) {
      onError(error instanceof Error ? error.message : String(error));
    }
  };
  const timer = setInterval(() => void look(), intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}

interface Found {
  readonly file?: string | undefined;
  readonly text?: string | undefined;
}

async function find(files: readonly string[]): Promise<Found> {
  for (const file of files) {
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text !== undefined) return { file, text };
  }
  return {};
}

function foundNow(files: readonly string[]): Found {
  for (const file of files) {
    try {
      return { file, text: readFileSync(file, "utf8") };
    } catch {
      // Not there: the next place.
    }
  }
  return {};
}
