import { sql, type Kysely } from "kysely";

import type { CoreTables } from "#store/schema.ts";

export type AlertChannelRow = CoreTables["alert_channels"];
export type AlertEventRow = CoreTables["alert_events"];
export type AlertDeliveryRow = CoreTables["alert_deliveries"];

type Core = Kysely<CoreTables>;

export const insertAlertChannel = async (core: Core, row: AlertChannelRow): Promise<void> =>
  void (await core.insertInto("alert_channels").values(row).execute());

export const findAlertChannel = (core: Core, id: string): Promise<AlertChannelRow | undefined> =>
  core
    .selectFrom("alert_channels")
    .selectAll()
    .where("id", "=", id)
    .where("archived_at", "is", null)
    .executeTakeFirst();

export async function updateAlertChannel(
  core: Core,
  id: string,
  change: Partial<Pick<AlertChannelRow, "document" | "secrets" | "archived_at">>,
): Promise<void> {
  await core.updateTable("alert_channels").set(change).where("id", "=", id).execute();
}

/** Channels that are in use; `null`: of every organization, for events of the platform. */
export function listAlertChannels(
  core: Core,
  organizationId: string | null,
): Promise<readonly AlertChannelRow[]> {
  const query = core.selectFrom("alert_channels").selectAll().where("archived_at", "is", null);
  return (organizationId === null ? query : query.where("organization_id", "=", organizationId))
    .orderBy("id")
    .execute();
}

/**
 * Notes an event with what is to be sent for it; resolves with whether it is a new one. Both are
 * there or neither.
 */
export const insertAlertEvent = (
  core: Core,
  event: AlertEventRow,
  deliveries: readonly AlertDeliveryRow[],
): Promise<boolean> =>
  core.transaction().execute(async (transaction) => {
    const { numInsertedOrUpdatedRows } = await transaction
      .insertInto("alert_events")
      .values(event)
      .onConflict((conflict) => conflict.column("once").doNothing())
      .executeTakeFirstOrThrow();
    if (Number(numInsertedOrUpdatedRows ?? 0) === 0) return false;
    if (deliveries.length > 0) {
      await transaction
        .insertInto("alert_deliveries")
        .values([...deliveries])
        .execute();
    }
    return true;
  });

export interface DueDelivery extends AlertDeliveryRow {
  readonly body: string;
  readonly document: string;
  readonly secrets: Uint8Array;
}

/**
 * Takes deliveries that are due, for so long that one try is over by then: whoever takes them alone
 * sends them, and where that gateway dies another one does after the lease.
 */
export async function leaseDueDeliveries(
  core: Core,
  { now, until, limit }: { readonly now: number; readonly until: number; readonly limit: number },
): Promise<readonly DueDelivery[]> {
  const due = core
    .selectFrom("alert_deliveries")
    .select("id")
    .where("state", "=", "waiting")
    .where("next_at", "<=", now)
    .where("leased_until", "<=", now)
    .orderBy("next_at")
    .limit(limit);
  const leased = await core
    .updateTable("alert_deliveries")
    .set({ leased_until: until })
    .where("id", "in", due)
    // Of two gateways at once the second finds the row changed, and looks again.
    .where("leased_until", "<=", now)
    .where("state", "=", "waiting")
    .returning("id")
    .execute();
  if (leased.length === 0) return [];
  return core
    .selectFrom("alert_deliveries")
    .innerJoin("alert_events", "alert_events.id", "alert_deliveries.event_id")
    .innerJoin("alert_channels", "alert_channels.id", "alert_deliveries.channel_id")
    .selectAll("alert_deliveries")
    .select(["alert_events.body", "alert_channels.document", "alert_channels.secrets"])
    .where(
      "alert_deliveries.id",
      "in",
      leased.map(({ id }) => id),
    )
    .execute();
}

/** How a try ended. Only of whoever holds the lease: a late one changes nothing. */
export async function noteDelivery(
  core: Core,
  { id, leased_until }: Pick<AlertDeliveryRow, "id" | "leased_until">,
  change: Pick<AlertDeliveryRow, "state" | "tries" | "next_at" | "fault" | "ended_at">,
): Promise<void> {
  await core
    .updateTable("alert_deliveries")
    .set({ ...change, leased_until: 0 })
    .where("id", "=", id)
    .where("leased_until", "=", leased_until)
    .execute();
}

/** What was sent to a channel and what was not, the newest first. */
export const listDeliveries = (
  core: Core,
  channelId: string,
  limit: number,
): Promise<readonly (AlertDeliveryRow & { readonly kind: string })[]> =>
  core
    .selectFrom("alert_deliveries")
    .innerJoin("alert_events", "alert_events.id", "alert_deliveries.event_id")
    .selectAll("alert_deliveries")
    .select("alert_events.kind")
    .where("channel_id", "=", channelId)
    .orderBy("alert_deliveries.created_at", "desc")
    .limit(limit)
    .execute();

/** Events and deliveries of long ago; an event's name may then come again. */
export async function deleteOldAlerts(core: Core, before: number): Promise<void> {
  const old = core.selectFrom("alert_events").select("id").where("created_at", "<", before);
  await core.deleteFrom("alert_deliveries").where("event_id", "in", old).execute();
  await core
    .deleteFrom("alert_events")
    .where(sql<boolean>`created_at < ${before}`)
    .execute();
}

/** Keys in use that expire within a time. */
export async function listExpiringKeys(
  core: Core,
  { from, until }: { readonly from: number; readonly until: number },
): Promise<
  readonly { id: string; name: string; hint: string; organization_id: string; expires_at: number }[]
> {
  const rows = await core
    .selectFrom("keys")
    .select(["id", "name", "hint", "organization_id", "expires_at"])
    .where("expires_at", ">", from)
    .where("expires_at", "<=", until)
    .where("revoked_at", "is", null)
    .where("disabled_at", "is", null)
    .limit(1_000)
    .execute();
  return rows.map((row) => ({ ...row, expires_at: row.expires_at ?? until }));
}
