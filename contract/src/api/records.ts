import { z } from "zod";

import { idSchema, pageEnd, pageQuery, timeSchema, usdTextSchema } from "./conventions.ts";

/** What spend can be told by; pairs are `a/b` in the rows. */
export const REPORT_DIMENSIONS = [
  "total",
  "model",
  "provider",
  "key",
  "project",
  "team",
  "user",
  "tag",
  "task",
  "key+model",
  "project+model",
  "provider+model",
] as const;

const text = z.string().min(1).max(200);
const dateSchema = z.iso.date({ error: "must be a day such as 2027-01-31" });
const organization = idSchema("org_");

const reportWhat = {
  organization_id: organization,
  by: z.enum(["hour", "day", ...REPORT_DIMENSIONS]).default("model"),
  from: dateSchema.describe("First day, UTC."),
  to: dateSchema.describe("Last day, UTC; counted whole."),
  team_id: idSchema("team_").optional().describe("With `by` day: that team's days."),
  project_id: idSchema("proj_").optional().describe("With `by` model or day: of that project."),
  key_id: idSchema("key_").optional().describe("With `by` model or day: of that key."),
  value: text.optional().describe("Only this value of the dimension."),
};

export const reportExportQuery = z.strictObject(reportWhat);
export const reportQuery = z.strictObject({
  ...reportWhat,
  order: z
    .enum(["charge", "cost", "requests", "failed", "input_tokens", "output_tokens"])
    .default("charge")
    .describe("The most first."),
  limit: pageQuery.limit,
  cursor: z.string().max(1_000).optional().describe("`next_cursor` of the page before."),
});
export type ReportWhat = z.output<typeof reportExportQuery>;

const share = z.number().nullable();
const ms = z.number().nullable();

const reportSums = z.strictObject({
  requests: z.number(),
  failed: z.number(),
  error_rate: share,
  input_tokens: z.number(),
  output_tokens: z.number(),
  cache_read_tokens: z.number(),
  cache_write_tokens: z.number(),
  reasoning_tokens: z.number(),
  estimated_requests: z.number(),
  charge_usd: usdTextSchema,
  cost_usd: usdTextSchema,
  loss_usd: usdTextSchema,
  unpriced_requests: z.number(),
  cache_hit_rate: share.describe("Input tokens that came from a cache."),
  cache_saved_usd: usdTextSchema,
  savings: z.strictObject({
    requests: z.number(),
    baseline_usd: usdTextSchema,
    cost_usd: usdTextSchema,
    saved_usd: usdTextSchema,
    saved_share: share,
  }),
  drift: z.strictObject({
    requests: z.number(),
    reported_usd: usdTextSchema,
    computed_usd: usdTextSchema,
    difference_usd: usdTextSchema,
    difference_share: share,
  }),
  latency: z.strictObject({
    mean_ms: ms,
    first_content_mean_ms: ms,
    first_content_p50_at_most_ms: ms,
    first_content_p95_at_most_ms: ms,
  }),
});

export const reportSchema = z.strictObject({
  object: z.literal("list"),
  from: z.string(),
  to: z.string(),
  time_zone: z.literal("UTC"),
  by: z.string(),
  data: z.array(
    reportSums.extend({
      value: z.string().optional(),
      day: z.string().optional(),
      hour: z.string().optional(),
    }),
  ),
  total: reportSums,
  ...pageEnd,
});

const logWhat = {
  organization_id: organization,
  team_id: idSchema("team_").optional(),
  project_id: idSchema("proj_").optional(),
  key_id: idSchema("key_").optional(),
  model: text.optional().describe("That answered."),
  provider: text.optional(),
  user: text.optional(),
  tag: text.optional(),
  session: text.optional(),
  task: text.optional(),
  failed: z.stringbool().optional(),
  failure: text.optional().describe("A code of docs/errors.md."),
  status: z.coerce.number().int().min(100).max(599).optional(),
  since: timeSchema.optional(),
  until: timeSchema.optional(),
};

export const logExportQuery = z.strictObject(logWhat);
export const logQuery = z.strictObject({
  ...logWhat,
  limit: pageQuery.limit,
  cursor: z.string().max(300).optional().describe("`next_cursor` of the page before."),
});
export type LogWhat = z.output<typeof logExportQuery>;

/** Its members are those of the table in docs/reports.md. */
export const requestSchema = z.looseObject({ id: z.string(), created_at: timeSchema });

export const logSchema = z.strictObject({
  object: z.literal("list"),
  data: z.array(requestSchema),
  has_more: pageEnd.has_more,
  next_cursor: pageEnd.next_cursor.describe(
    "With several filters a page may be short, or empty, and yet not be the last.",
  ),
});

export const requestParams = z.strictObject({ request_id: z.string().min(1).max(100) });
export const traceSchema = requestSchema.extend({
  timeline: z.array(z.looseObject({ at_ms: z.number(), step: z.string() })),
});

export const sessionParams = z.strictObject({ session_id: z.string().min(1).max(400) });
export const sessionQuery = z.strictObject({
  organization_id: organization,
  cursor: z.string().max(100).optional().describe("`next_cursor` of the page before."),
});
export const sessionSchema = z.looseObject({
  object: z.literal("session"),
  session: z.string(),
  requests: z.number(),
  turns: z.array(z.looseObject({ requests: z.array(requestSchema) })),
  ...pageEnd,
});
