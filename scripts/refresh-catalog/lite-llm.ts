import type { ModelKind, Prices, TokenPrices } from "../../gateway/src/catalog/types.ts";
import {
  type JsonObject,
  asBoolean,
  asNumber,
  asObject,
  asObjects,
  asString,
  isObject,
} from "../../gateway/src/lib/json.ts";
import {
  isFree,
  longContext,
  nanoFromUsd,
  picoFromUsdPerToken,
  present,
  tokenPrices,
} from "./amounts.ts";
import { isoDate, modalitiesOf, positive } from "./models-dev.ts";
import type { SourceRow } from "./row.ts";
import type { SnapshotInfo } from "./sources.ts";

/** LiteLLM's provider names to ours, and the prefix that its keys have before the provider's own id. */
const PROVIDERS: Readonly<Record<string, readonly [provider: string, prefix: string]>> = {
  openai: ["openai", "openai/"],
  "text-completion-openai": ["openai", ""],
  anthropic: ["anthropic", ""],
  gemini: ["google", "gemini/"],
  vertex_ai: ["vertex", "vertex_ai/"],
  "vertex_ai-language-models": ["vertex", "vertex_ai/"],
  "vertex_ai-anthropic_models": ["vertex", "vertex_ai/"],
  "vertex_ai-llama_models": ["vertex", "vertex_ai/"],
  "vertex_ai-mistral_models": ["vertex", "vertex_ai/"],
  "vertex_ai-embedding-models": ["vertex", "vertex_ai/"],
  "vertex_ai-image-models": ["vertex", "vertex_ai/"],
  "vertex_ai-video-models": ["vertex", "vertex_ai/"],
  "vertex_ai-openai_models": ["vertex", "vertex_ai/"],
  "vertex_ai-deepseek_models": ["vertex", "vertex_ai/"],
  "vertex_ai-qwen_models": ["vertex", "vertex_ai/"],
  "vertex_ai-minimax_models": ["vertex", "vertex_ai/"],
  "vertex_ai-moonshot_models": ["vertex", "vertex_ai/"],
  "vertex_ai-zai_models": ["vertex", "vertex_ai/"],
  bedrock: ["bedrock", ""],
  bedrock_converse: ["bedrock", ""],
  azure: ["azure", "azure/"],
  azure_ai: ["azure", "azure_ai/"],
  deepseek: ["deepseek", "deepseek/"],
  xai: ["xai", "xai/"],
  moonshot: ["moonshot", "moonshot/"],
  zai: ["zai", "zai/"],
  minimax: ["minimax", "minimax/"],
  volcengine: ["volcengine", "volcengine/"],
  dashscope: ["alibaba", "dashscope/"],
  tencent: ["tencent", "tencent/"],
  mistral: ["mistral", "mistral/"],
  cohere: ["cohere", "cohere/"],
  cohere_chat: ["cohere", ""],
  groq: ["groq", "groq/"],
  together_ai: ["together", "together_ai/"],
  fireworks_ai: ["fireworks", "fireworks_ai/"],
  "fireworks_ai-embedding-models": ["fireworks", "fireworks_ai/"],
  cerebras: ["cerebras", "cerebras/"],
  sambanova: ["sambanova", "sambanova/"],
  deepinfra: ["deepinfra", "deepinfra/"],
  perplexity: ["perplexity", "perplexity/"],
  nvidia_nim: ["nvidia", "nvidia_nim/"],
  novita: ["novita", "novita/"],
  nebius: ["nebius", "nebius/"],
  cloudflare: ["cloudflare", "cloudflare/"],
  jina_ai: ["jina", "jina_ai/"],
  voyage: ["voyage", "voyage/"],
};

const KINDS: Readonly<Record<string, ModelKind>> = {
  chat: "chat",
  responses: "chat",
  completion: "chat",
  embedding: "embedding",
  rerank: "rerank",
  moderation: "moderation",
  image_generation: "image",
  image_edit: "image",
  audio_speech: "speech",
  audio_transcription: "transcription",
  video_generation: "video",
};

/** Kinds that are often billed by image, second or letter, where LiteLLM then says 0 a token. */
const BY_TOKEN: ReadonlySet<ModelKind> = new Set(["chat", "embedding", "rerank", "moderation"]);

/** Kinds that answer without tokens; elsewhere a missing output price is unknown. */
const INPUT_ONLY: ReadonlySet<ModelKind> = new Set(["embedding", "rerank", "moderation"]);

/** Prices that are plainly a slip: output at thirty times input, where all others say three. */
const SLIPS: ReadonlySet<string> = new Set(["together_ai/Qwen/Qwen3-235B-A22B-Instruct-2507-tput"]);

/** Reads LiteLLM's price map. */
export function readLiteLlm(data: unknown, info: SnapshotInfo): readonly SourceRow[] {
  return Object.entries(asObject(data)).flatMap(([key, value]) => {
    if (!isObject(value) || SLIPS.has(key)) return [];
    const known = PROVIDERS[asString(value["litellm_provider"]) ?? ""];
    const kind = KINDS[asString(value["mode"]) ?? ""];
    if (known === undefined || kind === undefined) return [];
    const [provider, prefix] = known;
    const id = key.startsWith(prefix) ? key.slice(prefix.length) : key;
    if (id.endsWith("/") || !isModelId(id, provider)) return [];
    return [row(value, { source: info.name, date: info.date, provider, upstreamModel: id, kind })];
  });
}

/** Keys also carry sizes, regions, price classes and fine-tunes; those are no ids of an API. */
function isModelId(id: string, provider: string): boolean {
  if (
    /^(ft:|sample_spec|\*)|\*|-\d+(\.\d+)?b-to-|up-to-|-moe-up|-default$|x-\d{3,4}\/|^(together|fireworks)-ai-/.test(
      id,
    )
  )
    return false;
  if (provider === "bedrock") return !id.includes("/") && !/:\d+k$/.test(id);
  if (provider === "openai" || provider === "anthropic" || provider === "azure")
    return !id.includes("/");
  // Keys without the account's path are LiteLLM's own short names.
  if (provider === "fireworks") return id.startsWith("accounts/") || !/^[a-z0-9.-]+$/.test(id);
  return provider !== "perplexity" || !id.includes("/");
}

type Keyed = SourceRow & { readonly kind: ModelKind };

function row(value: JsonObject, key: Keyed): SourceRow {
  const vision = asBoolean(value["supports_vision"]) === true;
  const declared = modalitiesOf(value["supported_modalities"]);
  return {
    ...key,
    ...present<SourceRow>({
      input: declared ?? (vision ? ["text", "image"] : undefined),
      output: modalitiesOf(value["supported_output_modalities"]),
      capabilities: present({
        tools: asBoolean(value["supports_function_calling"]),
        structuredOutput: asBoolean(value["supports_response_schema"]),
        reasoning: asBoolean(value["supports_reasoning"]),
      }),
      deprecated: isoDate(value["deprecation_date"]),
      contextTokens: positive(value["max_input_tokens"]),
      maxOutputTokens: key.kind === "chat" ? positive(value["max_output_tokens"]) : undefined,
      prices: pricesOf(value, key),
    }),
  };
}

const pico = (value: JsonObject, name: string): number | undefined =>
  picoFromUsdPerToken(value[name]);

/** Token prices whose field names end in `suffix` (`_batches`, `_priority`, `_above_200k_tokens`). */
const withSuffix = (value: JsonObject, suffix: string) => ({
  input: pico(value, `input_cost_per_token${suffix}`),
  output: pico(value, `output_cost_per_token${suffix}`),
  cacheRead: pico(value, `cache_read_input_token_cost${suffix}`),
  cacheWrite5m: pico(value, `cache_creation_input_token_cost${suffix}`),
  inputAudio: pico(value, `input_cost_per_audio_token${suffix}`),
});

const baseOf = (value: JsonObject, kind: ModelKind) => {
  const found = withSuffix(value, "");
  const inputOnly = found.input !== undefined && INPUT_ONLY.has(kind);
  const outputImage = pico(value, "output_cost_per_image_token");
  return tokenPrices({
    ...found,
    output: found.output ?? outputImage ?? (inputOnly ? 0 : undefined),
    cacheRead: found.cacheRead ?? pico(value, "input_cost_per_token_cache_hit"),
    cacheWrite1h: pico(value, "cache_creation_input_token_cost_above_1hr"),
    reasoning: pico(value, "output_cost_per_reasoning_token"),
    cacheReadAudio: pico(value, "cache_read_input_audio_token_cost"),
    outputAudio: pico(value, "output_cost_per_audio_token"),
    inputImage: pico(value, "input_cost_per_image_token"),
    outputImage,
  });
};

function pricesOf(value: JsonObject, { kind, provider }: Keyed): Prices | undefined {
  const perSearchUnit = kind === "rerank" ? nanoFromUsd(value["input_cost_per_query"]) : undefined;
  if (perSearchUnit !== undefined && perSearchUnit > 0) {
    return { input: 0, output: 0, perSearchUnitNanoUsd: perSearchUnit };
  }
  const ranges = rangesOf(value);
  const base = ranges.base ?? baseOf(value, kind);
  // LiteLLM writes 0 where it has no price by token: its 0 for both is "free" only for moderation.
  if (base === undefined || (isFree(base) && kind !== "moderation")) return undefined;
  if (!BY_TOKEN.has(kind) && base.input === 0) return undefined;
  const search = asObject(value["search_context_cost_per_query"]);
  const perSearch = nanoFromUsd(search["search_context_size_medium"]);
  return {
    ...base,
    ...present<Prices>({
      longContext: longContext(base, [...stepsOf(value, base), ...ranges.steps]),
      tiers: tiersOf(value, base),
      // Perplexity's fee is for the request, whatever the number of searches.
      perWebSearchNanoUsd: provider === "perplexity" || perSearch === 0 ? undefined : perSearch,
    }),
  };
}

/** `…_above_200k_tokens` fields. */
function stepsOf(value: JsonObject, base: TokenPrices) {
  const bounds = Object.keys(value).flatMap(
    (name) => /^input_cost_per_token_above_(\d+)k_tokens$/.exec(name)?.[1] ?? [],
  );
  return bounds.map((bound) => {
    const told = present<TokenPrices>({
      ...withSuffix(value, `_above_${bound}k_tokens`),
      cacheWrite1h: pico(value, `cache_creation_input_token_cost_above_1hr_above_${bound}k_tokens`),
    });
    return {
      aboveInputTokens: Number(bound) * 1000,
      prices: { ...grownCacheWrites(base, told), ...told },
    };
  });
}

/** LiteLLM leaves cache writes out of many steps; they are a fixed multiple of the input price. */
function grownCacheWrites(
  base: TokenPrices,
  { input }: Partial<TokenPrices>,
): Partial<TokenPrices> {
  if (input === undefined || base.input === 0) return {};
  const grown = (price: number | undefined): number | undefined =>
    price === undefined ? undefined : Math.ceil((price * input) / base.input);
  return present<TokenPrices>({
    cacheWrite5m: grown(base.cacheWrite5m),
    cacheWrite1h: grown(base.cacheWrite1h),
  });
}

/** `tiered_pricing`: price by range of input tokens, the first being the base. */
function rangesOf(value: JsonObject) {
  const ranges = asObjects(value["tiered_pricing"])
    .map((range) => ({
      from: asNumber((range["range"] as readonly unknown[] | undefined)?.[0]),
      prices: rangePrices(range),
    }))
    .sort((a, b) => (a.from ?? 0) - (b.from ?? 0));
  const [first, ...rest] = ranges;
  const base = first === undefined ? undefined : tokenPrices(first.prices);
  return { base, steps: rest.map(({ from, prices }) => ({ aboveInputTokens: from, prices })) };
}

const rangePrices = (range: JsonObject) => {
  const prices = withSuffix(range, "");
  return { ...prices, reasoning: pico(range, "output_cost_per_reasoning_token") };
};

/** A service tier's prices; one that costs as much as no tier says nothing. */
function tierOf(value: JsonObject, suffix: string, base: TokenPrices): TokenPrices | undefined {
  const prices = tokenPrices(withSuffix(value, suffix));
  return prices?.input === base.input && prices.output === base.output ? undefined : prices;
}

function tiersOf(value: JsonObject, base: TokenPrices): Prices["tiers"] {
  const tiers = present<Record<"batch" | "priority" | "flex", TokenPrices>>({
    batch: tierOf(value, "_batches", base),
    priority: tierOf(value, "_priority", base),
    flex: tierOf(value, "_flex", base),
  });
  return Object.keys(tiers).length === 0 ? undefined : tiers;
}
