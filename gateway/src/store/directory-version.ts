import type { Kysely, Transaction } from "kysely";

import type { CoreTables } from "#store/schema.ts";

/** Grows with every change of who may do what; gateways look at it twice a second. */
export async function directoryVersion(core: Kysely<CoreTables>): Promise<number> {
  const row = await core
    .selectFrom("directory_version")
    .select("version")
    .where("id", "=", 1)
    .executeTakeFirstOrThrow();
  return row.version;
}

/**
 * Changes the directory: `change` writes rows with the version that it is given. The version's row
 * stays locked until the end, so that versions become visible in their order: who has seen one has
 * seen all before it.
 */
export const changeDirectory = <Result>(
  core: Kysely<CoreTables>,
  change: (transaction: Transaction<CoreTables>, version: number) => Promise<Result>,
): Promise<Result> =>
  core.transaction().execute(async (transaction) => {
    const { version } = await transaction
      .updateTable("directory_version")
      .set((row) => ({ version: row("version", "+", 1) }))
      .where("id", "=", 1)
      .returning("version")
      .executeTakeFirstOrThrow();
    return change(transaction, version);
  });
