import { chmodSync } from "node:fs";

import {
  migrate,
  stepsBehind,
  type MigrationTarget,
  type Part,
} from "#store/migrations/migrate.ts";
import type { Sqlite } from "#store/sqlite.ts";

/** The file's `user_version` counts the steps done. */
const sqliteTarget = (sqlite: Sqlite): MigrationTarget => ({
  dialect: "sqlite",
  version: async (part) => {
    const { rows } = await sqlite.run(part, { sql: "PRAGMA user_version", parameters: [] });
    return Number(rows[0]?.["user_version"] ?? 0);
  },
  apply: async (part, statements, version) => {
    const id = await sqlite.begin(part);
    try {
      for (const sql of [...statements, `PRAGMA user_version = ${version}`]) {
        await sqlite.run(part, { sql, parameters: [] }, id);
      }
      await sqlite.end(part, id, "COMMIT");
    } catch (error) {
      await sqlite.end(part, id, "ROLLBACK");
      throw error;
    }
  },
});

/**
 * Brings a file up to date. What it held before is kept beside it, as `turnpike.db.v2` for what
 * version 2 wrote: a downgrade starts from there.
 */
export async function migrateFile(sqlite: Sqlite, part: Part, path: string): Promise<void> {
  const target = sqliteTarget(sqlite);
  const version = await target.version(part);
  if (version > 0 && (await stepsBehind(target, part)) > 0) {
    await copyDatabase(sqlite, part, `${path}.v${version}`);
  }
  await migrate(target, part);
}

/**
 * A whole, consistent copy of a file while others go on with it, for its owner alone as the file is;
 * rejects where the copy's file exists.
 */
export async function copyDatabase(sqlite: Sqlite, part: Part, to: string): Promise<void> {
  await sqlite.run(part, { sql: "VACUUM INTO ?", parameters: [to] });
  chmodSync(to, 0o600);
}
