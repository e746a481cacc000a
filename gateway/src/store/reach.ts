import type { ExpressionBuilder, ExpressionWrapper, SqlBool } from "kysely";

import type { CoreTables } from "#store/schema.ts";

/**
 * What of all rows somebody may see: lists and counts are filtered by it in SQL, so that what is out
 * of reach neither shows nor counts.
 */
export type Reach = "all" | Bounds;

interface Bounds extends Area {
  /** Where somebody sees their own things only. */
  readonly own?: Area & { readonly userId: string };
}

interface Area {
  readonly organizationIds: readonly string[];
  readonly teamIds: readonly string[];
}

/** Columns of a query by which reach is told. */
export interface ReachColumns {
  readonly organization: string;
  /** Absent: what lies in no team is only within reach of the organization. */
  readonly team?: string;
  readonly owner?: string;
}

type Condition = ExpressionWrapper<CoreTables, keyof CoreTables, SqlBool>;

/** The condition under which a row is within reach. */
export function withinReach(
  where: ExpressionBuilder<CoreTables, keyof CoreTables>,
  reach: Reach,
  columns: ReachColumns,
): Condition {
  if (reach === "all") return where.lit(true);
  const conditions = inArea(where, reach, columns);
  const { own } = reach;
  if (own !== undefined && columns.owner !== undefined) {
    const mine = where(column(columns.owner), "=", own.userId);
    for (const condition of inArea(where, own, columns)) {
      conditions.push(where.and([mine, condition]));
    }
  }
  return where.or(conditions);
}

/** Column names come from the code of this folder; kysely's types want each table's own. */
const column = (name: string): "organizations.id" => name as "organizations.id";

function inArea(
  where: ExpressionBuilder<CoreTables, keyof CoreTables>,
  { organizationIds, teamIds }: Area,
  { organization, team }: ReachColumns,
): Condition[] {
  const conditions: Condition[] = [];
  if (organizationIds.length > 0) {
    conditions.push(where(column(organization), "in", organizationIds));
  }
  if (team !== undefined && teamIds.length > 0) {
    conditions.push(where(column(team), "in", teamIds));
  }
  return conditions;
}
