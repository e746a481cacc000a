import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";

import type { CatalogData } from "./types.ts";

const BUILT_IN = new URL("data/catalog.json", import.meta.url);

/**
 * The catalogue that comes with the gateway. It was checked when it was made, and is by the tests:
 * checking it at every start would double the memory of one.
 */
export const builtInCatalog = (): CatalogData =>
  JSON.parse(readFileSync(BUILT_IN, "utf8")) as CatalogData;

/** Reads and checks a catalogue file of the operator. Rejects with the file and the place in it. */
export async function readCatalogFile(file: string): Promise<CatalogData> {
  const { CatalogError, parseCatalog } = await import("./parse-catalog.ts");
  try {
    return parseCatalog(JSON.parse(await readFile(file, "utf8")));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CatalogError(`catalogue ${file} is refused:\n${reason}`, { cause: error });
  }
}
