import { organizationSettingsSchema } from "@turnpike/contract/governance.ts";
import type { Kysely } from "kysely";

import type { CoreTables } from "#store/schema.ts";

/** Organizations that do not keep their records for ever, and for how many days they do. */
export async function retentionsOf(
  core: Kysely<CoreTables>,
): Promise<readonly { readonly organizationId: string; readonly recordDays: number }[]> {
  const rows = await core.selectFrom("organizations").select(["id", "settings"]).execute();
  return rows.flatMap(({ id, settings }) => {
    const { data } = organizationSettingsSchema.safeParse(JSON.parse(settings));
    return data?.recordDays === undefined
      ? []
      : [{ organizationId: id, recordDays: data.recordDays }];
  });
}
