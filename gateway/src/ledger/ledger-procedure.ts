import { ledgerBatch } from "#ledger/ledger-batch.ts";
import { sqliteLedger } from "#store/ledger-sqlite.ts";

/** What the ledger does on SQLite's thread. */
export const procedure = sqliteLedger(ledgerBatch);
