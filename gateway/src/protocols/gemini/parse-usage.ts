import { partOf, tokenCount } from "#canonical/token-count.ts";
import type { Usage } from "#canonical/usage.ts";
import { asNumber, asObjects, compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import { camelKeys } from "./wire-case.ts";

/**
 * Reads `usageMetadata`; `undefined` when it counts nothing. On the wire thoughts stand beside the
 * candidates' tokens and the results of the provider's own tools beside the prompt's; cached tokens
 * are inside the prompt.
 */
export function parseUsage(wire: JsonObject): Usage | undefined {
  const usage = camelKeys(wire);
  const prompt = tokenCount(usage["promptTokenCount"]);
  const candidates = tokenCount(usage["candidatesTokenCount"]);
  const thoughts = tokenCount(usage["thoughtsTokenCount"]) ?? 0;
  if (prompt === undefined && candidates === undefined && thoughts === 0) return undefined;
  const inputTokens = (prompt ?? 0) + (tokenCount(usage["toolUsePromptTokenCount"]) ?? 0);
  const outputTokens = (candidates ?? 0) + thoughts;
  const cacheReadTokens = partOf(inputTokens, usage["cachedContentTokenCount"]);
  const inputAudioTokens = partOf(inputTokens, modality(usage["promptTokensDetails"], "AUDIO"));
  const cachedAudio = modality(usage["cacheTokensDetails"], "AUDIO");
  return compact({
    inputTokens,
    outputTokens,
    cacheReadTokens,
    inputAudioTokens,
    cacheReadAudioTokens: partOf(
      Math.min(cacheReadTokens ?? 0, inputAudioTokens ?? 0),
      cachedAudio,
    ),
    inputImageTokens: partOf(inputTokens, modality(usage["promptTokensDetails"], "IMAGE")),
    reasoningTokens: partOf(outputTokens, thoughts),
    outputAudioTokens: partOf(outputTokens, modality(usage["candidatesTokensDetails"], "AUDIO")),
    outputImageTokens: partOf(outputTokens, modality(usage["candidatesTokensDetails"], "IMAGE")),
    reportedCostUsd: asNumber(usage["cost"]),
  }) as unknown as Usage;
}

function modality(details: unknown, name: string): number | undefined {
  const detail = asObjects(details)
    .map(camelKeys)
    .find((entry) => entry["modality"] === name);
  return tokenCount(detail?.["tokenCount"]);
}
