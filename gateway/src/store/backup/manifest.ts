import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

import { asObject, asString, parseObject } from "#lib/json.ts";
import { DATABASE_FILES } from "#store/store.ts";

/** What a backup is: written last, so that a folder without one is no backup. */
export interface Manifest {
  readonly turnpike: string;
  readonly madeAt: string;
  readonly from: "sqlite" | "postgres";
  readonly withMasterKey: boolean;
  /** SHA-256 of each file, by its name. */
  readonly files: Readonly<Record<string, string>>;
}

export const MANIFEST_FILE = "backup.json";
export const MASTER_KEY_FILE = "master.key";

export async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

/** Reads a backup's manifest and checks each file against it. Throws in words that name the file. */
export async function checkBackup(folder: string): Promise<Manifest> {
  const manifest = readManifest(folder);
  for (const name of Object.values(DATABASE_FILES)) {
    const expected = manifest.files[name];
    const found = await sha256Of(join(folder, name)).catch(() => undefined);
    if (expected === undefined || found === undefined) throw new Error(`${folder} lacks ${name}.`);
    if (found !== expected)
      throw new Error(`${join(folder, name)} is not what was backed up: its SHA-256 differs.`);
  }
  return manifest;
}

function readManifest(folder: string): Manifest {
  let text: string;
  try {
    text = readFileSync(join(folder, MANIFEST_FILE), "utf8");
  } catch {
    throw new Error(`${folder} is no complete backup: it has no ${MANIFEST_FILE}.`);
  }
  const object = parseObject(text) ?? {};
  return {
    turnpike: asString(object["turnpike"]) ?? "",
    madeAt: asString(object["madeAt"]) ?? "",
    from: object["from"] === "postgres" ? "postgres" : "sqlite",
    withMasterKey: object["withMasterKey"] === true,
    files: asObject(object["files"]) as Record<string, string>,
  };
}
