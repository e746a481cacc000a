import { sql } from "kysely";

import type { Store } from "#store/store.ts";

/** Steps of a payment that write, each by what tells its statement from others. */
export const WRITING_STEPS = {
  claim: { table: "payments", on: "INSERT", when: "1 = 1" },
  use: {
    table: "payments",
    on: "UPDATE",
    when: "NEW.request_id IS NOT NULL AND OLD.request_id IS NULL",
  },
  deposit: { table: "ledger_transfers", on: "INSERT", when: "NEW.kind = 'deposit'" },
  hold: { table: "holds", on: "INSERT", when: "1 = 1" },
  settle: { table: "ledger_transfers", on: "INSERT", when: "NEW.kind = 'charge'" },
} as const;

export type WritingStep = keyof typeof WRITING_STEPS;

/** Makes a database fail at one step as if its disk were full; resolves with what repairs it. */
export async function failAt(
  { core, dialect }: Pick<Store, "core"> & { readonly dialect: "sqlite" | "postgres" },
  step: WritingStep,
): Promise<() => Promise<void>> {
  const { table, on, when } = WRITING_STEPS[step];
  const run = (statement: string): Promise<unknown> => sql.raw(statement).execute(core);
  if (dialect === "sqlite") {
    await run(
      `CREATE TRIGGER test_fault BEFORE ${on} ON ${table} WHEN ${when} BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`,
    );
    return async () => void (await run("DROP TRIGGER test_fault"));
  }
  await run(
    "CREATE OR REPLACE FUNCTION test_fault() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'disk full' USING ERRCODE = '53100'; END $$ LANGUAGE plpgsql",
  );
  await run(
    `CREATE TRIGGER test_fault BEFORE ${on} ON ${table} FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION test_fault()`,
  );
  return async () => void (await run(`DROP TRIGGER test_fault ON ${table}`));
}
