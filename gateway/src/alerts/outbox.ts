import type { AlertEvent } from "@turnpike/contract/alerts.ts";
import type { Kysely } from "kysely";

import { channelOf, isToldOf, openSecrets } from "#alerts/channel.ts";
import { sendDelivery, type AlertPost } from "#alerts/send-delivery.ts";
import { newId } from "#lib/ids.ts";
import type { MasterKey } from "#privacy/master-key.ts";
import {
  insertAlertEvent,
  leaseDueDeliveries,
  listAlertChannels,
  noteDelivery,
  type DueDelivery,
} from "#store/alerts.ts";
import type { CoreTables } from "#store/schema.ts";

export interface OutboxParts {
  readonly core: Kysely<CoreTables>;
  readonly master: MasterKey;
  readonly post: AlertPost;
  readonly now: () => number;
}

/** Events of the platform's own affairs are for its operator: the people of the default organization. */
const OPERATORS_ONLY: ReadonlySet<string> = new Set(["provider.credential", "ledger.invariant"]);
const OPERATORS = "org_default";

/**
 * Writes an event down with a delivery for each channel that is told of its kind. Resolves with
 * whether it is a new one: of several gateways that see the same, one is first.
 */
export async function noteEvent(
  { core, now }: Pick<OutboxParts, "core" | "now">,
  event: AlertEvent,
): Promise<boolean> {
  const at = now();
  const whose = OPERATORS_ONLY.has(event.kind) ? OPERATORS : event.organizationId;
  const channels = (await listAlertChannels(core, whose)).filter((row) =>
    isToldOf(channelOf(row).shown, event.kind),
  );
  const id = newId("evt_", at);
  const { kind, organizationId, text, facts } = event;
  const data = { text, organization_id: organizationId, ...facts };
  const body = JSON.stringify({ type: kind, timestamp: new Date(at).toISOString(), data });
  const row = {
    id,
    kind,
    organization_id: organizationId,
    once: `${kind} ${organizationId ?? ""} ${event.once}`.slice(0, 500),
    body,
    created_at: at,
  };
  return insertAlertEvent(
    core,
    row,
    channels.map((channel) => deliveryOf(id, channel.id, at)),
  );
}

const deliveryOf = (eventId: string, channelId: string, at: number) => ({
  id: newId("dlv_", at),
  event_id: eventId,
  channel_id: channelId,
  state: "waiting" as const,
  tries: 0,
  next_at: at,
  leased_until: 0,
  fault: null,
  created_at: at,
  ended_at: null,
});

/** Longer than a try takes: where the gateway that has it dies, another one goes on. */
const LEASE_MS = 60_000;
const AT_ONCE = 10;

/** Sends what is due. Resolves with how many were tried. */
export async function sendDue(parts: OutboxParts): Promise<number> {
  const at = parts.now();
  const due = await leaseDueDeliveries(parts.core, {
    now: at,
    until: at + LEASE_MS,
    limit: AT_ONCE,
  });
  await Promise.all(due.map((delivery) => sendOne(parts, delivery)));
  return due.length;
}

async function sendOne(parts: OutboxParts, delivery: DueDelivery): Promise<void> {
  const { core, master, post, now } = parts;
  const { channel_id: id, event_id: eventId, body, document, secrets } = delivery;
  const row = { id, document, secrets, organization_id: "", created_at: 0, archived_at: null };
  const fault = await sendDelivery(post, {
    eventId,
    body,
    channel: channelOf(row),
    secrets: openSecrets(master, row),
  });
  await noteDelivery(core, delivery, afterTry(delivery, { fault, at: now() }));
}

/** After the first try, the second, …; then as the last. With jitter, for all that failed together. */
const PAUSES_MS = [5_000, 30_000, 120_000, 600_000, 1_800_000, 3_600_000];
const GIVE_UP_MS = 24 * 3_600_000;

function afterTry(
  { tries, created_at }: DueDelivery,
  { fault, at }: { readonly fault: string | undefined; readonly at: number },
): Parameters<typeof noteDelivery>[2] {
  const tried = tries + 1;
  if (fault === undefined) {
    return { state: "sent", tries: tried, next_at: at, fault: null, ended_at: at };
  }
  const pause = PAUSES_MS[Math.min(tries, PAUSES_MS.length - 1)] ?? 0;
  const next = at + pause + Math.floor((at % 1_000) * (pause / 10_000));
  return next > created_at + GIVE_UP_MS
    ? { state: "given-up", tries: tried, next_at: next, fault, ended_at: at }
    : { state: "waiting", tries: tried, next_at: next, fault, ended_at: null };
}
