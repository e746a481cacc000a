import { z } from "zod";

import { idSchema, pageQuery, timeSchema } from "./conventions.ts";

export const auditEntrySchema = z.strictObject({
  object: z.literal("audit_entry"),
  seq: z.number().int(),
  id: idSchema("aud_"),
  at: timeSchema,
  organization_id: z.string().nullable(),
  actor: z.strictObject({
    kind: z.string(),
    id: z.string().nullable(),
    name: z.string(),
    via: z
      .string()
      .describe(
        "`session:…`, `admin-key:…` or `cli:cli`; `platform` to others than its operators.",
      ),
  }),
  action: z.string(),
  target: z.strictObject({ kind: z.string(), id: z.string() }),
  before: z.unknown(),
  after: z.unknown(),
  ip: z.string().nullable(),
  request_id: z.string().nullable(),
  previous_hash: z.string(),
  hash: z.string(),
});
export type AuditEntryView = z.output<typeof auditEntrySchema>;

const filters = {
  organization_id: idSchema("org_").optional(),
  actor_id: idSchema("user_").optional(),
  action: z
    .string()
    .regex(
      /^[a-z][a-z.-]{0,63}$/,
      "must be an action such as keys.create, or its beginning with a dot: keys.",
    )
    .optional(),
  target_id: z.string().min(1).max(100).optional(),
  from: timeSchema.optional(),
  until: timeSchema.optional(),
};
export const auditListQuery = z.strictObject({ ...pageQuery, ...filters });
export const auditExportQuery = z.strictObject(filters);
