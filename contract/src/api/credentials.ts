import { z } from "zod";

import { nameSchema } from "../governance.ts";

import { createdAt, idSchema, pageQuery, timeSchema } from "./conventions.ts";

const MAX_POSITION = 1_000_000;
const MAX_SECRET = 10_000;
const MAX_URL = 500;
const MAX_KEYS = 200;

const positionSchema = z
  .number()
  .int()
  .min(0)
  .max(MAX_POSITION)
  .describe("Lower ones are tried first; equal ones share the traffic.");

const keysSchema = z
  .array(idSchema("key_"))
  .min(1)
  .max(MAX_KEYS)
  .nullable()
  .describe("Keys that may use it; null: all of the organization or project.");

const secretSchema = z
  .string()
  .min(1)
  .max(MAX_SECRET)
  .describe("The provider's key. It is sealed, and never shown again.");

const baseUrlSchema = z
  .string()
  .max(MAX_URL)
  .nullable()
  .describe("https, a host of the internet; null: where the gateway reaches the provider.");

const variablesSchema = z
  .record(z.string().max(60), z.string().max(200))
  .describe("What the provider's address needs: region, resource, …");

/** What a test of a credential found. */
export const CREDENTIAL_OUTCOMES = [
  "valid",
  "refused",
  "no-credit",
  "rate-limited",
  "unclear",
  "unreachable",
  "untestable",
] as const;

const testSchema = z.strictObject({
  at: timeSchema,
  outcome: z.enum(CREDENTIAL_OUTCOMES),
  detail: z.string(),
});

export const credentialSchema = z.strictObject({
  object: z.literal("credential"),
  id: idSchema("cred_"),
  organization_id: idSchema("org_"),
  project_id: idSchema("proj_").nullable().describe("null: of the whole organization."),
  provider: z.string(),
  name: z.string(),
  base_url: z.string().nullable(),
  variables: z.record(z.string(), z.string()),
  hint: z.string().describe("The last characters of the secret."),
  position: z.number().int(),
  allowed_key_ids: z.array(z.string()).nullable(),
  zero_retention: z
    .strictObject({ attested_by: z.string(), attested_at: timeSchema })
    .nullable()
    .describe("Who says that the provider keeps nothing; null: not verified, so never under ZDR."),
  state: z.enum(["active", "disabled", "faulty", "archived"]),
  fault: z.string().nullable().describe("Why a faulty one is left out."),
  last_test: testSchema.nullable(),
  created_at: createdAt,
  disabled_at: timeSchema.nullable(),
  archived_at: timeSchema.nullable(),
});
export type CredentialView = z.output<typeof credentialSchema>;

export const newCredentialSchema = z.strictObject({
  organization_id: idSchema("org_").default("org_default"),
  project_id: idSchema("proj_").nullable().default(null).describe("Absent: the organization's."),
  provider: z.string().min(1).max(64).describe("Id of a provider that this gateway knows."),
  name: nameSchema,
  secret: secretSchema,
  base_url: baseUrlSchema.default(null),
  variables: variablesSchema.default({}),
  position: positionSchema.default(0),
  allowed_key_ids: keysSchema.default(null),
  attests_zero_retention: z
    .boolean()
    .default(false)
    .describe("You have an agreement that the provider keeps nothing of what this key sends."),
});
export type NewCredential = z.output<typeof newCredentialSchema>;

/** Where it leads changes only together with the secret: a key is bound to its origin. */
export const credentialChangeSchema = z.strictObject({
  name: nameSchema.optional(),
  position: positionSchema.optional(),
  allowed_key_ids: keysSchema.optional(),
  attests_zero_retention: z.boolean().optional(),
  disabled: z.boolean().optional(),
});
export type CredentialChange = z.output<typeof credentialChangeSchema>;

export const credentialRotationSchema = z.strictObject({
  secret: secretSchema,
  base_url: baseUrlSchema.optional().describe("Absent: as it is."),
  variables: variablesSchema.optional(),
});
export type CredentialRotation = z.output<typeof credentialRotationSchema>;

export const credentialTestSchema = testSchema.extend({ object: z.literal("credential_test") });
export const credentialParams = z.strictObject({ credential_id: idSchema("cred_") });
export const credentialListQuery = z.strictObject({
  ...pageQuery,
  organization_id: idSchema("org_").optional(),
  project_id: idSchema("proj_").optional(),
  provider: z.string().max(64).optional(),
  archived: z.stringbool().default(false).describe("Removed ones, too."),
});
