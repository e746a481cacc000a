import type { Transaction } from "kysely";

import type { Reply, ReplyOf } from "#ledger/commands.ts";
import { ledgerBatch } from "#ledger/ledger-batch.ts";
import type { Ledger } from "#ledger/open-ledger.ts";
import { ledgerWithin as runWithin } from "#store/ledger-within.ts";
import type { CoreTables } from "#store/schema.ts";

/**
 * The ledger as a part of a transaction that is under way, the last part of it: what is booked and
 * what is told of it are there together, or neither.
 */
export const ledgerWithin = (transaction: Transaction<CoreTables>): Pick<Ledger, "run"> => ({
  run: async (command) => {
    const [reply] = await runWithin<readonly Reply[]>(transaction, ledgerBatch([command]));
    return reply as ReplyOf<typeof command>;
  },
});
