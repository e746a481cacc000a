import type { AlertEvent } from "@turnpike/contract/alerts.ts";
import type { Kysely } from "kysely";

import { listExpiringKeys } from "#store/alerts.ts";
import type { CoreTables } from "#store/schema.ts";

const DAY_MS = 86_400_000;
/** Told a week before, and on the last day. */
const NOTICES_DAYS = [7, 1] as const;

/** Keys that expire soon, each once a notice. */
export async function expiringKeys(
  core: Kysely<CoreTables>,
  now: number,
): Promise<readonly AlertEvent[]> {
  const rows = await listExpiringKeys(core, { from: now, until: now + NOTICES_DAYS[0] * DAY_MS });
  return rows.map(({ id, name, hint, organization_id, expires_at }) => {
    const days = (expires_at - now) / DAY_MS;
    const notice = NOTICES_DAYS.findLast((limit) => days <= limit) ?? NOTICES_DAYS[0];
    const at = new Date(expires_at).toISOString();
    return {
      kind: "key.expiring",
      organizationId: organization_id,
      once: `${id} ${expires_at} ${notice}`,
      text: `The key "${name}" (${hint}) expires at ${at}.`,
      facts: { key_id: id, hint, expires_at: at },
    };
  });
}
