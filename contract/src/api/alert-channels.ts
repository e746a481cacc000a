import { z } from "zod";

import { ALERT_KINDS, alertChannelSchema } from "../alerts.ts";

import { createdAt, idSchema, timeSchema } from "./conventions.ts";

const organization_id = idSchema("org_");

export const newAlertChannelSchema = z.strictObject({
  organization_id,
  channel: alertChannelSchema,
});

export const alertChannelView = z.strictObject({
  object: z.literal("alert_channel"),
  id: idSchema("alc_"),
  organization_id,
  kind: z.enum(["webhook", "slack", "email"]),
  name: z.string(),
  url: z.string().optional().describe("The origin only: the rest may be a secret."),
  to: z.array(z.string()).optional(),
  events: z.array(z.enum(ALERT_KINDS)).optional(),
  secret: z
    .string()
    .optional()
    .describe("whsec_…, which webhooks are signed with; only where it was just made."),
  created_at: createdAt,
});

export const alertChannelParams = z.strictObject({ alert_channel_id: idSchema("alc_") });
export const alertChannelListQuery = z.strictObject({ organization_id });
export const alertChannelList = z.strictObject({
  object: z.literal("list"),
  data: z.array(alertChannelView),
});
export const alertTestSchema = z.strictObject({
  delivered: z.boolean(),
  fault: z.string().nullable(),
});
export const alertDeliveries = z.strictObject({
  object: z.literal("list"),
  data: z.array(
    z.strictObject({
      id: z.string(),
      event_id: z.string().describe("Sent as `webhook-id`; the same at every try."),
      kind: z.string(),
      state: z.enum(["waiting", "sent", "given-up"]),
      tries: z.number(),
      fault: z.string().nullable(),
      created_at: createdAt,
      next_try_at: timeSchema.nullable(),
    }),
  ),
});
