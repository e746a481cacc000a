import type { Kysely } from "kysely";

import type { Place } from "#governance/permissions.ts";
import { placeOfOrganization, placeOfProject } from "#governance/places.ts";
import { findCredential, type StoredCredential } from "#store/credentials.ts";
import type { CoreTables } from "#store/schema.ts";

type Core = Kysely<CoreTables>;

/** Where a credential lies, for authorization; `undefined`: there is none. */
export async function placeOfCredential(core: Core, id: string): Promise<Place | undefined> {
  const row = await findCredential(core, id);
  return row && placeOf(core, row);
}

/** A project's is its team's business; one of the whole organization is the organization's. */
export async function placeOf(
  core: Core,
  where: Pick<StoredCredential, "organization_id" | "project_id">,
): Promise<Place | undefined> {
  const { organization_id: organizationId, project_id: projectId } = where;
  if (projectId === null) return placeOfOrganization(core, organizationId);
  const place = await placeOfProject(core, projectId);
  return place?.organizationId === organizationId ? place : undefined;
}
