import type { Kysely } from "kysely";

import type { PageOf } from "#store/page.ts";
import { withinReach, type Reach } from "#store/reach.ts";
import type { CoreTables } from "#store/schema.ts";

type Row = CoreTables["teams"];
export type StoredTeam = Readonly<Row>;

export const insertTeam = (core: Kysely<CoreTables>, row: StoredTeam): Promise<unknown> =>
  core.insertInto("teams").values(row).execute();

export const updateTeam = (
  core: Kysely<CoreTables>,
  id: string,
  change: Partial<Row> & { readonly version: number },
): Promise<unknown> => core.updateTable("teams").set(change).where("id", "=", id).execute();

export const findTeam = (core: Kysely<CoreTables>, id: string): Promise<StoredTeam | undefined> =>
  core.selectFrom("teams").selectAll().where("id", "=", id).executeTakeFirst();

interface Wanted extends PageOf {
  readonly reach: Reach;
  readonly archived: boolean;
}

/** By the newest id. */
export function listTeams(
  core: Kysely<CoreTables>,
  { reach, archived, after, limit }: Wanted,
): Promise<readonly StoredTeam[]> {
  let query = core
    .selectFrom("teams")
    .selectAll()
    .where((where) => withinReach(where, reach, { organization: "organization_id", team: "id" }));
  if (!archived) query = query.where("archived_at", "is", null);
  if (after !== undefined) query = query.where("id", "<", after);
  return query.orderBy("id", "desc").limit(limit).execute();
}
