import { existsSync, unwatchFile, watchFile } from "node:fs";

import { readCatalogFile } from "#catalog/load-catalog.ts";
import type { CatalogData } from "#catalog/types.ts";

export interface WatchCatalogOptions {
  readonly onChange: (data: CatalogData) => void;
  /** Told why a file is refused. */
  readonly onError: (message: string) => void;
}

const INTERVAL_MS = 5_000;

/**
 * Uses the operator's catalogue file as soon as there is one, and each later version of it. A
 * broken file is refused as a whole. Resolves when the file that is there now was read.
 */
export async function watchCatalog(
  file: string,
  options: WatchCatalogOptions,
): Promise<() => void> {
  const look = async (): Promise<void> => {
    if (!existsSync(file)) return;
    try {
      options.onChange(await readCatalogFile(file));
    } catch (error) {
      options.onError(error instanceof Error ? error.message : String(error));
    }
  };
  await look();
  const listener = (): void => void look();
  watchFile(file, { persistent: false, interval: INTERVAL_MS }, listener);
  return () => unwatchFile(file, listener);
}
