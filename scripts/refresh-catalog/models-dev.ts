import type { Modality } from "../../gateway/src/catalog/types.ts";
import {
  type JsonObject,
  asArray,
  asBoolean,
  asNumber,
  asObject,
  asObjects,
  asString,
} from "../../gateway/src/lib/json.ts";
import { isFree, longContext, picoFromUsdPerMillion, present, tokenPrices } from "./amounts.ts";
import type { SourceRow } from "./row.ts";
import type { SnapshotInfo } from "./sources.ts";

/** models.dev's provider ids to ours. Plans by subscription are left out. */
const PROVIDERS: Readonly<Record<string, string>> = {
  openai: "openai",
  anthropic: "anthropic",
  google: "google",
  "google-vertex": "vertex",
  "google-vertex-anthropic": "vertex",
  "amazon-bedrock": "bedrock",
  azure: "azure",
  deepseek: "deepseek",
  xai: "xai",
  moonshotai: "moonshot",
  zai: "zai",
  minimax: "minimax",
  alibaba: "alibaba",
  "alibaba-cn": "alibaba-cn",
  "tencent-tokenhub": "tencent",
  mistral: "mistral",
  cohere: "cohere",
  groq: "groq",
  togetherai: "together",
  "fireworks-ai": "fireworks",
  cerebras: "cerebras",
  sambanova: "sambanova",
  deepinfra: "deepinfra",
  perplexity: "perplexity",
  nvidia: "nvidia",
  huggingface: "huggingface",
  "novita-ai": "novita",
  siliconflow: "siliconflow",
  nebius: "nebius",
  "cloudflare-workers-ai": "cloudflare",
};

/** NVIDIA lists vision, biology and robot models that no API of ours can speak to. */
const NO_LANGUAGE_MODEL =
  /bevformer|streampetr|sparsedrive|esm2|cosmos|usdvalidate|usdcode|video-detector|gliner|fold|diffdock|molmim|proteinmpnn|studiovoice|noise|lipsync|retail|ocdrnet|visual-changenet|grounding-dino|nv-dinov2|nvclip|corrdiff|fourcastnet/;

/** Moving names whose price here is still that of an older model. */
const OUTDATED: ReadonlySet<string> = new Set(["mistral/mistral-medium-latest"]);

/** Reads `api.json` of models.dev. */
export function readModelsDev(data: unknown, info: SnapshotInfo): readonly SourceRow[] {
  return Object.entries(PROVIDERS).flatMap(([theirs, provider]) =>
    Object.values(asObject(asObject(asObject(data)[theirs])["models"])).flatMap((value) => {
      const model = asObject(value);
      const id = asString(model["id"]);
      if (
        id === undefined ||
        OUTDATED.has(`${theirs}/${id}`) ||
        (provider === "nvidia" && NO_LANGUAGE_MODEL.test(id))
      )
        return [];
      return [row(model, { source: info.name, date: info.date, provider, upstreamModel: id })];
    }),
  );
}

function row(model: JsonObject, key: SourceRow): SourceRow {
  const limit = asObject(model["limit"]);
  const modalities = asObject(model["modalities"]);
  return {
    ...key,
    ...present<SourceRow>({
      name: asString(model["name"])?.replace(/ \(latest\)$/, ""),
      input: modalitiesOf(modalities["input"]),
      output: modalitiesOf(modalities["output"]),
      capabilities: present({
        tools: asBoolean(model["tool_call"]),
        structuredOutput: asBoolean(model["structured_output"]),
        reasoning: asBoolean(model["reasoning"]),
        temperature: asBoolean(model["temperature"]),
      }),
      released: isoDate(model["release_date"]),
      contextTokens: positive(limit["context"]),
      maxOutputTokens: positive(limit["output"]),
      prices: pricesOf(asObject(model["cost"]), key.provider),
    }),
  };
}

/** `2025`, `2025-08` and `2025-08-07` occur; only whole dates are facts here. */
export const isoDate = (value: unknown): string | undefined => {
  const text = asString(value)?.slice(0, 10);
  return text !== undefined && /^20\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/.test(text)
    ? text
    : undefined;
};

export const positive = (value: unknown): number | undefined => {
  const count = asNumber(value);
  return count !== undefined && Number.isSafeInteger(count) && count > 0 ? count : undefined;
};

const MODALITIES: Readonly<Record<string, Modality>> = {
  text: "text",
  image: "image",
  audio: "audio",
  video: "video",
  pdf: "file",
  file: "file",
};

/** Known modalities in a fixed order. */
export function modalitiesOf(value: unknown): readonly Modality[] | undefined {
  const names = new Set(asArray(value).map((item) => MODALITIES[asString(item) ?? ""]));
  const found = [...new Set(Object.values(MODALITIES))].filter((modality) => names.has(modality));
  return found.length === 0 ? undefined : found;
}

const costOf = (cost: JsonObject) => ({
  input: picoFromUsdPerMillion(cost["input"]),
  output: picoFromUsdPerMillion(cost["output"]),
  cacheRead: picoFromUsdPerMillion(cost["cache_read"]),
  cacheWrite5m: picoFromUsdPerMillion(cost["cache_write"]),
  reasoning: picoFromUsdPerMillion(cost["reasoning"]),
  inputAudio: picoFromUsdPerMillion(cost["input_audio"]),
  outputAudio: picoFromUsdPerMillion(cost["output_audio"]),
});

/** Hugging Face passes on what the servers behind it charge: its 0 is a blank. */
const NEVER_FREE: ReadonlySet<string> = new Set(["huggingface"]);

function pricesOf(cost: JsonObject, provider: string) {
  const base = tokenPrices(costOf(cost));
  if (base === undefined || (isFree(base) && NEVER_FREE.has(provider))) return undefined;
  const steps = asObjects(cost["tiers"])
    .filter((tier) => (asString(asObject(tier["tier"])["type"]) ?? "context") === "context")
    .map((tier) => ({
      aboveInputTokens: asNumber(asObject(tier["tier"])["size"]),
      prices: costOf(tier),
    }));
  return { ...base, ...present({ longContext: longContext(base, steps) }) };
}
