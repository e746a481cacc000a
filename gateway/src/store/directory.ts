import type { Kysely } from "kysely";

import { directoryVersion } from "#store/directory-version.ts";
import { keyOfRow, type StoredKey } from "#store/keys.ts";
import type { CoreTables } from "#store/schema.ts";

/** Everything of the directory that was written after a version. Nothing is ever removed from it. */
export interface DirectoryRows {
  /** All changes up to this one are in it. */
  readonly version: number;
  readonly keys: readonly StoredKey[];
  readonly organizations: readonly CoreTables["organizations"][];
  readonly teams: readonly CoreTables["teams"][];
  readonly projects: readonly CoreTables["projects"][];
  readonly policies: readonly CoreTables["policies"][];
  readonly budgets: readonly CoreTables["budgets"][];
  readonly priceOverrides: readonly CoreTables["price_overrides"][];
  /** People and service accounts; only whether they are in force. */
  readonly users: readonly Pick<CoreTables["users"], "id" | "disabled_at">[];
}

/** A change within the reading is read again; somebody who never stops must not starve it. */
const MAX_READINGS = 5;

/**
 * Reads what changed after `after`, as it was at one moment: a key must not be seen without the policy
 * that was written with it.
 */
export async function readDirectory(
  core: Kysely<CoreTables>,
  after: number,
): Promise<DirectoryRows> {
  let version = await directoryVersion(core);
  for (let reading = 1; ; reading++) {
    const rows = await readRows(core, after);
    const now = await directoryVersion(core);
    if (now === version || reading === MAX_READINGS) return { ...rows, version };
    version = now;
  }
}

async function readRows(
  core: Kysely<CoreTables>,
  after: number,
): Promise<Omit<DirectoryRows, "version">> {
  // Keys first: who sees a key sees what bounds it, however many readings there were.
  const keys = await readKeys(core, after);
  const [organizations, teams, projects, policies, budgets, priceOverrides, users] =
    await Promise.all([
      core.selectFrom("organizations").selectAll().where("version", ">", after).execute(),
      core.selectFrom("teams").selectAll().where("version", ">", after).execute(),
      core.selectFrom("projects").selectAll().where("version", ">", after).execute(),
      core.selectFrom("policies").selectAll().where("version", ">", after).execute(),
      core.selectFrom("budgets").selectAll().where("version", ">", after).execute(),
      core.selectFrom("price_overrides").selectAll().where("version", ">", after).execute(),
      core.selectFrom("users").select(["id", "disabled_at"]).where("version", ">", after).execute(),
    ]);
  return { keys, organizations, teams, projects, policies, budgets, priceOverrides, users };
}

/** Keys are many: read by the piece, so that nothing else waits long for the store. */
const PAGE = 10_000;

async function readKeys(core: Kysely<CoreTables>, after: number): Promise<readonly StoredKey[]> {
  const keys: StoredKey[] = [];
  let last = { version: after + 1, id: "" };
  for (;;) {
    const { version, id } = last;
    const rows = await core
      .selectFrom("keys")
      .selectAll()
      .where((where) => where(where.refTuple("version", "id"), ">", where.tuple(version, id)))
      .orderBy("version")
      .orderBy("id")
      .limit(PAGE)
      .execute();
    for (const row of rows) keys.push(keyOfRow(row));
    const end = rows.at(-1);
    if (end === undefined || rows.length < PAGE) return keys;
    last = end;
  }
}
