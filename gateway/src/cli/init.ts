import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

import { defineCommand } from "citty";

import { CliError, printJson, type CliIo } from "#cli/cli-io.ts";
import { CONFIG_TEMPLATE } from "#cli/config-template.ts";

/** `turnpike init`: a settings file to start from. */
export const initCommand = (io: CliIo) =>
  defineCommand({
    meta: { name: "init", description: "Write a commented turnpike.yaml" },
    args: {
      path: { type: "string", description: "Where to", default: "turnpike.yaml" },
      force: { type: "boolean", description: "Overwrite a file that is there" },
      json: { type: "boolean", description: "Answer in JSON" },
    },
    run: ({ args }) => {
      const file = resolve(io.cwd, args.path);
      if (existsSync(file) && args.force !== true) {
        throw new CliError(`${file} is there already. --force overwrites it.`);
      }
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, CONFIG_TEMPLATE);
      if (args.json === true) printJson(io, { file });
      else
        io.out(
          `Wrote ${file}. Everything in it is optional; changes apply while the gateway runs.`,
        );
    },
  });
