import { createHash } from "node:crypto";

import { alertChannelSchema, type AlertChannelDocument } from "@turnpike/contract/alerts.ts";

import { channelOf, openSecrets, sealedChannel } from "#alerts/channel.ts";
import { noteEvent, type OutboxParts } from "#alerts/outbox.ts";
import { sendDelivery } from "#alerts/send-delivery.ts";
import { newWebhookSecret } from "#lib/sign-webhook.ts";
import { GatewayError } from "#canonical/failure.ts";
import { changeAudited } from "#governance/audit.ts";
import { checkVersion, found, uniquely, type Versioned } from "#governance/checks.ts";
import type { Deed } from "#governance/deed.ts";
import type { Place } from "#governance/permissions.ts";
import { canonicalJson } from "#lib/canonical-json.ts";
import { newId } from "#lib/ids.ts";
import type { JsonObject } from "#lib/json.ts";
import {
  findAlertChannel,
  insertAlertChannel,
  listAlertChannels,
  listDeliveries,
  updateAlertChannel,
  type AlertChannelRow,
} from "#store/alerts.ts";

/** An organization has no more. */
const MAX_CHANNELS = 20;

/** A channel as the API shows it: of its URL the origin only. */
export const channelView = (row: AlertChannelRow): JsonObject => ({
  object: "alert_channel",
  id: row.id,
  organization_id: row.organization_id,
  ...channelOf(row).shown,
  created_at: new Date(row.created_at).toISOString(),
});

export async function placeOfChannel(deed: Deed, id: string): Promise<Place | undefined> {
  const row = await findAlertChannel(deed.core, id);
  return row && { organizationId: row.organization_id };
}

export const channelsOf = async (deed: Deed, organizationId: string): Promise<JsonObject[]> =>
  (await listAlertChannels(deed.core, organizationId)).map(channelView);

export const getChannel = async ({ core }: Deed, id: string): Promise<AlertChannelRow> =>
  found(await findAlertChannel(core, id), "alert channel");

/** Adds a channel. Its signing secret is in this answer and in no other. */
export async function createChannel(
  deed: Deed,
  parts: Pick<OutboxParts, "master">,
  given: { readonly organizationId: string; readonly document: AlertChannelDocument },
): Promise<JsonObject> {
  const { organizationId, document } = given;
  const id = newId("alc_", deed.now);
  const secret = newWebhookSecret();
  const sealed = sealedChannel(id, document, { master: parts.master, signing: [secret] });
  const row: AlertChannelRow = {
    id,
    organization_id: organizationId,
    ...sealed,
    created_at: deed.now,
    archived_at: null,
  };
  const inserted = audited(deed, { row, what: "create" }, async (core) => {
    await checkRoom(core, organizationId);
    await insertAlertChannel(core, row);
  });
  const taken = `The organization has an alert channel "${document.name}" already. Remove it first, or choose another name.`;
  await uniquely("channel.name", taken, inserted);
  return document.kind === "webhook" ? { ...channelView(row), secret } : channelView(row);
}

async function checkRoom(core: Deed["core"], organizationId: string): Promise<void> {
  if ((await listAlertChannels(core, organizationId)).length < MAX_CHANNELS) return;
  throw new GatewayError({
    code: "conflict",
    message: `An organization has at most ${MAX_CHANNELS} alert channels. Remove one first.`,
  });
}

/** A new signing secret; messages are signed with the old one, too, until the next rotation. */
export async function rotateSecret(
  deed: Deed,
  { master }: Pick<OutboxParts, "master">,
  id: string,
): Promise<JsonObject> {
  const row = await getChannel(deed, id);
  const secrets = openSecrets(master, row);
  const { shown } = channelOf(row);
  if (shown.kind !== "webhook" || secrets.url === undefined) {
    throw new GatewayError({ code: "conflict", message: "Only webhooks have a signing secret." });
  }
  const secret = newWebhookSecret();
  const signing = [secret, ...(secrets.signing ?? []).slice(0, 1)];
  const document = alertChannelSchema.parse({ ...shown, url: secrets.url });
  const sealed = sealedChannel(id, document, { master, signing });
  await audited(deed, { row, what: "rotate" }, (core) => updateAlertChannel(core, id, sealed));
  return { ...channelView(row), secret };
}

/**
 * Changes what a channel is. A URL that is only the origin of the one that there is keeps that one;
 * so does its signing secret. Throws `not_found`.
 */
export async function changeChannel(
  deed: Deed,
  { master }: Pick<OutboxParts, "master">,
  { id, document }: { readonly id: string; readonly document: AlertChannelDocument },
): Promise<void> {
  const row = await getChannel(deed, id);
  const { url, signing = [newWebhookSecret()] } = openSecrets(master, row);
  const { shown } = channelOf(row);
  const isKept = "url" in document && "url" in shown && document.url === shown.url;
  const wanted = isKept && url !== undefined ? { ...document, url } : document;
  const sealed = sealedChannel(id, wanted, { master, signing });
  await audited(deed, { row: { ...row, ...sealed }, what: "update" }, (core) =>
    updateAlertChannel(core, id, sealed),
  );
}

/** A channel has no number of its version: what is shown of it makes one, a new secret does not. */
export function versionOfChannel({ secret: _secret, ...view }: JsonObject): number {
  const digest = createHash("sha256").update(canonicalJson(view)).digest();
  return digest.readUIntBE(0, 6);
}

/** Removes a channel. Throws `not_found`, `precondition_failed`. */
export async function removeChannel(
  deed: Deed,
  id: string,
  { expected }: Versioned = {},
): Promise<void> {
  const row = await getChannel(deed, id);
  checkVersion({ version: versionOfChannel(channelView(row)) }, expected);
  await audited(deed, { row, what: "delete" }, (core) =>
    updateAlertChannel(core, id, { archived_at: deed.now }),
  );
}

/** Sends a test message now and says how that went; it is not tried again. */
export async function testChannel(deed: Deed, parts: OutboxParts, id: string): Promise<JsonObject> {
  const row = await getChannel(deed, id);
  const eventId = newId("evt_", deed.now);
  const data = {
    text: "This is a test of Turnpike's alerts.",
    organization_id: row.organization_id,
  };
  const body = JSON.stringify({ type: "test", timestamp: new Date(deed.now).toISOString(), data });
  const fault = await sendDelivery(parts.post, {
    eventId,
    body,
    channel: channelOf(row),
    secrets: openSecrets(parts.master, row),
  });
  return { delivered: fault === undefined, fault: fault ?? null };
}

const SHOWN_DELIVERIES = 100;

/** What was sent to a channel, what waits and what was given up, the newest first. */
export async function deliveriesOf(deed: Deed, id: string): Promise<JsonObject[]> {
  await getChannel(deed, id);
  const rows = await listDeliveries(deed.core, id, SHOWN_DELIVERIES);
  return rows.map((row) => ({
    id: row.id,
    event_id: row.event_id,
    kind: row.kind,
    state: row.state,
    tries: row.tries,
    fault: row.fault,
    created_at: new Date(row.created_at).toISOString(),
    next_try_at: row.state === "waiting" ? new Date(row.next_at).toISOString() : null,
  }));
}

/** Somebody says that a key has leaked: its organization is told once. */
export const reportLeak = (
  parts: OutboxParts,
  { id, organizationId }: { readonly id: string; readonly organizationId: string | null },
): Promise<boolean> =>
  noteEvent(parts, {
    kind: "key.leaked",
    organizationId,
    once: id,
    text: `The key ${id} was reported as leaked. Rotate it.`,
    facts: { key_id: id },
  });

function audited(
  deed: Deed,
  { row, what }: { readonly row: AlertChannelRow; readonly what: string },
  change: (core: Deed["core"]) => Promise<void>,
): Promise<void> {
  const { name, kind, events } = channelOf(row).shown;
  return changeAudited(deed, async ({ transaction, audit }) => {
    await change(transaction);
    await audit({
      action: `alerts.${what}`,
      target: { kind: "alert", id: row.id },
      organizationId: row.organization_id,
      [what === "delete" ? "before" : "after"]: { name, kind, events: events ?? [] },
    });
  });
}
