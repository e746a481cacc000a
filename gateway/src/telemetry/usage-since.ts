import type { Kysely } from "kysely";

import { sumUsage, type UsageGroup, type UsageRow } from "#store/request-records.ts";
import type { RecordTables } from "#store/schema.ts";
import { listSums } from "#store/rollup-sums.ts";
import { DAY_MS, dayOf } from "#telemetry/rollup-rows.ts";

/**
 * Sums of the requests since a moment (Unix ms), the dearest first: whole days from the sums that are
 * kept, the rest of the first day from its records.
 */
export async function usageSince(
  records: Kysely<RecordTables>,
  { since, until }: { readonly since: number; readonly until: number },
  by: UsageGroup,
): Promise<readonly UsageRow[]> {
  const firstDay = since === dayOf(since) ? since : dayOf(since) + DAY_MS;
  const [partial, whole] = await Promise.all([
    sumUsage(records, { since, until: Math.min(firstDay, until) }, by),
    listSums(records, { dimension: by, since: firstDay, until }),
  ]);
  const groups = new Map<string, UsageRow>();
  const add = (row: UsageRow): void => {
    const known = groups.get(row.group);
    groups.set(row.group, known === undefined ? row : both(known, row));
  };
  for (const row of partial) add(row);
  for (const row of whole) {
    add({
      group: row.value,
      requests: Number(row.requests),
      failed: Number(row.failed),
      inputTokens: Number(row.input_tokens),
      outputTokens: Number(row.output_tokens),
      costNanoUsd: Number(row.cost_nano_usd),
      unpriced: Number(row.unpriced),
    });
  }
  return [...groups.values()].toSorted((a, b) => b.costNanoUsd - a.costNanoUsd);
}

const both = (a: UsageRow, b: UsageRow): UsageRow => ({
  group: a.group,
  requests: a.requests + b.requests,
  failed: a.failed + b.failed,
  inputTokens: a.inputTokens + b.inputTokens,
  outputTokens: a.outputTokens + b.outputTokens,
  costNanoUsd: a.costNanoUsd + b.costNanoUsd,
  unpriced: a.unpriced + b.unpriced,
});
