import { existsSync, unwatchFile, watchFile } from "node:fs";

import { readCatalogFile } from "#catalog/load-catalog.ts";
import type { CatalogData } from "#catalog/types.ts";

export interface WatchCatalogOptions {
  /** Given each version that can be used; `undefined` when the file is gone. */
  readonly onChange: (data: CatalogData | undefined) => void;
  /** Told why a file is refused. */
  readonly onError: (message: string) => void;
  readonly intervalMs?: number;
}

const INTERVAL_MS = 5_000;

/**
 * Uses the operator's catalogue file as soon as there is one, and each later version of it. A
 * broken file is refused as a whole. Resolves when the file that is there now was read.
 */
export async function watchCatalog(
  file: string,
  { onChange, onError, intervalMs = INTERVAL_MS }: WatchCatalogOptions,
): Promise<() => void> {
  let wasThere = false;
  const look = async (): Promise<void> => {
    if (!existsSync(file)) {
      if (wasThere) onChange(undefined);
      wasThere = false;
      return;
    }
    wasThere = true;
    try {
      onChange(await readCatalogFile(file));
    } catch (error) {
      onError(reasonOf(error));
    }
  };
  await look();
  const listener = (): void => void look();
  watchFile(file, { persistent: false, interval: intervalMs }, listener);
  return () => unwatchFile(file, listener);
}

/** The reader's error names the file and has the reason as its cause. */
function reasonOf(error: unknown): string {
  const reason = error instanceof Error ? (error.cause ?? error) : error;
  return reason instanceof Error ? reason.message : String(reason);
}
