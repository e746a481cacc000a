import type { Kysely } from "kysely";

import type { PageOf } from "#store/page.ts";
import { withinReach, type Reach } from "#store/reach.ts";
import type { CoreTables } from "#store/schema.ts";

type Row = CoreTables["policies"];
export type StoredPolicy = Readonly<Row>;
type Target = Pick<Row, "level" | "target_id">;

/** Of a target, a deleted one, too: there is one row a target. */
export const findPolicyOf = (
  core: Kysely<CoreTables>,
  { level, target_id: targetId }: Target,
): Promise<StoredPolicy | undefined> =>
  core
    .selectFrom("policies")
    .selectAll()
    .where("level", "=", level)
    .where("target_id", "=", targetId)
    .executeTakeFirst();

export const insertPolicy = (core: Kysely<CoreTables>, row: StoredPolicy): Promise<unknown> =>
  core.insertInto("policies").values(row).execute();

export const updatePolicy = (
  core: Kysely<CoreTables>,
  id: string,
  change: Partial<Row> & { readonly version: number },
): Promise<unknown> => core.updateTable("policies").set(change).where("id", "=", id).execute();

/**
 * By the newest id. Policies of organizations and teams are the organization's business; those of
 * projects and keys are seen by their team, too.
 */
export function listPolicies(
  core: Kysely<CoreTables>,
  { reach, after, limit }: PageOf & { readonly reach: Reach },
): Promise<readonly StoredPolicy[]> {
  let query = core
    .selectFrom("policies")
    .leftJoin("keys", "keys.id", "policies.target_id")
    .leftJoin("projects", (join) =>
      join.on((where) =>
        where.or([
          where("projects.id", "=", where.ref("policies.target_id")),
          where("projects.id", "=", where.ref("keys.project_id")),
        ]),
      ),
    )
    .selectAll("policies")
    .where("policies.deleted_at", "is", null)
    .where((where) =>
      withinReach(where, reach, {
        organization: "policies.organization_id",
        team: "projects.team_id",
      }),
    );
  if (after !== undefined) query = query.where("policies.id", "<", after);
  return query.orderBy("policies.id", "desc").limit(limit).execute();
}
