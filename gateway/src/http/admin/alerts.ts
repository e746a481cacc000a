import {
  alertChannelList,
  alertChannelListQuery,
  alertChannelParams,
  alertChannelView,
  alertDeliveries,
  alertTestSchema,
  newAlertChannelSchema,
} from "@turnpike/contract/api/alert-channels.ts";
import { deletedSchema, idSchema } from "@turnpike/contract/api/conventions.ts";
import { z } from "zod";

import {
  channelsOf,
  channelView,
  createChannel,
  deliveriesOf,
  getChannel,
  placeOfChannel,
  removeChannel,
  reportLeak,
  rotateSecret,
  testChannel,
  versionOfChannel,
} from "#alerts/manage-channels.ts";
import type { Deed } from "#governance/deed.ts";
import { placeOfKey, placeOfOrganization } from "#governance/places.ts";
import { adminRoute } from "#http/admin/admin-route.ts";
import type { JsonObject } from "#lib/json.ts";

const ofChannel = {
  group: "Alerts",
  params: alertChannelParams,
  place: ({ params, deed }: { params: { alert_channel_id: string }; deed: Deed }) =>
    placeOfChannel(deed, params.alert_channel_id),
} as const;

/** What was made in the form of its schema; the tests check that it is. */
const answer = (body: JsonObject) => ({ body: body as never });

const channelAnswer = (body: JsonObject) => ({ ...answer(body), version: versionOfChannel(body) });

/** Who is told of what happens. */
export const ALERT_ROUTES = [
  adminRoute({
    method: "GET",
    path: "/api/alert-channels",
    group: "Alerts",
    summary: "Lists an organization's alert channels.",
    action: "alerts.read",
    noun: "organization",
    query: alertChannelListQuery,
    response: alertChannelList,
    place: ({ query, deed }) => placeOfOrganization(deed.core, query.organization_id),
    handle: async ({ query, deed }) =>
      answer({ object: "list", data: await channelsOf(deed, query.organization_id) }),
  }),
  adminRoute({
    method: "POST",
    path: "/api/alert-channels",
    group: "Alerts",
    summary:
      "Adds a webhook, a Slack-compatible URL or mail addresses. Shows a webhook's secret once.",
    action: "alerts.write",
    noun: "organization",
    body: newAlertChannelSchema,
    response: alertChannelView,
    status: 201,
    place: ({ body, deed }) => placeOfOrganization(deed.core, body.organization_id),
    handle: async ({ body, deed, parts }) => {
      const { organization_id: organizationId, channel: document } = body;
      return channelAnswer(await createChannel(deed, parts.outbox, { organizationId, document }));
    },
  }),
  adminRoute({
    ...ofChannel,
    method: "GET",
    path: "/api/alert-channels/:alert_channel_id",
    summary: "Shows an alert channel.",
    action: "alerts.read",
    response: alertChannelView,
    handle: async ({ params, deed }) =>
      channelAnswer(channelView(await getChannel(deed, params.alert_channel_id))),
  }),
  adminRoute({
    method: "POST",
    path: "/api/keys/:key_id/report-leak",
    group: "Alerts",
    summary: "Says that a key has leaked: its organization is told. The key goes on to work.",
    action: "keys.write",
    params: z.strictObject({ key_id: idSchema("key_") }),
    response: z.strictObject({ reported: z.boolean().describe("false: it was before.") }),
    place: ({ params, deed }) => placeOfKey(deed.core, params.key_id),
    handle: async ({ params, place, parts }) => {
      const { organizationId } = place;
      return {
        body: { reported: await reportLeak(parts.outbox, { id: params.key_id, organizationId }) },
      };
    },
  }),
  adminRoute({
    ...ofChannel,
    method: "DELETE",
    path: "/api/alert-channels/:alert_channel_id",
    summary: "Removes an alert channel.",
    action: "alerts.write",
    response: deletedSchema,
    handle: async ({ params, deed, expected }) => {
      await removeChannel(deed, params.alert_channel_id, { expected });
      return { body: { id: params.alert_channel_id, deleted: true } };
    },
  }),
  adminRoute({
    ...ofChannel,
    method: "POST",
    path: "/api/alert-channels/:alert_channel_id/test",
    summary: "Sends a test message now and says how that went.",
    action: "alerts.write",
    response: alertTestSchema,
    handle: async ({ params, deed, parts }) =>
      answer(await testChannel(deed, parts.outbox, params.alert_channel_id)),
  }),
  adminRoute({
    ...ofChannel,
    method: "POST",
    path: "/api/alert-channels/:alert_channel_id/rotate",
    summary: "Makes a new signing secret; the old one signs along until the next rotation.",
    action: "alerts.write",
    response: alertChannelView,
    handle: async ({ params, deed, parts }) =>
      channelAnswer(await rotateSecret(deed, parts.outbox, params.alert_channel_id)),
  }),
  adminRoute({
    ...ofChannel,
    method: "GET",
    path: "/api/alert-channels/:alert_channel_id/deliveries",
    summary: "What was sent, what waits and what was given up: the latest hundred.",
    action: "alerts.read",
    response: alertDeliveries,
    handle: async ({ params, deed }) =>
      answer({ object: "list", data: await deliveriesOf(deed, params.alert_channel_id) }),
  }),
];
