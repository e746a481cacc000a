import { z } from "zod";

import { authSection } from "./config-auth.ts";
import { paymentsSection } from "./config-payments.ts";

/** A number, or the digits that `${VARIABLE}` expands to. */
const numeric = <T extends z.ZodNumber>(schema: T) =>
  z.preprocess((value) => {
    const digits = typeof value === "string" && /^\d+(?:\.\d+)?$/.test(value.trim());
    return digits ? Number(value) : value;
  }, schema);

const whole = (minimum: number, description: string) =>
  numeric(z.number().int().min(minimum)).optional().describe(description);

const price = (what: string) =>
  numeric(z.number().min(0).max(100_000)).describe(`USD for a million ${what} tokens.`);

const name = z.string().min(1).max(200);

const modelPrices = z
  .strictObject({
    input: price("input"),
    output: price("output"),
    cacheRead: price("cached input").optional(),
    cacheWrite: price("cache write").optional(),
  })
  .describe("Without prices the cost of an answer is unknown (null), never 0.");

const model = z.strictObject({
  id: name.describe("The name that the provider's API takes."),
  model: name.optional().describe("The model that it is, where the id does not say it."),
  kind: z
    .enum(["chat", "embedding", "rerank", "moderation"])
    .optional()
    .describe("What it is for; chat unless it says otherwise."),
  contextTokens: whole(1, "Longest input and output together."),
  maxOutputTokens: whole(1, "Longest output."),
  input: z
    .array(z.enum(["text", "image", "audio", "video", "file"]))
    .min(1)
    .optional()
    .describe("What it takes; text unless it says otherwise."),
  tools: z.boolean().optional().describe("Whether it calls tools."),
  structuredOutput: z.boolean().optional().describe("Whether it obeys a JSON schema."),
  reasoning: z.boolean().optional().describe("Whether it thinks before it answers."),
  prices: modelPrices.optional(),
});

const providerShape = {
  name: name.optional().describe("Tells several keys of one provider apart."),
  apiKey: z
    .string()
    .min(1)
    .optional()
    .describe("The provider's key; write ${VARIABLE}, not the key itself."),
  baseUrl: z.string().min(1).optional().describe("Where the provider is, without trailing slash."),
  compatible: z
    .enum(["openai-chat", "openai-responses", "anthropic-messages"])
    .optional()
    .describe("What a server speaks that Turnpike does not know by name."),
  variables: z
    .record(z.string(), z.coerce.string())
    .optional()
    .describe("The provider's variables: region, project, resource, apiVersion."),
  models: z.array(model).optional().describe("Models that the catalogue does not have."),
};

const provider = z.strictObject(providerShape);
const listedProvider = z.strictObject({
  id: name.describe("Name of the provider."),
  ...providerShape,
});

const percent = (description: string) => numeric(z.number().min(0).max(100)).describe(description);

const share = numeric(z.number().min(0).max(1));

const preference = z
  .union([z.enum(["cheap", "balanced", "best", "fast"]), share])
  .describe("What `auto` leans to: cheap, balanced, best, fast, or 0 (cheap) to 1 (best).");

const models = (description: string) => z.array(name).max(50).optional().describe(description);

const labelRules = (description: string) =>
  z
    .record(
      name,
      z.strictObject({
        preference: preference.optional(),
        minQuality: share.optional().describe("Least predicted quality, 0 to 1."),
      }),
    )
    .optional()
    .describe(description);

const rules = {
  preference: preference.optional(),
  minQuality: share.optional().describe("Least predicted quality that `auto` accepts, 0 to 1."),
  tryAnyway: z
    .boolean()
    .optional()
    .describe("Try endpoints last that are kept away from, instead of answering 503 at once."),
  fallbacks: z
    .array(
      z.strictObject({
        model: name.describe("The asked model, or `*` for any."),
        to: z
          .array(name)
          .min(1)
          .max(50)
          .describe("What is tried after its own endpoints, in order."),
      }),
    )
    .optional()
    .describe("Chains of models to fall back to."),
  onContextLength: models("Models to try when the input is too long for the asked one."),
  onContentPolicy: models("Models to try when a provider's content policy refuses."),
  onRegionFailure: models("Models to try when a region fails, after the same model elsewhere."),
  groups: z
    .record(
      name,
      z
        .array(
          z.strictObject({
            model: name.describe("A model; `provider/model` for one provider's."),
            weight: numeric(z.number().positive().max(1_000_000))
              .optional()
              .describe("Its share is this by the sum of the group; 1 by default."),
            provider: name.optional().describe("Only this provider's endpoints."),
          }),
        )
        .min(1)
        .max(50),
    )
    .optional()
    .describe("Names of your own for several models that share the traffic."),
  canaries: z
    .array(
      z.strictObject({
        model: name.describe("The asked model."),
        to: name.describe("The model on trial."),
        percent: percent("Share of the conversations that it gets."),
      }),
    )
    .optional()
    .describe("Models on trial; a conversation stays with the one it began with."),
  tasks: z
    .record(
      name,
      z.union([
        name.describe("A model, or what to lean to."),
        share.describe("What to lean to, 0 to 1."),
      ]),
    )
    .optional()
    .describe("By task class (`code-*` for several): a model, or cheap, balanced, best, fast."),
  auto: z
    .strictObject({
      allow: models("Models that `auto` may use; a star stands for anything. All by default."),
      deny: models("Models that it may not use."),
      providers: models("Providers that it may use; all by default."),
    })
    .optional()
    .describe("What `auto` chooses from."),
};

const clockTime = z
  .string()
  .regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, "must be a time of day such as 22:00")
  .describe("A time of day such as 22:00.");

const routing = z.strictObject({
  ...rules,
  windows: z
    .array(
      z.strictObject({
        from: clockTime,
        to: clockTime,
        days: z
          .array(z.enum(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]))
          .min(1)
          .optional()
          .describe("Days on which it begins; every day by default."),
        timeZone: name.optional().describe("Such as Europe/Berlin; UTC by default."),
        ...rules,
      }),
    )
    .optional()
    .describe("Times of the week with rules of their own; later windows win."),
  sticky: z
    .strictObject({
      ttlMs: numeric(z.number().int().min(1).max(3_600_000))
        .optional()
        .describe(
          "How long an idle conversation keeps its endpoint; 10 minutes by default, an hour at most.",
        ),
      off: z.boolean().optional().describe("Never keep it."),
    })
    .optional()
    .describe("Conversations stay at the endpoint that has their prompt cache."),
  labels: z
    .strictObject({
      userLevel: labelRules("By `route.user_level` of the request."),
      businessGoal: labelRules("By `route.business_goal` of the request."),
    })
    .optional()
    .describe("What labels of the caller ask of `auto`."),
  shadow: z
    .strictObject({ percent: percent("Share of the requests that name a model.") })
    .optional()
    .describe("`auto` decides beside a named model and reports what it would have saved."),
  learning: z
    .strictObject({
      enabled: z.boolean().optional().describe("Whether `auto` learns at all; it does by default."),
      explore: z
        .boolean()
        .optional()
        .describe("Whether up to 2 % of requests try another model where much is judged; yes."),
    })
    .optional()
    .describe("`auto` learns from POST /v1/feedback and from how answers end."),
  hedge: z
    .strictObject({
      percent: percent("Largest share of requests that get a second attempt."),
      afterMs: whole(1, "When the second attempt starts; after twice the usual time by default."),
    })
    .optional()
    .describe("A second attempt beside one that is slow to begin. Both cost."),
  baseline: name
    .optional()
    .describe("The model that reports compare costs with where a caller names its own."),
  allowFaultHeader: z
    .boolean()
    .optional()
    .describe("Let `x-turnpike-fault` rehearse outages. Not where strangers have keys."),
  health: z
    .record(z.string(), numeric(z.number().min(0)))
    .optional()
    .describe("Parameters of breakers, windows and limits by name; see docs/health-parameters.md."),
});

/** `turnpike.yaml`. Nothing in it is required. */
/** Standard Webhooks: 24 to 64 bytes. */
const webhookSecret = z
  .string()
  .regex(
    /^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/,
    "must be whsec_ and 24 to 64 bytes in base64, such as of: echo whsec_$(openssl rand -base64 32)",
  );

export const configSchema = z.strictObject({
  providers: z
    .union([z.record(name, provider.nullable()), z.array(listedProvider)])
    .nullish()
    .describe("Providers by name, or a list with `id`. Those found in the environment stay."),
  aliases: z.record(name, name).nullish().describe("Names of your own for models."),
  server: z
    .strictObject({
      host: z.string().min(1).optional().describe("Address to listen on; 127.0.0.1 by default."),
      port: numeric(z.number().int().min(0).max(65_535)).optional().describe("8402 by default."),
      trustedProxies: z
        .array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]))
        .optional()
        .describe(
          "Addresses and ranges of proxies whose x-forwarded-for is believed; none by default.",
        ),
    })
    .nullish(),
  timeouts: z
    .strictObject({
      headMs: whole(1, "Until the head of a provider's answer."),
      reasoningHeadMs: whole(1, "The same for models that think first."),
      firstContentMs: whole(1, "Until the first content of a stream."),
      reasoningFirstContentMs: whole(1, "The same for models that think first."),
      idleMs: whole(1, "Longest silence within an answer."),
      noProgressMs: whole(1, "Longest time in which a stream says nothing new."),
      totalMs: whole(1, "Longest request."),
      writeStallMs: whole(1, "How long a client may read nothing."),
      heartbeatMs: whole(1, "How often a waiting client gets a comment."),
    })
    .nullish()
    .describe("All in milliseconds."),
  smtp: z
    .strictObject({
      host: z.string().min(1).max(253).describe("Name of the mail server."),
      port: numeric(z.number().int().min(1).max(65_535))
        .optional()
        .describe("587 by default, 465 with `secure`."),
      secure: z.boolean().optional().describe("TLS from the first byte; STARTTLS otherwise."),
      user: z.string().min(1).optional(),
      password: z.string().min(1).optional().describe("Such as ${SMTP_PASSWORD}."),
      from: z.string().min(3).max(254).describe("Sender of the mails."),
      allowPrivate: z
        .boolean()
        .optional()
        .describe("The server may be in a private network, and needs no TLS."),
    })
    .nullish()
    .describe("How alerts are mailed. At the next start."),
  alerts: z
    .strictObject({
      allowOrigins: z
        .array(z.url({ protocol: /^https?$/ }))
        .max(50)
        .optional()
        .describe("Receivers in your own network: http://alerts.internal:9000."),
    })
    .nullish()
    .describe("Where alerts may be sent beside the internet. At the next start."),
  guardrails: z
    .strictObject({
      hookSecrets: z
        .record(z.url({ protocol: /^https?$/ }), z.array(webhookSecret).min(1).max(2))
        .optional()
        .describe(
          "What hooks of policies are asked with a signature of, by their origin: https://checks.example.com: [${CHECKS_SECRET}]. Two while one is replaced.",
        ),
    })
    .nullish()
    .describe("How guardrails' hooks know that the gateway asks."),
  valkey: z
    .strictObject({
      url: z
        .string()
        .regex(/^(?:rediss?|valkeys?):\/\/\S+$/)
        .describe("redis://user:password@host:6379, rediss:// with TLS."),
      channel: name.optional().describe("Gateways that share health share it; turnpike:health."),
    })
    .nullish()
    .describe("Where several gateways tell each other of endpoints that fail. At the next start."),
  limits: z.strictObject({ bodyBytes: whole(1024, "Largest request body.") }).nullish(),
  auth: authSection.nullish().describe("How people sign in. At the next start."),
  payments: paymentsSection
    .nullish()
    .describe("How agents and people pay for what they use. At the next start."),
  routing: routing.nullish().describe("Which endpoint answers what."),
});

/** The file as it is written: providers may be a map or a list. */
export type ConfigFile = z.output<typeof configSchema>;
export type RoutingSection = z.output<typeof routing>;
export type ConfiguredModel = z.output<typeof model>;
export type ProviderEntry = z.output<typeof listedProvider>;
