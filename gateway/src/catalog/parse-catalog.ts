import { z } from "zod";

import { issueText } from "#lib/issue-text.ts";

import type { CatalogData } from "./types.ts";

/** $10,000 a million tokens: ten times the dearest model; above it is a slip of units. */
const HIGHEST_PICO_USD = 10_000_000_000;

const pico = z.int().min(0).max(HIGHEST_PICO_USD);
const nano = z.int().min(0).max(1_000_000_000_000);
const tokens = z.int().min(1).max(1_000_000_000);
const date = z.iso.date();
const name = z.string().min(1).max(256);

const tokenPrices = {
  input: pico,
  output: pico,
  cacheRead: pico.optional(),
  cacheWrite5m: pico.optional(),
  cacheWrite1h: pico.optional(),
  reasoning: pico.optional(),
  inputAudio: pico.optional(),
  cacheReadAudio: pico.optional(),
  outputAudio: pico.optional(),
  inputImage: pico.optional(),
  outputImage: pico.optional(),
};
const tier = z.strictObject(tokenPrices);

const prices = z.strictObject({
  ...tokenPrices,
  longContext: z
    .array(z.strictObject({ aboveInputTokens: tokens, prices: tier }))
    .refine(
      (steps) =>
        steps.every(
          (step, i) => i === 0 || step.aboveInputTokens > (steps[i - 1]?.aboveInputTokens ?? 0),
        ),
      "the bounds must ascend",
    )
    .optional(),
  tiers: z
    .strictObject({ batch: tier.optional(), priority: tier.optional(), flex: tier.optional() })
    .optional(),
  perRequestNanoUsd: nano.optional(),
  perWebSearchNanoUsd: nano.optional(),
  perSearchUnitNanoUsd: nano.optional(),
});

const modality = z.enum(["text", "image", "audio", "video", "file"]);

const model = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.:+-]*$/, "must be a lower-case slug")
    .max(128),
  name,
  author: name,
  kind: z.enum([
    "chat",
    "embedding",
    "rerank",
    "moderation",
    "image",
    "speech",
    "transcription",
    "video",
  ]),
  aliases: z.array(name),
  input: z.array(modality),
  output: z.array(modality),
  capabilities: z.strictObject({
    tools: z.boolean().optional(),
    structuredOutput: z.boolean().optional(),
    reasoning: z.boolean().optional(),
    temperature: z.boolean().optional(),
  }),
  released: date.optional(),
  deprecated: date.optional(),
});

const endpoint = z.strictObject({
  model: name,
  provider: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, "must be a provider id"),
  upstreamModel: name,
  contextTokens: tokens.optional(),
  maxOutputTokens: tokens.optional(),
  prices: prices.optional(),
  source: z.strictObject({ name, date, confirmedBy: name.optional() }),
  deprecated: date.optional(),
});

const catalog = z.strictObject({
  schema: z.literal(1),
  asOf: date,
  sources: z.array(z.strictObject({ name, date, licence: name })),
  models: z.array(model),
  endpoints: z.array(endpoint),
});

/** An operator's file: models and endpoints only, which may name built-in models. */
const override = z.strictObject({
  models: z.array(model).optional(),
  endpoints: z.array(endpoint).optional(),
});

/** The models and endpoints of a checked override file. */
export type CatalogOverride = Pick<Partial<CatalogData>, "models" | "endpoints">;

/** A catalogue file that may not be used; the message names every wrong place (up to ten). */
export class CatalogError extends Error {
  override readonly name = "CatalogError";
}

/** Checks a whole catalogue. @throws CatalogError */
export function parseCatalog(value: unknown): CatalogData {
  const data = checked(catalog, value) as CatalogData;
  refuse(problems(data, new Set()));
  return data;
}

/** Checks an operator's additions against the built-in models. @throws CatalogError */
export function parseCatalogOverride(value: unknown, builtIn: CatalogData): CatalogOverride {
  const data = checked(override, value) as CatalogOverride;
  const models = data.models ?? [];
  const endpoints = data.endpoints ?? [];
  refuse(problems({ models, endpoints }, new Set(builtIn.models.map(({ id }) => id))));
  return data;
}

/**
 * The value as the schema has found it. Callers name its type: zod's own says `| undefined` where
 * exactOptionalPropertyTypes wants absence, and JSON has no undefined.
 */
function checked(schema: z.ZodType, value: unknown): unknown {
  const result = schema.safeParse(value);
  if (!result.success) {
    refuse(result.error.issues.map((issue) => `${pathText(issue.path)}: ${issueText(issue)}`));
  }
  return result.data;
}

function refuse(found: readonly string[]): void {
  if (found.length > 0) throw new CatalogError(found.slice(0, 10).join("\n"));
}

function pathText(path: readonly PropertyKey[]): string {
  const text = path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("");
  return text === "" ? "the file" : text.replace(/^\./, "");
}

type Rows = Pick<CatalogData, "models" | "endpoints">;

/** What a schema cannot say: names are unique and every endpoint has its model. */
function problems(
  { models, endpoints }: Rows,
  knownModels: ReadonlySet<string>,
): readonly string[] {
  const found: string[] = [];
  const ids = new Map<string, string>();
  models.forEach(({ id }, i) => claim(`models[${i}].id`, id, id));
  models.forEach(({ id, aliases }, i) =>
    aliases.forEach((alias, j) => claim(`models[${i}].aliases[${j}]`, alias.toLowerCase(), id)),
  );
  const keys = new Set<string>();
  endpoints.forEach(({ model: of, provider, upstreamModel }, i) => {
    if (ids.get(of) !== of && !knownModels.has(of)) {
      found.push(`endpoints[${i}].model: there is no model "${of}"`);
    }
    const key = `${provider}/${upstreamModel}`;
    if (keys.has(key)) found.push(`endpoints[${i}]: "${key}" is there twice`);
    keys.add(key);
  });
  return found;

  function claim(place: string, key: string, owner: string): void {
    const other = ids.get(key);
    if (other !== undefined) found.push(`${place}: "${key}" already names "${other}"`);
    else ids.set(key, owner);
  }
}
