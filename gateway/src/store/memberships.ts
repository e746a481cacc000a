import type { Kysely } from "kysely";

import type { CoreTables } from "#store/schema.ts";

type Row = CoreTables["memberships"];
export type StoredMembership = Readonly<Row>;

export const insertMembership = (
  core: Kysely<CoreTables>,
  membership: StoredMembership,
): Promise<unknown> => core.insertInto("memberships").values(membership).execute();

export const findMembership = (
  core: Kysely<CoreTables>,
  id: string,
): Promise<StoredMembership | undefined> =>
  core.selectFrom("memberships").selectAll().where("id", "=", id).executeTakeFirst();

export const updateMembership = (
  core: Kysely<CoreTables>,
  id: string,
  change: Pick<Row, "role" | "source" | "version">,
): Promise<unknown> => core.updateTable("memberships").set(change).where("id", "=", id).execute();

export const deleteMembership = (core: Kysely<CoreTables>, id: string): Promise<unknown> =>
  core.deleteFrom("memberships").where("id", "=", id).execute();

/** All of a user, those of disabled organizations too. */
export const membershipsOf = (
  core: Kysely<CoreTables>,
  userId: string,
): Promise<readonly StoredMembership[]> =>
  core.selectFrom("memberships").selectAll().where("user_id", "=", userId).orderBy("id").execute();

/** Those that count: not of disabled organizations, not of archived teams. */
export const activeMembershipsOf = (
  core: Kysely<CoreTables>,
  userId: string,
): Promise<readonly StoredMembership[]> =>
  core
    .selectFrom("memberships")
    .innerJoin("organizations", "organizations.id", "memberships.organization_id")
    .leftJoin("teams", "teams.id", "memberships.team_id")
    .selectAll("memberships")
    .where("memberships.user_id", "=", userId)
    .where("organizations.disabled_at", "is", null)
    .where("teams.archived_at", "is", null)
    .orderBy("memberships.id")
    .execute();

/** People who own the organization as a whole and can sign in; service accounts do not count. */
export async function countOwners(
  core: Kysely<CoreTables>,
  organizationId: string,
): Promise<number> {
  const rows = await core
    .selectFrom("memberships")
    .innerJoin("users", "users.id", "memberships.user_id")
    .select("memberships.id")
    .where("memberships.organization_id", "=", organizationId)
    .where("memberships.team_id", "is", null)
    .where("memberships.role", "=", "owner")
    .where("users.kind", "=", "person")
    .where("users.disabled_at", "is", null)
    .execute();
  return rows.length;
}

export type MemberRow = StoredMembership & {
  readonly kind: "person" | "service";
  readonly email: string | null;
  readonly name: string;
  readonly disabled_at: number | null;
};

/** Of some users, those who run the platform, each with the organizations that they are members of. */
export async function platformAdminsOf(
  core: Kysely<CoreTables>,
  userIds: readonly string[],
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  if (userIds.length === 0) return new Map();
  const rows = await core
    .selectFrom("users")
    .leftJoin("memberships", "memberships.user_id", "users.id")
    .select(["users.id", "memberships.organization_id"])
    .where("users.id", "in", userIds)
    .where("users.is_platform_admin", "=", 1)
    .execute();
  const found = new Map<string, Set<string>>();
  for (const { id, organization_id } of rows) {
    const organizations = found.get(id) ?? new Set();
    if (organization_id !== null) organizations.add(organization_id);
    found.set(id, organizations);
  }
  return found;
}
