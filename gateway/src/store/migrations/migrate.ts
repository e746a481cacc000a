import { CORE_STEPS } from "#store/migrations/core-steps.ts";
import { RECORD_STEPS } from "#store/migrations/record-steps.ts";
import { forPostgres, forSqlite, type Step } from "#store/migrations/step.ts";

/** The two halves of the store. */
export type Part = "core" | "records";

const STEPS: Readonly<Record<Part, readonly Step[]>> = { core: CORE_STEPS, records: RECORD_STEPS };

/** What a migration needs of a database. */
export interface MigrationTarget {
  readonly dialect: "sqlite" | "postgres";
  /** How many steps it has; 0: an empty one. */
  version(part: Part): Promise<number>;
  /** Does the statements and notes the version, all or nothing. */
  apply(part: Part, statements: readonly string[], version: number): Promise<void>;
}

/** How far a schema is behind; 0: up to date. Rejects one that a newer Turnpike has written. */
export async function stepsBehind(target: MigrationTarget, part: Part): Promise<number> {
  const version = await target.version(part);
  const known = STEPS[part].length;
  if (version > known) {
    throw new Error(
      `The data in "${part}" was written by a newer Turnpike (schema ${version}, this one knows ${known}). Run that version, or restore a backup.`,
    );
  }
  return known - version;
}

/** Brings a schema up to date, a step at a time. Steps only add: gateways of the version before go on meanwhile. */
export async function migrate(target: MigrationTarget, part: Part): Promise<void> {
  const behind = await stepsBehind(target, part);
  const steps = STEPS[part];
  const translate = target.dialect === "sqlite" ? forSqlite : forPostgres;
  for (let at = steps.length - behind; at < steps.length; at++) {
    await target.apply(part, (steps[at] ?? []).map(translate), at + 1);
  }
}
