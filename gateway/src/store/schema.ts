import type { AlertTables } from "#store/tables/alert-tables.ts";
import type { GovernanceTables } from "#store/tables/governance-tables.ts";
import type { LedgerTables } from "#store/tables/ledger-tables.ts";
import type { OperationsTables } from "#store/tables/operations-tables.ts";
import type { PaymentTables } from "#store/tables/payment-tables.ts";
import type { PrivacyTables } from "#store/tables/privacy-tables.ts";

export type { RecordTables } from "#store/tables/record-tables.ts";

/**
 * What must survive a power failure: `turnpike.db`, synchronous FULL. All times are Unix
 * milliseconds, all money is nano-USD, all flags are 0 or 1: both databases store these alike.
 */
export type CoreTables = GovernanceTables &
  LedgerTables &
  PrivacyTables &
  OperationsTables &
  PaymentTables &
  AlertTables;
