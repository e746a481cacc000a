import { readFile } from "node:fs/promises";

import { isObject, parseObject } from "#lib/json.ts";
import type { ErasureRow } from "#store/erasures.ts";

/** Where erasures are noted beside the database: what a restored backup has to be told again. */
export const ERASURE_LIST = "erasures.jsonl";

/** Reads such a list; a missing file is an empty one. A line that was cut by a crash is none. */
export async function readErasureList(path: string): Promise<readonly ErasureRow[]> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  return text.split("\n").flatMap((line) => {
    const row = parseObject(line);
    return row !== undefined && isObject(parseObject(String(row["target"])))
      ? [row as unknown as ErasureRow]
      : [];
  });
}
