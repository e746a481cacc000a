import type { Kysely } from "kysely";

import type { PageOf } from "#store/page.ts";
import { withinReach, type Reach } from "#store/reach.ts";
import type { CoreTables } from "#store/schema.ts";

type Row = CoreTables["projects"];
export type StoredProject = Readonly<Row>;

export const insertProject = (core: Kysely<CoreTables>, row: StoredProject): Promise<unknown> =>
  core.insertInto("projects").values(row).execute();

export const updateProject = (
  core: Kysely<CoreTables>,
  id: string,
  change: Partial<Row> & { readonly version: number },
): Promise<unknown> => core.updateTable("projects").set(change).where("id", "=", id).execute();

export const findProject = (
  core: Kysely<CoreTables>,
  id: string,
): Promise<StoredProject | undefined> =>
  core.selectFrom("projects").selectAll().where("id", "=", id).executeTakeFirst();

interface Wanted extends PageOf {
  readonly reach: Reach;
  readonly archived: boolean;
  readonly teamId?: string | undefined;
}

/** By the newest id. */
export function listProjects(
  core: Kysely<CoreTables>,
  { reach, archived, teamId, after, limit }: Wanted,
): Promise<readonly StoredProject[]> {
  let query = core
    .selectFrom("projects")
    .selectAll()
    .where((where) =>
      withinReach(where, reach, { organization: "organization_id", team: "team_id" }),
    );
  if (!archived) query = query.where("archived_at", "is", null);
  if (teamId !== undefined) query = query.where("team_id", "=", teamId);
  if (after !== undefined) query = query.where("id", "<", after);
  return query.orderBy("id", "desc").limit(limit).execute();
}
