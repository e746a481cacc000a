import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Usage } from "../../gateway/src/canonical/usage.ts";
import type { Prices } from "../../gateway/src/catalog/types.ts";
import { costOfUsage } from "../../gateway/src/ledger/cost-of-usage.ts";
import {
  type JsonObject,
  asNumber,
  asObject,
  asObjects,
  asString,
} from "../../gateway/src/lib/json.ts";
import { readGenaiPrices } from "./genai-prices.ts";
import { readSource } from "./sources.ts";

const folder = fileURLToPath(new URL("../../../shared/catalog", import.meta.url));
const file = join(folder, "usage-cost-oracle.json");
const isPresent = existsSync(file);
const isRequired = process.env["CI"] === "true";
if (!isPresent && !isRequired) console.warn(`SKIPPED: ${file} is absent, real usage is not priced`);

/** Why the price file of that day cannot give what the oracle expects. */
const OTHER_PRICES: Readonly<Record<string, string>> = {
  "google/gemini-3-pro-image-preview":
    "the file has one output price, the oracle one for text and one for images",
  "google/gemini-2.5-flash-image":
    "the file has one output price, the oracle one for text and one for images",
  "aws/openai.gpt-5.6-luna": "the file has no such model at aws",
  "deepseek/deepseek-r1-distill-llama-70b":
    "the file has a price by the hour, which is no single price",
  "deepseek/deepseek-reasoner": "the file has a price by the hour, which is no single price",
  "openrouter/google/gemini-2.0-flash-exp:free":
    "the file has no price, the oracle reads that as 0",
};

interface Case {
  readonly id: string;
  readonly provider: string;
  readonly model: string;
  readonly usage: Usage;
  readonly prices: Prices | undefined;
  readonly expected: { readonly input: bigint; readonly output: bigint };
}

/** The oracle's own counts, as a parser of the gateway would give them. */
function usageOf(counts: JsonObject): Usage {
  const count = (name: string): number => asNumber(counts[name]) ?? 0;
  return {
    inputTokens: count("input_tokens"),
    outputTokens: count("output_tokens"),
    cacheReadTokens: count("cache_read_tokens"),
    cacheWrite5mTokens: count("cache_write_tokens"),
    inputAudioTokens: count("input_audio_tokens"),
    outputAudioTokens: count("output_audio_tokens"),
    reasoningTokens: count("output_reasoning_tokens"),
  };
}

/** A decimal text of USD (`0.000042`, `8E-7`) in nano-USD, half up. */
const nanoOf = (text: string): bigint => (BigInt(Math.round(Number(text) * 1e12)) + 500n) / 1000n;

function readCases(): readonly Case[] {
  const source = readSource(folder, "genaiPrices");
  const genai = readGenaiPrices(source.data, source.info);
  const entries = asObjects(JSON.parse(readFileSync(file, "utf8")));
  return entries.flatMap((entry, i) =>
    asObjects(entry["extracted"]).flatMap((extracted) =>
      asObjects(extracted["extractors"]).flatMap((expected) => {
        const input = asString(expected["input_price"]);
        const output = asString(expected["output_price"]);
        if (input === undefined || output === undefined) return [];
        const provider = asString(expected["provider_id"]) ?? "";
        const model = asString(entry["model"]) ?? asString(asObject(entry["body"])["model"]) ?? "";
        return [
          {
            id: `${i} ${provider}/${model} ${asString(expected["api_flavor"])}`,
            provider,
            model,
            usage: usageOf(asObject(extracted["usage"])),
            prices: genai.find(provider, model)?.prices,
            expected: { input: nanoOf(input), output: nanoOf(output) },
          },
        ];
      }),
    ),
  );
}

const side = ({ usage, prices }: Case, of: "input" | "output"): bigint | null => {
  const plain = prices && { ...prices, perRequestNanoUsd: 0 };
  return costOfUsage(
    of === "input" ? { ...usage, outputTokens: 0 } : { ...usage, inputTokens: 0 },
    // A step of the input total must also hold for the output side.
    of === "output" && plain ? stepFor(plain, usage.inputTokens) : plain,
  ).nanoUsd;
};

const stepFor = (prices: Prices, inputTokens: number): Prices =>
  prices.longContext?.findLast((step) => inputTokens > step.aboveInputTokens)?.prices ?? prices;

describe.skipIf(!isPresent && !isRequired)("costOfUsage on real usage", () => {
  const cases = isPresent ? readCases() : [];

  test("the oracle is there and is large", () => {
    expect(cases.length).toBeGreaterThan(1500);
  });

  const wrong = cases.filter((one) => {
    const [input, output] = [side(one, "input"), side(one, "output")];
    return input !== one.expected.input || output !== one.expected.output;
  });

  test("agrees to the nano-USD wherever the price is the same", () => {
    console.info(`${cases.length - wrong.length} of ${cases.length} agree`);
    const unexplained = wrong.filter(
      ({ provider, model }) => !(`${provider}/${model}` in OTHER_PRICES),
    );
    expect(
      unexplained.map((one) => [one.id, side(one, "input"), side(one, "output"), one.expected]),
    ).toEqual([]);
    expect(wrong.length).toBeLessThanOrEqual(7);
  });

  test("every explained difference is still there", () => {
    const found = new Set(wrong.map(({ provider, model }) => `${provider}/${model}`));
    expect(Object.keys(OTHER_PRICES).filter((name) => !found.has(name))).toEqual([]);
  });
});
