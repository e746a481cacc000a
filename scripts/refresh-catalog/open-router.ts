import {
  type JsonObject,
  asArray,
  asNumber,
  asObject,
  asObjects,
  asString,
} from "../../gateway/src/lib/json.ts";
import type { Prices } from "../../gateway/src/catalog/types.ts";
import { longContext, nanoFromUsd, picoFromUsdPerToken, present, tokenPrices } from "./amounts.ts";
import { isoDate, modalitiesOf, positive } from "./models-dev.ts";
import type { SourceRow } from "./row.ts";
import type { SnapshotInfo } from "./sources.ts";

/** Reads OpenRouter's list of models. */
export function readOpenRouter(data: unknown, info: SnapshotInfo): readonly SourceRow[] {
  return asObjects(asObject(data)["data"]).flatMap((model) => {
    const id = asString(model["id"]);
    // A price of -1 means "as the model that will be chosen": a router, not a model.
    if (id === undefined || Number(asObject(model["pricing"])["prompt"]) < 0) return [];
    return [
      row(model, { source: info.name, date: info.date, provider: "openrouter", upstreamModel: id }),
    ];
  });
}

function row(model: JsonObject, key: SourceRow): SourceRow {
  const architecture = asObject(model["architecture"]);
  const top = asObject(model["top_provider"]);
  const parameters = new Set(asArray(model["supported_parameters"]));
  return {
    ...key,
    ...present<SourceRow>({
      name: asString(model["name"])?.replace(/^[^:]{1,30}: /, ""),
      input: modalitiesOf(architecture["input_modalities"]),
      output: modalitiesOf(architecture["output_modalities"]),
      capabilities: {
        tools: parameters.has("tools"),
        structuredOutput: parameters.has("structured_outputs"),
        reasoning: parameters.has("reasoning"),
        temperature: parameters.has("temperature"),
      },
      released: dayOf(model["created"]),
      deprecated: isoDate(model["expiration_date"]),
      contextTokens: positive(model["context_length"]),
      maxOutputTokens: positive(top["max_completion_tokens"]),
      prices: pricesOf(asObject(model["pricing"])),
    }),
  };
}

function dayOf(seconds: unknown): string | undefined {
  const created = asNumber(seconds);
  return created === undefined ? undefined : isoDate(new Date(created * 1000).toISOString());
}

const costOf = (pricing: JsonObject) => ({
  input: picoFromUsdPerToken(pricing["prompt"]),
  output: picoFromUsdPerToken(pricing["completion"]),
  cacheRead: picoFromUsdPerToken(pricing["input_cache_read"]),
  cacheWrite5m: picoFromUsdPerToken(pricing["input_cache_write"]),
  cacheWrite1h: picoFromUsdPerToken(pricing["input_cache_write_1h"]),
  reasoning: picoFromUsdPerToken(pricing["internal_reasoning"]),
  inputAudio: picoFromUsdPerToken(pricing["audio"]),
  cacheReadAudio: picoFromUsdPerToken(pricing["input_audio_cache"]),
  outputAudio: picoFromUsdPerToken(pricing["audio_output"]),
  inputImage: picoFromUsdPerToken(pricing["image"]),
  outputImage: picoFromUsdPerToken(pricing["image_output"]),
});

function pricesOf(pricing: JsonObject): Prices | undefined {
  const base = tokenPrices(costOf(pricing));
  if (base === undefined) return undefined;
  const steps = asObjects(pricing["overrides"]).map((step) => ({
    aboveInputTokens: asNumber(step["min_prompt_tokens"]),
    prices: costOf(step),
  }));
  return {
    ...base,
    ...present<Prices>({
      longContext: longContext(base, steps),
      perWebSearchNanoUsd: nanoFromUsd(pricing["web_search"]),
    }),
  };
}
