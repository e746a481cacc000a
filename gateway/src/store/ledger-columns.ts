import type { LedgerRows } from "#store/ledger.ts";

/** Names of the columns. */
export const COLUMNS = {
  ledger_accounts: ["id", "kind", "organization_id", "debits", "credits", "pending", "created_at"],
  ledger_transfers: [
    "id",
    "at",
    "kind",
    "debit_account",
    "credit_account",
    "amount",
    "request_id",
    "organization_id",
    "project_id",
    "memo",
  ],
  budget_counters: [
    "id",
    "budget_id",
    "organization_id",
    "subject",
    "period_start",
    "period_end",
    "used",
    "pending",
    "updated_at",
  ],
  holds: [
    "id",
    "state",
    "organization_id",
    "account_id",
    "amount",
    "tokens",
    "counters",
    "facts",
    "owner",
    "dispatched",
    "delivered_tokens",
    "charged",
    "created_at",
    "deadline",
    "ended_at",
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** Columns that are integers, whichever table they are of: for where values are carried as text. */
export const INTEGERS: ReadonlySet<string> = new Set([
  "debits",
  "credits",
  "pending",
  "created_at",
  "at",
  "amount",
  "period_start",
  "period_end",
  "used",
  "updated_at",
  "tokens",
  "dispatched",
  "delivered_tokens",
  "charged",
  "deadline",
  "ended_at",
]);

export type Table = keyof typeof COLUMNS;

/** What changes in a row that is there already; transfers never do. */
const UPDATED: Readonly<Record<Table, readonly string[]>> = {
  ledger_accounts: ["debits", "credits", "pending"],
  ledger_transfers: [],
  budget_counters: ["used", "pending", "updated_at"],
  holds: ["state", "facts", "delivered_tokens", "charged", "ended_at"],
};

/** In the order in which rows may be written: what others refer to comes first. */
export const TABLES: readonly { readonly table: Table; readonly rows: keyof LedgerRows }[] = [
  { table: "ledger_accounts", rows: "accounts" },
  { table: "ledger_transfers", rows: "transfers" },
  { table: "budget_counters", rows: "counters" },
  { table: "holds", rows: "holds" },
];

/** What follows an INSERT of rows some of which may be there. */
export function onConflict(table: Table): string {
  const updates = UPDATED[table].map((name) => `${name} = excluded.${name}`).join(", ");
  return updates === "" ? "" : ` ON CONFLICT (id) DO UPDATE SET ${updates}`;
}

/** Of transfers it is only asked which there are. */
export const selected = (table: Table): string => (table === "ledger_transfers" ? "id" : "*");

export function byTable<Value>(make: (table: Table) => Value): Readonly<Record<Table, Value>> {
  return Object.fromEntries(TABLES.map(({ table }) => [table, make(table)])) as Record<
    Table,
    Value
  >;
}
