import { defineCommand } from "citty";

import { CliError, dataFolder, printJson, type CliIo } from "#cli/cli-io.ts";
import { migrateDatabase } from "#store/migrate-database.ts";
import { DATABASE_VARIABLE, openStore } from "#store/store.ts";

/** `turnpike migrate`: brings the schema of the database up to date. */
export const migrateCommand = (io: CliIo) =>
  defineCommand({
    meta: { name: "migrate", description: "Bring the database's schema up to date" },
    args: { json: { type: "boolean", description: "Answer in JSON" } },
    run: async ({ args }) => {
      const url = io.env[DATABASE_VARIABLE];
      if (url === undefined || url === "") {
        // Opening a data folder does it, and keeps a copy of what was there.
        await (await openStore({ home: dataFolder(io) })).close();
        if (args.json === true) return printJson(io, { upToDate: true });
        return io.out("The data folder is up to date; gateways see to that at their start.");
      }
      const done = await migrateDatabase(url).catch((error: unknown) => {
        throw new CliError(`the database was not migrated: ${(error as Error).message}`, {
          cause: error,
        });
      });
      if (args.json === true) return printJson(io, done);
      const steps = done.core + done.records;
      return io.out(
        steps === 0
          ? "The database is up to date."
          : `Did ${steps} steps; the database is up to date.`,
      );
    },
  });
