/** One thing that is wrong in a configuration file, and where. */
export interface ConfigFault {
  /** `providers.openai.apiKey`; empty for the file as a whole. */
  readonly path: string;
  readonly line?: number;
  readonly message: string;
}

/** A configuration file that cannot be used; the message names file, line, path and reason of each fault. */
export class ConfigError extends Error {
  readonly faults: readonly ConfigFault[];
  constructor(file: string, faults: readonly ConfigFault[]) {
    super(faults.map((fault) => describe(file, fault)).join("\n"));
    this.name = "ConfigError";
    this.faults = faults;
  }
}

function describe(file: string, { path, line, message }: ConfigFault): string {
  const place = line === undefined ? file : `${file}:${line}`;
  return path === "" ? `${place}: ${message}` : `${place}: ${path}: ${message}`;
}

export type ConfigPath = readonly (string | number)[];

/** `providers.0.apiKey` as people write it: `providers[0].apiKey`. */
export const pathText = (path: ConfigPath): string =>
  path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`))
    .join("")
    .replace(/^\./, "");
