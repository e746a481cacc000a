import type { Kysely } from "kysely";

import type { StoredInvitation } from "#store/invitations.ts";
import type { MemberRow } from "#store/memberships.ts";
import type { PageOf } from "#store/page.ts";
import { withinReach, type Reach } from "#store/reach.ts";
import type { CoreTables } from "#store/schema.ts";
import type { StoredUser } from "#store/users.ts";

type Wanted = PageOf & { readonly reach: Reach };

/** Memberships with the people they are of, by the newest id. */
export function pageOfMembers(
  core: Kysely<CoreTables>,
  { reach, after, limit }: Wanted,
): Promise<readonly MemberRow[]> {
  let query = core
    .selectFrom("memberships")
    .innerJoin("users", "users.id", "memberships.user_id")
    .selectAll("memberships")
    .select(["users.kind", "users.email", "users.name", "users.disabled_at"])
    .where((where) =>
      withinReach(where, reach, {
        organization: "memberships.organization_id",
        team: "memberships.team_id",
      }),
    );
  if (after !== undefined) query = query.where("memberships.id", "<", after);
  return query.orderBy("memberships.id", "desc").limit(limit).execute();
}

/** By the newest id. */
export function pageOfInvitations(
  core: Kysely<CoreTables>,
  { reach, after, limit }: Wanted,
): Promise<readonly StoredInvitation[]> {
  let query = core
    .selectFrom("invitations")
    .selectAll()
    .where((where) =>
      withinReach(where, reach, { organization: "organization_id", team: "team_id" }),
    );
  if (after !== undefined) query = query.where("id", "<", after);
  return query.orderBy("id", "desc").limit(limit).execute();
}

/** Service accounts by the newest id; those of a team lie within reach of the team. */
export function pageOfServiceAccounts(
  core: Kysely<CoreTables>,
  { reach, after, limit }: Wanted,
): Promise<readonly StoredUser[]> {
  let query = core
    .selectFrom("users")
    .innerJoin("memberships", "memberships.user_id", "users.id")
    .selectAll("users")
    .distinct()
    .where("users.kind", "=", "service")
    .where((where) =>
      withinReach(where, reach, {
        organization: "memberships.organization_id",
        team: "memberships.team_id",
      }),
    );
  if (after !== undefined) query = query.where("users.id", "<", after);
  return query.orderBy("users.id", "desc").limit(limit).execute();
}
