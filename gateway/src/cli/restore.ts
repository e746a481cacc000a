import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

import { defineCommand } from "citty";

import { dataFolder, printJson, type CliIo } from "#cli/cli-io.ts";
import { replayErasures } from "#privacy/erase.ts";
import { ERASURE_LIST, readErasureList } from "#privacy/erasure-list.ts";
import { loadMasterKey } from "#privacy/master-key.ts";
import { openErasing } from "#privacy/open-erasing.ts";
import { restore } from "#store/backup/restore.ts";
import { DATABASE_VARIABLE, type Store } from "#store/store.ts";

/** `turnpike restore`: puts a backup in the place of the data. */
export const restoreCommand = (io: CliIo) =>
  defineCommand({
    meta: {
      name: "restore",
      description: "Put a backup in the place of the data; the gateway must be stopped",
    },
    args: {
      folder: { type: "positional", required: true, description: "what `turnpike backup` wrote" },
      json: { type: "boolean", description: "Answer in JSON" },
    },
    run: async ({ args }) => {
      const home = dataFolder(io);
      const { manifest, store } = await restore({
        from: resolve(io.cwd, args.folder),
        home,
        databaseUrl: io.env[DATABASE_VARIABLE],
        now: io.now(),
      });
      try {
        await replayList(io, home, store);
      } finally {
        await store.close();
      }
      const { madeAt, turnpike } = manifest;
      if (args.json === true) return printJson(io, { madeAt, turnpike });
      io.out(`Restored the backup of ${madeAt} (Turnpike ${turnpike}).`);
      const hasKey = existsSync(join(home, "master.key")) || io.env["TURNPIKE_MASTER_KEY"];
      if (!hasKey) io.out(NO_KEY);
      return undefined;
    },
  });

/** What was erased since the backup was made must not come back with it. */
async function replayList(io: CliIo, home: string, store: Store): Promise<void> {
  const list = await readErasureList(join(home, ERASURE_LIST));
  if (list.length === 0) return;
  const master = loadMasterKey(home, io.env["TURNPIKE_MASTER_KEY"]);
  const count = await replayErasures(openErasing({ home, store, master }), list);
  io.out(`Erasures done again: ${count}.`);
}

const NO_KEY =
  "There is no master key here: put the master.key of that time into the data folder, or set TURNPIKE_MASTER_KEY, before the gateway starts.";
