import { z } from "zod";

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

/** `turnpike.yaml`. Nothing in it is required. */
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
    })
    .nullish(),
  timeouts: z
    .strictObject({
      headMs: whole(1, "Until the head of a provider's answer."),
      reasoningHeadMs: whole(1, "The same for models that think first."),
      firstContentMs: whole(1, "Until the first content of a stream."),
      idleMs: whole(1, "Longest silence within an answer."),
      totalMs: whole(1, "Longest request."),
      writeStallMs: whole(1, "How long a client may read nothing."),
      heartbeatMs: whole(1, "How often a waiting client gets a comment."),
    })
    .nullish()
    .describe("All in milliseconds."),
  limits: z.strictObject({ bodyBytes: whole(1024, "Largest request body.") }).nullish(),
});

/** The file as it is written: providers may be a map or a list. */
export type ConfigFile = z.output<typeof configSchema>;
export type ConfiguredModel = z.output<typeof model>;
export type ProviderEntry = z.output<typeof listedProvider>;
