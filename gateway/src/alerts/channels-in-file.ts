import type { AlertChannelDocument } from "@turnpike/contract/alerts.ts";
import type { AlertChannelEntry } from "@turnpike/contract/governance-file.ts";

import { channelOf } from "#alerts/channel.ts";
import { changeChannel, createChannel, removeChannel } from "#alerts/manage-channels.ts";
import type { OutboxParts } from "#alerts/outbox.ts";
import { isSame, type ChannelsInFile } from "#governance/applying.ts";
import { listAlertChannels, type AlertChannelRow } from "#store/alerts.ts";

/** A channel as a file says it: of its URL the origin, for the rest may be a secret. */
function entryOf(row: AlertChannelRow): AlertChannelEntry {
  const { name: _name, ...entry } = channelOf(row).shown;
  return entry;
}

const nameOf = (row: AlertChannelRow): string => channelOf(row).shown.name;

/** Alert channels of a file of governance, by name. */
export const channelsInFile = (parts: Pick<OutboxParts, "master">): ChannelsInFile => ({
  read: async ({ core }, organizationId) => {
    const rows = await listAlertChannels(core, organizationId);
    return Object.fromEntries(rows.map((row) => [nameOf(row), entryOf(row)]));
  },
  apply: async ({ deed, prune, step }, { path: parent, organizationId }, entries) => {
    const rows = await listAlertChannels(deed.core, organizationId);
    for (const [name, entry] of Object.entries(entries)) {
      const path = [...parent, "alertChannels", name];
      const before = rows.find((row) => nameOf(row) === name);
      const document: AlertChannelDocument = { name, ...entry };
      if (before === undefined) {
        await step({ path, action: "create" }, () =>
          createChannel(deed, parts, { organizationId, document }),
        );
      } else if (isSame(entryOf(before), entry)) await step({ path, action: "unchanged" });
      else
        await step({ path, action: "update" }, () =>
          changeChannel(deed, parts, { id: before.id, document }),
        );
    }
    if (!prune) return;
    for (const row of rows) {
      const name = nameOf(row);
      if (Object.hasOwn(entries, name)) continue;
      const path = [...parent, "alertChannels", name];
      await step({ path, action: "delete" }, () => removeChannel(deed, row.id));
    }
  },
});
