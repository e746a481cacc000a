import type { Kysely } from "kysely";

import type { CoreTables } from "#store/schema.ts";

export interface FoundPlace {
  readonly organizationId: string;
  readonly teamId: string | null;
}

/** An organization by slug or id, and a team of it by name or id, where both are in use. */
export async function findPlaceByName(
  core: Kysely<CoreTables>,
  organization: string,
  team: string | undefined,
): Promise<FoundPlace | undefined> {
  const found = await core
    .selectFrom("organizations")
    .select("id")
    .where((row) => row.or([row("slug", "=", organization), row("id", "=", organization)]))
    .where("disabled_at", "is", null)
    .executeTakeFirst();
  if (found === undefined) return undefined;
  if (team === undefined) return { organizationId: found.id, teamId: null };
  const foundTeam = await core
    .selectFrom("teams")
    .select("id")
    .where("organization_id", "=", found.id)
    .where((row) => row.or([row("name", "=", team), row("id", "=", team)]))
    .where("archived_at", "is", null)
    .executeTakeFirst();
  return foundTeam === undefined ? undefined : { organizationId: found.id, teamId: foundTeam.id };
}
