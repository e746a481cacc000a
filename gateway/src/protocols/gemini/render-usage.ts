import type { Usage } from "#canonical/usage.ts";
import { compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";

/** The protocol's `usageMetadata`, with the gateway's own `cost` in USD. */
export function renderUsage(usage: Usage, costUsd: number | null): JsonObject {
  const { inputTokens, outputTokens, reasoningTokens = 0 } = usage;
  return compact({
    promptTokenCount: inputTokens,
    candidatesTokenCount: Math.max(0, outputTokens - reasoningTokens),
    totalTokenCount: inputTokens + outputTokens,
    cachedContentTokenCount: usage.cacheReadTokens,
    thoughtsTokenCount: usage.reasoningTokens,
    promptTokensDetails: details(inputTokens, {
      AUDIO: usage.inputAudioTokens,
      IMAGE: usage.inputImageTokens,
    }),
    candidatesTokensDetails: details(outputTokens - reasoningTokens, {
      AUDIO: usage.outputAudioTokens,
      IMAGE: usage.outputImageTokens,
    }),
    cacheTokensDetails: details(usage.cacheReadTokens ?? 0, { AUDIO: usage.cacheReadAudioTokens }),
    cost: costUsd,
  });
}

/** Tokens by modality; left out where all of them are text. */
function details(
  total: number,
  counts: Readonly<Record<string, number | undefined>>,
): JsonObject[] | undefined {
  const known = Object.entries(counts).flatMap(([modality, tokenCount = 0]) =>
    tokenCount > 0 ? [{ modality, tokenCount }] : [],
  );
  if (known.length === 0) return undefined;
  const text = total - known.reduce((sum, { tokenCount }) => sum + tokenCount, 0);
  return text > 0 ? [{ modality: "TEXT", tokenCount: text }, ...known] : known;
}
