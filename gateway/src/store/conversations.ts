import { sql, type Kysely } from "kysely";

import { LOG_COLUMNS, type LogCursor, type LogRow } from "#store/request-log.ts";
import type { RecordTables } from "#store/schema.ts";

export interface Conversation {
  /** `undefined`: of any organization. */
  readonly organizationId?: string | undefined;
  readonly conversation: string;
}

const requestsOf = (
  records: Kysely<RecordTables>,
  { organizationId, conversation }: Conversation,
) => {
  const query = records.selectFrom("request_records").where("conversation", "=", conversation);
  return organizationId === undefined ? query : query.where("organization_id", "=", organizationId);
};

/** Requests of a conversation, oldest first. */
export async function listConversation(
  records: Kysely<RecordTables>,
  of: Conversation,
  { after, limit }: { readonly after?: LogCursor | undefined; readonly limit: number },
): Promise<readonly LogRow[]> {
  let query = requestsOf(records, of).select(LOG_COLUMNS);
  if (after !== undefined) {
    const { startedAt, id } = after;
    query = query
      .where("started_at", ">=", startedAt)
      .where(sql<boolean>`(started_at > ${startedAt} or id > ${id})`);
  }
  return query.orderBy("started_at").orderBy("id").limit(limit).execute();
}

export interface ConversationSums {
  readonly requests: number;
  readonly failed: number;
  readonly tool_loop: number;
  readonly began: number;
  readonly ended: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_tokens: number;
  readonly charge_nano_usd: number | bigint;
  readonly cost_nano_usd: number | bigint;
  readonly cache_saved_nano_usd: number | bigint;
}

const sum = (column: string, name: keyof ConversationSums) =>
  sql<number>`coalesce(sum(${sql.ref(column)}), 0)`.as(name);

export const sumConversation = (
  records: Kysely<RecordTables>,
  of: Conversation,
): Promise<ConversationSums> =>
  requestsOf(records, of)
    .select(({ fn }) => [
      fn.countAll<number>().as("requests"),
      sql<number>`coalesce(sum(case when failure is null then 0 else 1 end), 0)`.as("failed"),
      sum("in_tool_loop", "tool_loop"),
      sql<number>`coalesce(min(started_at), 0)`.as("began"),
      sql<number>`coalesce(max(started_at), 0)`.as("ended"),
      sum("input_tokens", "input_tokens"),
      sum("output_tokens", "output_tokens"),
      sum("cache_read_tokens", "cache_read_tokens"),
      sum("charge_nano_usd", "charge_nano_usd"),
      sum("cost_nano_usd", "cost_nano_usd"),
      sum("cache_saved_nano_usd", "cache_saved_nano_usd"),
    ])
    .executeTakeFirstOrThrow();
