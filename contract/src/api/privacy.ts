import { z } from "zod";

import { idSchema, timeSchema } from "./conventions.ts";

const endUser = z.string().min(1).max(1_000).describe("The id that requests named as `user`.");
const organization = idSchema("org_").default("org_default");

/** What is to be erased: exactly one kind. */
export const newErasureSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("record"),
    organization_id: organization,
    request_id: z.string().min(1).max(100),
  }),
  z.strictObject({ kind: z.literal("subject"), organization_id: organization, end_user: endUser }),
  z.strictObject({
    kind: z.literal("project"),
    organization_id: organization,
    project_id: idSchema("proj_"),
  }),
  z.strictObject({
    kind: z.literal("range"),
    organization_id: organization,
    project_id: idSchema("proj_").optional(),
    from: timeSchema,
    to: timeSchema,
  }),
  z.strictObject({ kind: z.literal("organization"), organization_id: organization }),
]);
export type NewErasure = z.output<typeof newErasureSchema>;

export const subjectParams = z.strictObject({ id: endUser });
export const subjectQuery = z.strictObject({ organization_id: organization });

/** What was erased, signed by the gateway: `turnpike privacy verify-receipt`. */
export const receiptSchema = z.looseObject({
  document: z.string(),
  erasure_id: z.string(),
  organization_id: z.string(),
  target: z.unknown(),
  requested_at: z.string(),
  completed_at: z.string(),
  counts: z.record(z.string(), z.number()),
  backup_days: z.number(),
  signing_key: z.string(),
  signature: z.string(),
});

export const receiptKeySchema = z.strictObject({
  public_key: z.string().describe("PEM, Ed25519."),
});

export const contentParams = z.strictObject({ request_id: z.string().min(1).max(100) });
export const contentSchema = z.strictObject({
  object: z.literal("content"),
  request_id: z.string(),
  state: z.enum(["kept", "sealed", "content_dropped"]),
  created_at: z.string(),
  expires_at: z.string(),
  request: z.string().nullable().describe("Sealed: base64 for `turnpike content open`."),
  answer: z.string().nullable(),
});
