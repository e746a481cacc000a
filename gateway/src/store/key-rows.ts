import { sql, type Kysely } from "kysely";

import { escapeLike, type PageOf } from "#store/page.ts";
import { withinReach, type Reach } from "#store/reach.ts";
import type { CoreTables } from "#store/schema.ts";

type Row = CoreTables["keys"];
/** A key as the admin API sees it: with its version, and with the team of its project. */
export type KeyRow = Readonly<Row>;

export const insertKeyRow = (core: Kysely<CoreTables>, row: KeyRow): Promise<unknown> =>
  core.insertInto("keys").values(row).execute();

export const updateKeyRow = (
  core: Kysely<CoreTables>,
  id: string,
  change: Partial<Row> & { readonly version: number },
): Promise<unknown> => core.updateTable("keys").set(change).where("id", "=", id).execute();

export const findKeyRow = (core: Kysely<CoreTables>, id: string): Promise<KeyRow | undefined> =>
  core.selectFrom("keys").selectAll().where("id", "=", id).executeTakeFirst();

/** Does the same to the earlier secrets of a key that was rotated. */
export const endEarlierSecrets = (
  core: Kysely<CoreTables>,
  id: string,
  change: Pick<Row, "revoked_at" | "version">,
): Promise<unknown> =>
  core
    .updateTable("keys")
    .set(change)
    .where("replaced_by", "=", id)
    .where("revoked_at", "is", null)
    .execute();

/** Keys in force of a project by that name: names are unique among them. */
export async function hasActiveName(
  core: Kysely<CoreTables>,
  {
    projectId,
    name,
    except,
  }: { readonly projectId: string; readonly name: string; readonly except?: string },
): Promise<boolean> {
  let query = core
    .selectFrom("keys")
    .select("id")
    .where("project_id", "=", projectId)
    .where("name", "=", name)
    .where("revoked_at", "is", null)
    .where("replaced_by", "is", null);
  if (except !== undefined) query = query.where("id", "<>", except);
  return (await query.limit(1).executeTakeFirst()) !== undefined;
}

interface Wanted extends PageOf {
  readonly reach: Reach;
  readonly projectId?: string | undefined;
  readonly teamId?: string | undefined;
  readonly ownerId?: string | undefined;
  readonly name?: string | undefined;
  /** Part of the name. */
  readonly search?: string | undefined;
  /** Revoked ones, too. */
  readonly revoked: boolean;
}

/** By the newest id. Earlier secrets of rotated keys are no keys of their own. */
export function listKeyRows(
  core: Kysely<CoreTables>,
  { reach, revoked, after, limit, ...wanted }: Wanted,
): Promise<readonly KeyRow[]> {
  let query = core
    .selectFrom("keys")
    .innerJoin("projects", "projects.id", "keys.project_id")
    .selectAll("keys")
    .where("keys.replaced_by", "is", null)
    .where((where) =>
      withinReach(where, reach, {
        organization: "keys.organization_id",
        team: "projects.team_id",
        owner: "keys.owner_id",
      }),
    );
  const { projectId, teamId, ownerId, name, search } = wanted;
  if (name !== undefined) query = query.where("keys.name", "=", name);
  if (projectId !== undefined) query = query.where("keys.project_id", "=", projectId);
  if (teamId !== undefined) query = query.where("projects.team_id", "=", teamId);
  if (ownerId !== undefined) query = query.where("keys.owner_id", "=", ownerId);
  if (search !== undefined) {
    const pattern = `%${escapeLike(search.toLowerCase())}%`;
    query = query.where(sql<boolean>`lower(keys.name) LIKE ${pattern} ESCAPE '!'`);
  }
  if (!revoked) query = query.where("keys.revoked_at", "is", null);
  if (after !== undefined) query = query.where("keys.id", "<", after);
  return query.orderBy("keys.id", "desc").limit(limit).execute();
}
