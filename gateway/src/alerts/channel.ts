import {
  alertChannelSchema,
  type AlertChannelDocument,
  type AlertKind,
} from "@turnpike/contract/alerts.ts";

import { invalidRequest } from "#canonical/failure.ts";
import type { MasterKey } from "#privacy/master-key.ts";
import type { AlertChannelRow } from "#store/alerts.ts";

/** What is sealed: addresses of Slack are secrets themselves. */
export interface ChannelSecrets {
  readonly url?: string;
  /** Of webhooks: the newest first; the one before it signs along until it is dropped. */
  readonly signing?: readonly string[];
}

export interface Channel {
  readonly id: string;
  readonly organizationId: string;
  /** Its URL without what may be secret. */
  readonly shown: AlertChannelDocument;
}

/** A channel as it is stored: the document with the URL's origin only, the rest sealed. */
export function sealedChannel(
  id: string,
  document: AlertChannelDocument,
  { master, signing }: { readonly master: MasterKey; readonly signing: readonly string[] },
): Pick<AlertChannelRow, "document" | "secrets"> {
  if (document.kind === "email") {
    return { document: JSON.stringify(document), secrets: seal(master, id, {}) };
  }
  const url = new URL(document.url);
  if (url.username !== "" || url.password !== "") {
    throw invalidRequest("url", "url must not hold a user or password.");
  }
  const secrets = { url: document.url, ...(document.kind === "webhook" && { signing }) };
  const shown = { ...document, url: url.origin };
  return { document: JSON.stringify(shown), secrets: seal(master, id, secrets) };
}

const contextOf = (id: string): string => `alert-channel ${id}`;

const seal = (master: MasterKey, id: string, secrets: ChannelSecrets): Buffer =>
  master.seal(Buffer.from(JSON.stringify(secrets)), contextOf(id));

export const openSecrets = (
  master: MasterKey,
  { id, secrets }: Pick<AlertChannelRow, "id" | "secrets">,
): ChannelSecrets =>
  JSON.parse(master.open(Buffer.from(secrets), contextOf(id)).toString()) as ChannelSecrets;

export const channelOf = (row: AlertChannelRow): Channel => ({
  id: row.id,
  organizationId: row.organization_id,
  shown: alertChannelSchema.parse(JSON.parse(row.document)),
});

/** Whether a channel is told of such events. */
export const isToldOf = ({ events }: AlertChannelDocument, kind: AlertKind): boolean =>
  kind === "test" || events === undefined || events.includes(kind);
