import type { Kysely } from "kysely";

import { wrapContext } from "#privacy/envelope.ts";
import type { MasterKey } from "#privacy/master-key.ts";
import { listOrganizationKeys, rewrapKey } from "#store/encryption-keys.ts";
import type { CoreTables } from "#store/schema.ts";

/**
 * Puts the organizations' keys under the master key's newest secret; nothing else has to be written
 * anew. Resolves with how many it changed; can be repeated after it was interrupted.
 */
export async function rewrapOrganizationKeys(
  core: Kysely<CoreTables>,
  master: Pick<MasterKey, "seal" | "open" | "id">,
): Promise<number> {
  const rows = await listOrganizationKeys(core);
  const stale = rows.filter((row) => row.wrapped_by !== master.id);
  for (const row of stale) {
    const context = wrapContext(row);
    const wrapped = master.seal(master.open(Buffer.from(row.wrapped), context), context);
    await rewrapKey(core, row.id, { wrapped, wrapped_by: master.id });
  }
  return stale.length;
}
