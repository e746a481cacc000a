import { z } from "zod";

/** Roles from the most to the least; `billing` sees and pays, and changes nothing else. */
export const ROLES = ["owner", "admin", "developer", "viewer", "billing"] as const;
export type Role = (typeof ROLES)[number];

/** Where policies, budgets and limits can be attached, from the widest to the narrowest. */
export const LEVELS = ["organization", "team", "project", "key"] as const;
export type Level = (typeof LEVELS)[number];

export const PLANS = ["free", "pay-as-you-go", "enterprise"] as const;
export type Plan = (typeof PLANS)[number];

const MAX_LIST = 200;
const MAX_NAME = 200;

/**
 * Names stand in lists, logs and terminals, where control characters would be obeyed, and marks of
 * direction would have others read for it; Postgres keeps no NUL.
 */
export const nameSchema = z
  .string()
  .trim()
  .min(1)
  .max(MAX_NAME)
  .regex(
    /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]*$/u,
    "must not have line ends, control characters or marks of direction",
  );

const names = (what: string) =>
  z.array(z.string().min(1).max(MAX_NAME)).max(MAX_LIST).optional().describe(what);

/** Whole numbers of the API; beyond 2^53 JSON numbers are not exact. */
const count = (what: string) => z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).describe(what);

/** USD as the API writes it: decimal text or a number, at most nine decimals, never negative. */
export const usdSchema = z
  .union([
    z.string().regex(/^\d{1,9}(?:\.\d{1,9})?$/, "must be an amount such as 12.50"),
    z.number().min(0).max(999_999_999),
  ])
  .describe('USD, such as 12.5 or "0.000000001".');

const rates = z.strictObject({
  requestsPerMinute: count("Requests begun in a minute.").optional(),
  tokensPerMinute: count(
    "Input and output tokens in a minute; output counts as its bound first.",
  ).optional(),
  concurrent: count("Requests under way at once.").optional(),
});
export type Rates = z.output<typeof rates>;

export const rateLimitsSchema = rates.extend({
  perEndUser: rates.optional().describe("For each end user (`user` of the request) by itself."),
  perModel: z
    .record(z.string().min(1).max(MAX_NAME), rates)
    .optional()
    .describe("For each model that a glob names."),
});
export type RateLimits = z.output<typeof rateLimitsSchema>;

export const guardrailSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("pii"),
    action: z.enum(["redact", "block"]),
    on: z.enum(["request", "answer", "both"]).default("request"),
    types: z
      .array(z.enum(["email", "phone", "iban", "card", "ip", "secret"]))
      .min(1)
      .optional()
      .describe("All, unless named."),
  }),
  z.strictObject({
    kind: z.literal("keywords"),
    words: z.array(z.string().min(1).max(MAX_NAME)).min(1).max(MAX_LIST),
    on: z.enum(["request", "answer", "both"]).default("both"),
  }),
  z.strictObject({
    kind: z.literal("max-length"),
    characters: z.number().int().min(1).max(100_000_000),
    on: z.enum(["request", "answer"]).default("request"),
  }),
  z.strictObject({
    kind: z.literal("json-schema"),
    schema: z.record(z.string(), z.unknown()).describe("What the text of the answer must obey."),
  }),
  z.strictObject({
    kind: z.literal("http"),
    url: z.url().max(2_000),
    on: z.enum(["request", "answer", "both"]).default("request"),
    timeoutMs: z.number().int().min(50).max(30_000).default(2_000),
    onFailure: z.enum(["open", "closed"]).default("closed"),
  }),
]);
export type Guardrail = z.output<typeof guardrailSchema>;

/** What may be done, at one level. The effective policy of a request is the intersection of all. */
export const policyDocumentSchema = z
  .strictObject({
    models: z.strictObject({ allow: names("Globs; none: all."), deny: names("Globs.") }).optional(),
    providers: z.strictObject({ allow: names("None: all."), deny: names("By id.") }).optional(),
    regions: names("Prompts are processed only here: `eu` stands for `eu-west-1`, too."),
    zeroRetention: z
      .boolean()
      .optional()
      .describe("Only endpoints with documented zero retention."),
    noTraining: z
      .boolean()
      .optional()
      .describe("Only providers documented not to train on API data."),
    deniedCapabilities: z
      .array(
        z.enum([
          "web-search",
          "code-execution",
          "server-tools",
          "tools",
          "images",
          "audio",
          "files",
          "store",
        ]),
      )
      .optional(),
    maxRequestUsd: usdSchema.optional().describe("What one request may cost at worst."),
    maxInputUsdPerMillion: usdSchema.optional(),
    maxOutputUsdPerMillion: usdSchema.optional(),
    defaultMaxTokens: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe("Output bound where a request sets none."),
    maxTokens: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe("Largest output bound; larger ones are cut."),
    preference: z
      .union([z.enum(["cheap", "balanced", "best", "fast"]), z.number().min(0).max(1)])
      .optional(),
    tasks: z
      .record(z.string().min(1).max(MAX_NAME), z.string().min(1).max(MAX_NAME))
      .optional()
      .describe('Task class to model, for `auto`: {"code-writing": "claude-sonnet-5"}.'),
    limits: rateLimitsSchema.optional(),
    guardrails: z.array(guardrailSchema).max(20).optional(),
  })
  .describe("A policy; what it does not mention it does not bound.");
export type PolicyDocument = z.output<typeof policyDocumentSchema>;

export const keySettingsSchema = z.strictObject({
  models: names("Globs of models that it may ask for; none: all."),
  providers: names("Providers that may answer; none: all."),
  endpoints: names("Globs of endpoints (`provider/model@credential`); none: all."),
  operations: names("Such as chat, embeddings, rerank; none: all."),
  ipRanges: names("Addresses or CIDR ranges it may be used from; none: all."),
  routing: z
    .strictObject({
      model: z.string().min(1).max(MAX_NAME).optional().describe("Where a request names none."),
      preference: z
        .union([z.enum(["cheap", "balanced", "best", "fast"]), z.number().min(0).max(1)])
        .optional(),
    })
    .optional(),
  metadata: z.record(z.string().max(MAX_NAME), z.string().max(1_000)).optional(),
});
export type KeySettings = z.output<typeof keySettingsSchema>;

export const PERIODS = ["day", "week", "month", "lifetime"] as const;
export const BUDGET_SUBJECTS = ["end-user", "tag", "model", "task", "project", "key"] as const;

export const budgetDocumentSchema = z.strictObject({
  unit: z.enum(["usd", "tokens"]),
  period: z
    .enum(PERIODS)
    .describe("Begins at midnight, Monday, the first, in the organization's time zone."),
  mode: z
    .enum(["hard", "soft", "throttle"])
    .default("hard")
    .describe(
      "hard: refused beyond it; soft: told of only; throttle: one request a key at a time beyond it.",
    ),
  match: z
    .strictObject({
      models: names("Globs."),
      tasks: names("Task classes."),
      endUsers: names("Ids of end users."),
      tags: names("Any of them."),
    })
    .optional()
    .describe("Only such requests count; all, unless it is given."),
  each: z.enum(BUDGET_SUBJECTS).optional().describe("The limit is one for each of these."),
  alertAtPercent: z.array(z.number().int().min(1).max(1_000)).max(10).default([50, 80, 100]),
});
export type BudgetDocument = z.output<typeof budgetDocumentSchema>;

/** How an organization's own credentials stand to the platform's. */
export const BYOK_ORDERS = ["own-first", "platform-first", "own-only"] as const;
export type ByokOrder = (typeof BYOK_ORDERS)[number];

export const organizationSettingsSchema = z.strictObject({
  creditLimitUsd: usdSchema.optional().describe("How far below 0 a prepaid balance may go."),
  contentLogAllowed: z
    .boolean()
    .default(false)
    .describe("Whether its projects may keep prompts and answers."),
  maxContentDays: z.number().int().min(1).max(3_650).optional(),
  recordDays: z
    .number()
    .int()
    .min(1)
    .max(3_650)
    .optional()
    .describe("How long request records are kept."),
  byokFeePercent: z
    .number()
    .min(0)
    .max(100)
    .optional()
    .describe("What a call with an own credential costs, in percent of the provider's price."),
  byok: z
    .strictObject({
      order: z
        .enum(BYOK_ORDERS)
        .default("own-first")
        .describe("Which credentials are tried first for a model; own-only: no other ones at all."),
    })
    .optional(),
});
export type OrganizationSettings = z.output<typeof organizationSettingsSchema>;

export const contentLogSchema = z.strictObject({
  purpose: z
    .string()
    .trim()
    .min(1)
    .max(500)
    .describe("Why it is kept: people who use the project see this."),
  retentionDays: z.number().int().min(1).max(3_650).default(7),
  samplePercent: z.number().min(0).max(100).default(100),
  redact: z.boolean().default(true),
  publicKey: z
    .string()
    .max(4_000)
    .optional()
    .describe("PEM; then only its holder can read what is kept."),
  searchable: z.boolean().default(false),
});
export type ContentLog = z.output<typeof contentLogSchema>;

export const projectSettingsSchema = z.strictObject({
  contentLog: contentLogSchema.optional(),
  businessGoal: z
    .string()
    .max(MAX_NAME)
    .optional()
    .describe("Label that steers routing; see `routing.labels`."),
});
export type ProjectSettings = z.output<typeof projectSettingsSchema>;

/** A price other than the provider's, for one organization. */
export const priceOverrideDocumentSchema = z.strictObject({
  models: names("Globs; none: all."),
  providers: names("None: all."),
  markupPercent: z.number().min(-100).max(1_000).optional(),
  inputUsdPerMillion: usdSchema.optional(),
  outputUsdPerMillion: usdSchema.optional(),
});
export type PriceOverrideDocument = z.output<typeof priceOverrideDocumentSchema>;
