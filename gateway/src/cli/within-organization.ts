import { getOrganization } from "#governance/organizations.ts";
import type { Deed } from "#governance/deed.ts";
import type { Reach } from "#governance/reach.ts";

/** Option of a list that has all organizations unless one is named. */
export const onlyOrganization = {
  type: "string",
  description: "Only those of this organization, org_…; all by default",
} as const;

/** What the option reaches. Throws `not_found` for an organization that there is not. */
export async function reachOfOption(deed: Deed, organization: string | undefined): Promise<Reach> {
  if (organization === undefined) return "all";
  const { id } = await getOrganization(deed, organization);
  return { organizationIds: [id], teamIds: [] };
}
