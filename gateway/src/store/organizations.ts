import type { Kysely } from "kysely";

import type { PageOf } from "#store/page.ts";
import type { CoreTables } from "#store/schema.ts";

type Row = CoreTables["organizations"];
export type StoredOrganization = Readonly<Row>;

export const insertOrganization = (
  core: Kysely<CoreTables>,
  row: StoredOrganization,
): Promise<unknown> => core.insertInto("organizations").values(row).execute();

export const updateOrganization = (
  core: Kysely<CoreTables>,
  id: string,
  change: Partial<Row> & { readonly version: number },
): Promise<unknown> => core.updateTable("organizations").set(change).where("id", "=", id).execute();

export const findOrganization = (
  core: Kysely<CoreTables>,
  id: string,
): Promise<StoredOrganization | undefined> =>
  core.selectFrom("organizations").selectAll().where("id", "=", id).executeTakeFirst();

/** By the newest id; `ids` absent: all that there are. */
export function listOrganizations(
  core: Kysely<CoreTables>,
  { ids, after, limit }: PageOf & { readonly ids?: readonly string[] },
): Promise<readonly StoredOrganization[]> {
  if (ids?.length === 0) return Promise.resolve([]);
  let query = core.selectFrom("organizations").selectAll();
  if (ids !== undefined) query = query.where("id", "in", ids);
  if (after !== undefined) query = query.where("id", "<", after);
  return query.orderBy("id", "desc").limit(limit).execute();
}
