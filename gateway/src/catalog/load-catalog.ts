import { readFileSync } from "node:fs";
import { type Catalog, buildCatalog } from "./catalog.ts";
import type { CatalogData } from "./types.ts";
import { CatalogError, parseCatalog, parseCatalogOverride } from "./parse-catalog.ts";

/** Where `current` is replaced as a whole, so that a reader never sees half a catalogue. */
export interface CatalogHolder {
  current: Catalog;
}

export interface LoadCatalogOptions {
  /** The operator's file of more models and endpoints, JSON; its rows replace built-in ones. */
  readonly overrideFile?: string;
  /** Another catalogue in place of the built-in one. */
  readonly catalogFile?: string;
}

const BUILT_IN = new URL("data/catalog.json", import.meta.url);

/** Reads and checks the catalogue's data. @throws CatalogError with the file and the place in it */
export function loadCatalogData(file: string | URL = BUILT_IN): CatalogData {
  return inFile(file, () => parseCatalog(readJson(file)));
}

/** Reads and checks the catalogue. @throws CatalogError with the file and the place in it */
export function loadCatalog(options: LoadCatalogOptions = {}): Catalog {
  const file = options.catalogFile ?? BUILT_IN;
  const data = loadCatalogData(file);
  const { overrideFile } = options;
  if (overrideFile === undefined) return buildCatalog(data);
  return inFile(overrideFile, () =>
    buildCatalog(data, parseCatalogOverride(readJson(overrideFile), data)),
  );
}

const readJson = (file: string | URL): unknown => JSON.parse(readFileSync(file, "utf8"));

function inFile<T>(file: string | URL, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CatalogError(`catalogue ${String(file)} is refused:\n${reason}`, { cause: error });
  }
}
