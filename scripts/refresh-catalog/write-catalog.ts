import { renameSync, writeFileSync } from "node:fs";
import type { CatalogData } from "../../gateway/src/catalog/types.ts";

/** JSON with a model or endpoint a line, so that a refresh reads well as a diff. */
function catalogText(data: CatalogData): string {
  const lines = (rows: readonly unknown[]): string =>
    rows.map((row) => `    ${JSON.stringify(row)}`).join(",\n");
  return `{
  "schema": ${data.schema},
  "asOf": ${JSON.stringify(data.asOf)},
  "sources": [
${lines(data.sources)}
  ],
  "models": [
${lines(data.models)}
  ],
  "endpoints": [
${lines(data.endpoints)}
  ]
}
`;
}

/** Writes beside the file and renames, so that a reader sees the old file or the new one. */
export function writeCatalog(file: string, data: CatalogData): void {
  const temporary = `${file}.new`;
  writeFileSync(temporary, catalogText(data));
  renameSync(temporary, file);
}
