import { expect, test } from "vitest";

import { foldEvents } from "#canonical/fold-events.ts";
import type { UpstreamProtocol } from "#canonical/protocol-name.ts";
import { buildCatalog } from "#catalog/catalog.ts";
import { builtInCatalog } from "#catalog/load-catalog.ts";
import { costOfUsage } from "#ledger/cost-of-usage.ts";
import { isObject } from "#lib/json.ts";
import type { Dialect } from "#protocols/codec.ts";
import { UPSTREAM_CODECS } from "#protocols/registry.ts";
import type { Provider } from "#providers/provider.ts";
import { PROVIDERS } from "#providers/providers.ts";
import { describeCorpus, recordings, responseBytes, type Recording } from "#test/corpus.ts";
import { parseStream } from "#test/every-split.ts";

const PROTOCOLS: Readonly<Record<string, UpstreamProtocol>> = {
  "openai.chat": "openai-chat",
  "openai.responses": "openai-responses",
  "anthropic.messages": "anthropic-messages",
  "anthropic.messages(vertex)": "anthropic-messages",
  "gemini.generateContent": "gemini",
  "gemini.streamGenerateContent": "gemini",
};

/** Where the recordings name a provider otherwise than the table does. */
const PROVIDER_IDS: Readonly<Record<string, string>> = { gemini: "google" };

/**
 * Recorded answers with their cost in nano-USD, reckoned by hand from the usage that the provider
 * sent and its price list (USD for a million tokens; one of these is 1,000 nano-USD a token).
 */
const ROWS: readonly (readonly [id: string, what: string, nanoUsd: bigint | null])[] = [
  // 2674 × 3 + 373 × 15
  ["72a366657264", "anthropic, plain", 13_617_000n],
  // 1 × 3 + 120 × 3.75 + 3068 × 0.30 + 97 × 15
  [
    "7bb3231fba9b",
    "anthropic stream, cache written and read, both outside input_tokens",
    2_828_400n,
  ],
  // 15 × 5 + 837 × 6.25 + 81 × 25
  ["48cb4e0c4717", "anthropic stream, cache written, thinking inside the output", 7_331_250n],
  // 164 × 0.05 + 500 × 0.40
  ["b2af7aa8ed6a", "azure stream, all output is reasoning", 208_200n],
  // 60 × 0.20 + 159 × 0.05 + 45 × 0.50
  ["08854f4d0574", "azure grok, cached inside the prompt", 42_450n],
  // 134 × 0.20 + 370 × 0.05 + 91 × 0.50
  ["34201ac69565", "azure grok with an image", 90_800n],
  // 1140 × 0.25 + 2560 × 0.025 + 741 × 2
  ["f44b9ce29014", "azure responses, cached input, reasoning inside the output", 1_831_000n],
  // 82 × 0.435 + 256 × 0.003625 + 165 × 0.87 = 35.67 + 0.928 + 143.55
  ["19332653bf2a", "deepseek stream, cache hit", 180_148n],
  // 510 × 0.50 + 18 × 3: the prompt of tool use is input, thoughts are output
  ["84179dea51b1", "gemini, tool-use prompt and thoughts", 309_000n],
  // 11 × 0.30 + 111 × 2.50
  ["25280d06a4a8", "gemini speech", 280_800n],
  // 14 × 0.50 + 138 × 1 + (18 + 609) × 3
  ["22c872a508f0", "gemini, audio input at its own price, thoughts", 2_026_000n],
  // 13 × 0.30 + 9609 × 0.03 + (35 + 136) × 2.50
  ["408dc98edb21", "gemini, cached content", 719_670n],
  // 3 × 0.075 + 1792 × 0.0375 + 16 × 0.30
  ["04ed07a9290e", "groq stream, cached", 72_225n],
  // 16 × 0.60 + 4 × 10 + 49 × 2.40
  ["26af94f3306e", "openai, audio input at its own price", 167_200n],
  // 56 × 0.10 + 1024 × 0.025 + 7 × 0.40
  ["9f271a541a45", "openai, cached", 34_000n],
  // 39550 × 1.25 + 4352 × 0.125 + 4474 × 10
  ["7d41c9622f1a", "openai responses, cached, 3840 of the output are reasoning", 94_721_500n],
  // 3 × 5 + 1217 × 6.25 + 100 × 30
  ["183122d60f1b", "openai responses, cache written", 10_621_250n],
  // 1 × 3 + 79 × 3.75 + 2569 × 0.30 + 100 × 15, which is also what OpenRouter says it charged
  ["62493bf37116", "openrouter, cache written and read", 2_569_950n],
  // 16924 × 1.75 + 485 × 14 + 3 searches × 10,000, as OpenRouter says too
  ["d16988388cd2", "openrouter, three web searches", 66_407_000n],
  // 30 × 0.60 + 2 × 0.15 + (31 + 430) × 4
  ["02bfb95440d2", "xai, whose completion_tokens leave reasoning out", 1_862_300n],
  // 101 × 0.20 + 168 × 0.05 + 15 × 0.50
  ["b45bffbf4056", "xai stream, cached, under the long-context bound", 36_100n],
  // 66 × 3 + 115 × 15
  ["3dbdfc0a4658", "claude on vertex, stream", 1_923_000n],
  // 13 × 0.30 + 100 × 1 + (10 + 22) × 2.50
  ["1d8fb48524a0", "vertex, audio input", 183_900n],
  // 369 × 0.30 + 2993 × 0.03 + (212 + 869) × 2.50
  ["198162db181c", "vertex, cached video", 2_902_990n],
  // 18 × 0.60 + 8 × 0.60 (no price for cached) + 212 × 1.80
  ["445a71cb6217", "zai stream, cached without a price of its own", 397_200n],
];

const catalog = buildCatalog(builtInCatalog());

function dialectOf(recording: Recording, protocol: UpstreamProtocol): Dialect {
  const provider: Provider | undefined = PROVIDERS[providerOf(recording)];
  return provider?.speaks.find((speech) => speech.protocol === protocol)?.dialect ?? {};
}

const providerOf = ({ provider }: Recording): string => PROVIDER_IDS[provider] ?? provider;

function costOf(recording: Recording): bigint | null {
  const protocol = PROTOCOLS[recording.endpoint];
  if (protocol === undefined) throw new Error(`no protocol for ${recording.endpoint}`);
  const dialect = dialectOf(recording, protocol);
  const codec = UPSTREAM_CODECS[protocol];
  const { body, sse } = recording.response;
  const response =
    sse === undefined
      ? codec.parseResponse(isObject(body) ? body : {}, dialect)
      : foldEvents(parseStream([responseBytes(recording)], codec.createStreamParser(dialect)));
  if ("code" in response || response.usage === undefined) throw new Error("no usage");
  const model = recording.model ?? response.model;
  const endpoint = catalog.resolve(`${providerOf(recording)}/${model}`)?.endpoints[0];
  return costOfUsage(response.usage, endpoint?.prices).nanoUsd;
}

describeCorpus("cost of recorded answers", () => {
  const byId = new Map(recordings().map((recording) => [recording.id, recording]));
  test.each(ROWS)("%s: %s", (id, _what, nanoUsd) => {
    const recording = byId.get(id);
    if (recording === undefined) throw new Error(`recording ${id} is gone`);
    expect(costOf(recording)).toBe(nanoUsd);
  });
});
