import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

import { CliError, dataFolder, type CliIo } from "#cli/cli-io.ts";
import type { Config } from "#config/read-config.ts";

/** `turnpike.yaml` where it is: as named, in the current folder, else in the data folder. */
export function findConfigFile(io: CliIo, named?: string): string {
  if (named !== undefined) {
    const file = resolve(io.cwd, named);
    if (!existsSync(file)) throw new CliError(`there is no file ${file}.`);
    return file;
  }
  const here = join(io.cwd, "turnpike.yaml");
  return existsSync(here) ? here : join(dataFolder(io), "turnpike.yaml");
}

/** The checked file; `undefined` where there is none. Rejects with `ConfigError`. */
export async function readConfigAt(io: CliIo, file: string): Promise<Config | undefined> {
  if (!existsSync(file)) return undefined;
  // Only now: parser and schema are much to load for nothing.
  const { readConfigFile } = await import("#config/read-config.ts");
  return readConfigFile(file, io.env);
}
