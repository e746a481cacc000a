import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

import { CliError, dataFolder, type CliIo } from "#cli/cli-io.ts";
import type { Config } from "#config/read-config.ts";
import { openConfig } from "#market/market-config.ts";

/** Where `turnpike.yaml` may be: as named, else in the current folder, else in the data folder. */
export function configPlaces(io: CliIo, named?: string): readonly string[] {
  if (named === undefined) {
    return [...new Set([io.cwd, dataFolder(io)])].map((folder) => join(folder, "turnpike.yaml"));
  }
  const file = resolve(io.cwd, named);
  if (!existsSync(file)) throw new CliError(`there is no file ${file}.`);
  return [file];
}

/** The checked settings; `undefined` where there is no file. Rejects with `ConfigError`. */
export async function readConfig(io: CliIo, named?: string): Promise<Config | undefined> {
  return (await openConfig(configPlaces(io, named), io.env))?.config;
}
