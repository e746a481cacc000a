import { text as readText } from "node:stream/consumers";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";

/** What commands have of the world, so that tests give them another one. */
export interface CliIo {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** The person's home folder, where tools keep their settings. */
  readonly userHome: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Reads standard input to its end; empty where it is a terminal. Absent: there is none. */
  readonly readInput?: () => Promise<string>;
  /** Prints a line of the result. */
  readonly out: (text: string) => void;
  /** Prints a line about the result: progress, warnings, errors. */
  readonly err: (text: string) => void;
}

/** The real world. */
export const systemIo = (): CliIo => ({
  env: process.env,
  cwd: process.cwd(),
  userHome: homedir(),
  now: Date.now,
  readInput: async () => (process.stdin.isTTY ? "" : readText(process.stdin)),
  out: (text) =>
    void process.stdout.write(`${process.stdout.isTTY ? text : stripVTControlCharacters(text)}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
});

/** The data folder: `TURNPIKE_HOME`, else `~/.turnpike`. */
export function dataFolder({ env, cwd, userHome }: CliIo): string {
  const named = env["TURNPIKE_HOME"];
  return named === undefined || named === ""
    ? join(userHome, ".turnpike")
    : resolve(cwd, named.replace(/^~(?=\/|$)/, userHome));
}

/**
 * How this command line is started, to be printed in hints. `-s`, for npm's own lines would be part
 * of what `eval` or `jq` read.
 */
export function ownCommand({ env }: Pick<CliIo, "env">): string {
  const script = env["npm_lifecycle_event"];
  if (script === undefined) return "turnpike";
  return script === "npx" ? "npx turnpike" : "npm run -s turnpike --";
}

/** What went wrong in words for the person at the terminal: one line, no stack. */
export class CliError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CliError";
  }
}

/** The value as JSON for other programs. */
export const printJson = (io: CliIo, value: unknown): void =>
  io.out(
    JSON.stringify(
      value,
      (_key, item: unknown) => (typeof item === "bigint" ? Number(item) : item),
      2,
    ),
  );

/** Rows in columns; the first row is the heading. Columns named in `right` are set to the right. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  const cell = (text: string, column: number): string =>
    right.includes(column) ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0);
  return rows.map((row) => row.map(cell).join("  ").trimEnd()).join("\n");
}
