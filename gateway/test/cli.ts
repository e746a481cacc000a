import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { CliIo } from "#cli/cli-io.ts";
import { runCli } from "#cli/run.ts";

/** A command line in a world of its own: empty environment, temporary home, output kept. */
export interface TestCli {
  readonly io: CliIo;
  /** What comes from standard input. */
  readonly typed: { text: string };
  readonly folder: string;
  readonly out: string[];
  readonly err: string[];
  /** Runs a command; gives what it printed. Throws when it fails. */
  run(...args: string[]): Promise<string>;
  /** Runs a command that has to fail; gives what it says. */
  fails(...args: string[]): Promise<string>;
  remove(): void;
}

export function createTestCli(env: NodeJS.ProcessEnv = {}): TestCli {
  const folder = mkdtempSync(join(tmpdir(), "turnpike-cli-"));
  const out: string[] = [];
  const err: string[] = [];
  const typed = { text: "" };
  const io: CliIo = {
    env: { TURNPIKE_HOME: join(folder, "data"), ...env },
    cwd: folder,
    userHome: folder,
    now: Date.now,
    readInput: async () => typed.text,
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
  };
  const run = async (args: readonly string[]): Promise<number> => {
    out.length = 0;
    err.length = 0;
    return runCli(args, io);
  };
  return {
    io,
    typed,
    folder,
    out,
    err,
    async run(...args) {
      const code = await run(args);
      if (code !== 0) throw new Error(`exit code ${code}: ${err.join("\n")}`);
      return out.join("\n");
    },
    async fails(...args) {
      const code = await run(args);
      if (code === 0) throw new Error(`did not fail: ${out.join("\n")}`);
      return err.join("\n");
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
