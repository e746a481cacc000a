import type { Kysely } from "kysely";

import type { PageOf } from "#store/page.ts";
import { withinReach, type Reach } from "#store/reach.ts";
import type { CoreTables } from "#store/schema.ts";

type Row = CoreTables["price_overrides"];
export type StoredPriceOverride = Readonly<Row>;

export const insertPriceOverride = (
  core: Kysely<CoreTables>,
  row: StoredPriceOverride,
): Promise<unknown> => core.insertInto("price_overrides").values(row).execute();

export const updatePriceOverride = (
  core: Kysely<CoreTables>,
  id: string,
  change: Partial<Row> & { readonly version: number },
): Promise<unknown> =>
  core.updateTable("price_overrides").set(change).where("id", "=", id).execute();

export const findPriceOverride = (
  core: Kysely<CoreTables>,
  id: string,
): Promise<StoredPriceOverride | undefined> =>
  core.selectFrom("price_overrides").selectAll().where("id", "=", id).executeTakeFirst();

/** Those in force, by the newest id. */
export function listPriceOverrides(
  core: Kysely<CoreTables>,
  { reach, after, limit }: PageOf & { readonly reach: Reach },
): Promise<readonly StoredPriceOverride[]> {
  let query = core
    .selectFrom("price_overrides")
    .selectAll()
    .where("archived_at", "is", null)
    .where((where) => withinReach(where, reach, { organization: "organization_id" }));
  if (after !== undefined) query = query.where("id", "<", after);
  return query.orderBy("id", "desc").limit(limit).execute();
}

/** All of an organization that are in force, by id. */
export const priceOverridesOf = (
  core: Kysely<CoreTables>,
  organizationId: string,
): Promise<readonly StoredPriceOverride[]> =>
  core
    .selectFrom("price_overrides")
    .selectAll()
    .where("organization_id", "=", organizationId)
    .where("archived_at", "is", null)
    .orderBy("id")
    .execute();
