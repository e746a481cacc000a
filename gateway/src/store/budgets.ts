import type { Kysely } from "kysely";

import type { PageOf } from "#store/page.ts";
import { withinReach, type Reach } from "#store/reach.ts";
import type { CoreTables } from "#store/schema.ts";

type Row = CoreTables["budgets"];
export type StoredBudget = Readonly<Row>;

export const insertBudget = (core: Kysely<CoreTables>, row: StoredBudget): Promise<unknown> =>
  core.insertInto("budgets").values(row).execute();

export const updateBudget = (
  core: Kysely<CoreTables>,
  id: string,
  change: Partial<Row> & { readonly version: number },
): Promise<unknown> => core.updateTable("budgets").set(change).where("id", "=", id).execute();

export const findBudget = (
  core: Kysely<CoreTables>,
  id: string,
): Promise<StoredBudget | undefined> =>
  core.selectFrom("budgets").selectAll().where("id", "=", id).executeTakeFirst();

/** Whether a target has a budget in force by that name. */
export async function hasBudgetNamed(
  core: Kysely<CoreTables>,
  budget: Pick<Row, "level" | "target_id" | "name">,
  except = "",
): Promise<boolean> {
  const row = await core
    .selectFrom("budgets")
    .select("id")
    .where("level", "=", budget.level)
    .where("target_id", "=", budget.target_id)
    .where("name", "=", budget.name)
    .where("archived_at", "is", null)
    .where("id", "<>", except)
    .executeTakeFirst();
  return row !== undefined;
}

interface Wanted extends PageOf {
  readonly reach: Reach;
  readonly archived: boolean;
  readonly level?: Row["level"] | undefined;
  readonly targetId?: string | undefined;
}

/**
 * By the newest id. Budgets of organizations and teams are the organization's business; those of
 * projects and keys are seen by their team, too.
 */
export function listBudgets(
  core: Kysely<CoreTables>,
  { reach, archived, level, targetId, after, limit }: Wanted,
): Promise<readonly StoredBudget[]> {
  let query = core
    .selectFrom("budgets")
    .leftJoin("keys", "keys.id", "budgets.target_id")
    .leftJoin("projects", (join) =>
      join.on((where) =>
        where.or([
          where("projects.id", "=", where.ref("budgets.target_id")),
          where("projects.id", "=", where.ref("keys.project_id")),
        ]),
      ),
    )
    .selectAll("budgets")
    .where((where) =>
      withinReach(where, reach, {
        organization: "budgets.organization_id",
        team: "projects.team_id",
      }),
    );
  if (!archived) query = query.where("budgets.archived_at", "is", null);
  if (level !== undefined) query = query.where("budgets.level", "=", level);
  if (targetId !== undefined) query = query.where("budgets.target_id", "=", targetId);
  if (after !== undefined) query = query.where("budgets.id", "<", after);
  return query.orderBy("budgets.id", "desc").limit(limit).execute();
}
