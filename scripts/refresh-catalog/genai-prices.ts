import type { Prices } from "../../gateway/src/catalog/types.ts";
import {
  type JsonObject,
  asArray,
  asNumber,
  asObject,
  asObjects,
  asString,
  isObject,
} from "../../gateway/src/lib/json.ts";
import {
  longContext,
  nanoFromUsd,
  picoFromUsdPerMillion,
  present,
  tokenPrices,
} from "./amounts.ts";
import { isoDate } from "./models-dev.ts";
import type { SourceRow } from "./row.ts";
import type { SnapshotInfo } from "./sources.ts";

/** genai-prices' provider ids to ours; its zhipuai has the prices of China, not those of Z.ai. */
const PROVIDERS: Readonly<Record<string, readonly string[]>> = {
  openai: ["openai"],
  anthropic: ["anthropic"],
  google: ["google", "vertex"],
  aws: ["bedrock"],
  azure: ["azure"],
  deepseek: ["deepseek"],
  "x-ai": ["xai"],
  moonshotai: ["moonshot"],
  minimax: ["minimax"],
  mistral: ["mistral"],
  cohere: ["cohere"],
  groq: ["groq"],
  together: ["together"],
  fireworks: ["fireworks"],
  cerebras: ["cerebras"],
  perplexity: ["perplexity"],
  openrouter: ["openrouter"],
  novita: ["novita"],
  voyageai: ["voyage"],
};

interface GenaiPrice {
  readonly id: string;
  readonly prices: Prices;
  readonly priceFrom?: string;
}

/** A row, and whether genai-prices lists the very id or a rule covers it. */
interface GenaiRow {
  readonly row: SourceRow;
  readonly isExact: boolean;
}

/** Prices by genai-prices' own provider id and its own rules of which model a name means. */
export interface GenaiPrices {
  /** The price of the source's day by genai-prices' provider id, with its fallbacks (Azure, Vertex). */
  find(genaiProvider: string, model: string): GenaiPrice | undefined;
  /** By our provider id, without fallbacks: the row that speaks for an endpoint. */
  rowFor(provider: string, upstreamModel: string): GenaiRow | undefined;
  /** Models that genai-prices lists under the id that the provider's API takes. */
  readonly rows: readonly SourceRow[];
}

/** Reads genai-prices' `data.json`. */
export function readGenaiPrices(data: unknown, info: SnapshotInfo): GenaiPrices {
  const lists = new Map(
    asObjects(data).map((provider) => [asString(provider["id"]) ?? "", provider]),
  );
  const ours = new Map(
    Object.entries(PROVIDERS).flatMap(([theirs, providers]) =>
      providers.map((id) => [id, theirs] as const),
    ),
  );
  const findIn = (genaiProvider: string, model: string): JsonObject | undefined =>
    asObjects(lists.get(genaiProvider)?.["models"]).find((entry) => matches(entry["match"], model));

  const rowOf = (
    provider: string,
    upstreamModel: string,
    model: JsonObject,
  ): SourceRow | undefined => {
    const price = priceOf(model);
    // Gemini's image models are listed with the price of image tokens for all output.
    if (price === undefined || /^gemini.*image/.test(price.id)) return undefined;
    const from =
      price.priceFrom !== undefined && price.priceFrom > info.date ? price.priceFrom : undefined;
    return {
      source: info.name,
      date: info.date,
      provider,
      upstreamModel,
      prices: price.prices,
      ...present({ priceFrom: from }),
    };
  };

  return {
    find(genaiProvider, model) {
      const name = model.toLowerCase();
      const places = [
        genaiProvider,
        ...asArray(lists.get(genaiProvider)?.["fallback_model_providers"]),
      ];
      for (const place of places) {
        const found = findIn(asString(place) ?? "", name);
        if (found !== undefined) return priceOf(found, info.date);
      }
      return undefined;
    },
    rowFor(provider, upstreamModel) {
      const found = findIn(ours.get(provider) ?? "", upstreamModel.toLowerCase());
      const row = found && rowOf(provider, upstreamModel, found);
      return row && { row, isExact: asString(found["id"]) === upstreamModel };
    },
    rows: [...ours]
      // Elsewhere its ids are names of price groups, or of models that have been withdrawn.
      .filter(([provider]) => ["voyage", "cohere", "cerebras"].includes(provider))
      .flatMap(([provider, theirs]) =>
        asObjects(lists.get(theirs)?.["models"]).flatMap((model) => {
          const id = asString(model["id"]);
          if (id === undefined || !hasExactId(model["match"], id)) return [];
          return rowOf(provider, id, model) ?? [];
        }),
      ),
  };
}

/** genai-prices' rules: `equals`, `starts_with`, `ends_with`, `contains`, `regex`, `or`, `and`. */
function matches(rule: unknown, name: string): boolean {
  if (!isObject(rule)) return false;
  const text = (key: string): string | undefined => asString(rule[key])?.toLowerCase();
  const [equals, starts, ends, contains] = ["equals", "starts_with", "ends_with", "contains"].map(
    text,
  );
  if (equals !== undefined) return name === equals;
  if (starts !== undefined) return name.startsWith(starts);
  if (ends !== undefined) return name.endsWith(ends);
  if (contains !== undefined) return name.includes(contains);
  const regex = asString(rule["regex"]);
  if (regex !== undefined) return new RegExp(regex).test(name);
  if (Array.isArray(rule["or"])) return rule["or"].some((part) => matches(part, name));
  return Array.isArray(rule["and"]) && rule["and"].every((part) => matches(part, name));
}

function hasExactId(rule: unknown, id: string): boolean {
  const match = asObject(rule);
  return match["equals"] === id || asArray(match["or"]).some((part) => hasExactId(part, id));
}

/**
 * The price with the latest start (up to a day, if one is given): an announced rise holds by the time that it matters, and a hold
 * too large is better than one too small. A price by the hour of the day has no single value.
 */
function priceOf(model: JsonObject, on = "9999-12-31"): GenaiPrice | undefined {
  const id = asString(model["id"]) ?? "";
  const dated = model["prices"];
  if (!Array.isArray(dated)) return withPrices(id, asObject(dated));
  const steps = asObjects(dated).map((step) => ({
    prices: asObject(step["prices"]),
    constraint: step["constraint"],
    from: isoDate(asObject(step["constraint"])["start_date"]),
  }));
  if (steps.some((step) => step.constraint !== undefined && step.from === undefined))
    return undefined;
  const latest = steps
    .filter(({ from }) => (from ?? "") <= on)
    .sort((a, b) => (a.from ?? "").localeCompare(b.from ?? ""))
    .at(-1);
  if (latest === undefined) return undefined;
  const found = withPrices(id, latest.prices);
  return found && { ...found, ...present({ priceFrom: latest.from }) };
}

const FIELDS = {
  input: "input_mtok",
  output: "output_mtok",
  cacheRead: "cache_read_mtok",
  cacheWrite5m: "cache_write_mtok",
  inputAudio: "input_audio_mtok",
  cacheReadAudio: "cache_audio_read_mtok",
  outputAudio: "output_audio_mtok",
} as const;

/** Models that answer without tokens; elsewhere a missing output price is unknown. */
const INPUT_ONLY = /embed|voyage|rerank|moderation/;

function withPrices(id: string, prices: JsonObject): GenaiPrice | undefined {
  const at = (pick: (value: unknown) => unknown) =>
    Object.fromEntries(
      Object.entries(FIELDS).map(([name, field]) => [
        name,
        picoFromUsdPerMillion(pick(prices[field])),
      ]),
    );
  const plain = at((value) => (isObject(value) ? value["base"] : value));
  const base = tokenPrices({
    ...plain,
    output: plain["output"] ?? (INPUT_ONLY.test(id) ? 0 : undefined),
  });
  if (base === undefined) return undefined;
  const bounds = new Set(
    Object.values(FIELDS).flatMap((field) =>
      asObjects(asObject(prices[field])["tiers"]).flatMap((tier) => asNumber(tier["start"]) ?? []),
    ),
  );
  const steps = [...bounds].map((bound) => ({
    aboveInputTokens: bound,
    prices: at((value) => tierPrice(value, bound)),
  }));
  const perThousand = asNumber(prices["requests_kcount"]);
  return {
    id,
    prices: {
      ...base,
      ...present<Prices>({
        longContext: longContext(base, steps),
        perRequestNanoUsd: perThousand === undefined ? undefined : nanoFromUsd(perThousand / 1000),
      }),
    },
  };
}

const tierPrice = (value: unknown, bound: number): unknown =>
  asObjects(asObject(value)["tiers"]).find((tier) => tier["start"] === bound)?.["price"];
