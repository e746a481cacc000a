import { applyCommands } from "#ledger/apply-commands.ts";
import type { Command, Reply } from "#ledger/commands.ts";
import { addRows, changedRows, NamedRows } from "#ledger/ledger-rows.ts";
import { emptyState } from "#ledger/ledger-state.ts";
import type { LedgerWork } from "#store/ledger.ts";

/** Does commands in one transaction: loads the rows that they name, and those that the holds among them name. */
export function* ledgerBatch(commands: readonly Command[]): LedgerWork<readonly Reply[]> {
  const named = new NamedRows();
  for (const command of commands) named.add(command);
  const state = emptyState();
  const ids = named.ids();
  addRows(state, ids, yield ids);
  const held = new NamedRows();
  for (const hold of state.holds.values()) if (hold.state === "open") held.addHold(hold);
  const more = held.beyond(named);
  if (more !== undefined) addRows(state, more, yield more);
  const result = applyCommands(state, commands);
  return { rows: changedRows(state), result };
}
