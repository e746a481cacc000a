import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

import { defineCommand } from "citty";

import { CliError, dataFolder, printJson, type CliIo } from "#cli/cli-io.ts";
import { withStore } from "#cli/with-store.ts";
import { backUp } from "#store/backup/back-up.ts";

/** `turnpike backup`: a copy of all data while the gateway runs. */
export const backupCommand = (io: CliIo) =>
  defineCommand({
    meta: { name: "backup", description: "Copy all data into a new folder; the gateway may run" },
    args: {
      folder: {
        type: "positional",
        required: true,
        description: "a folder that is empty or not there",
      },
      "with-key": { type: "boolean", description: "Put master.key into it as well" },
      json: { type: "boolean", description: "Answer in JSON" },
    },
    run: async ({ args }) => {
      const folder = resolve(io.cwd, args.folder);
      const masterKeyFile = join(dataFolder(io), "master.key");
      const withKey = args["with-key"] === true;
      if (withKey && !existsSync(masterKeyFile)) throw new CliError(NO_KEY_FILE);
      const manifest = await withStore(io, (store) =>
        backUp(store, { folder, now: io.now(), ...(withKey && { masterKeyFile }) }),
      );
      if (args.json === true) return printJson(io, { folder, ...manifest });
      io.out(`Wrote ${folder}: ${Object.keys(manifest.files).join(", ")}.`);
      if (!withKey) io.out(KEY_APART);
      return undefined;
    },
  });

const NO_KEY_FILE =
  "there is no master.key in the data folder: TURNPIKE_MASTER_KEY holds the secret.";

const KEY_APART =
  "The master key is not in it, and without it keys and encrypted data are of no use: keep master.key or TURNPIKE_MASTER_KEY in another place.";
