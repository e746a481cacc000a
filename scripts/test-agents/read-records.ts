import { asObject, type JsonObject } from "../../gateway/src/lib/json.ts";
import type { Store } from "../../gateway/src/store/store.ts";

/** What the gateway wrote down of a request. */
export interface RunRecord {
  readonly operation: string;
  readonly protocol: string;
  readonly provider: string | null;
  readonly status: number;
  readonly failure: string | null;
  readonly session: string | null;
  readonly usage: JsonObject;
  readonly estimated: boolean;
  readonly priced: boolean;
  readonly warnings: readonly { readonly field: string; readonly reason: string }[];
}

/** All records of a gateway, in order. */
export async function readRecords(records: Store["records"]): Promise<readonly RunRecord[]> {
  const rows = await records.selectFrom("request_records").selectAll().orderBy("seq").execute();
  return rows.map((row) => ({
    operation: row.operation,
    protocol: row.protocol,
    provider: row.provider,
    status: row.status,
    failure: row.failure,
    session: row.session_id,
    usage: asObject(JSON.parse(row.usage ?? "{}")),
    estimated: row.usage_estimated === 1,
    priced: row.cost_nano_usd !== null,
    warnings: JSON.parse(row.warnings) as RunRecord["warnings"],
  }));
}
