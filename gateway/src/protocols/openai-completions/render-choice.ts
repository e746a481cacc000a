import type { FinishReason } from "#canonical/chat-response.ts";
import type { Usage } from "#canonical/usage.ts";
import { asArray, asObject, asObjects, asString, compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { AnswerContext } from "#protocols/codec.ts";

/** What every body and chunk begins with. */
export const completionHead = ({ requestId, created, model }: AnswerContext): JsonObject => ({
  id: `cmpl-${requestId}`,
  object: "text_completion",
  created,
  model,
});

export function renderFinishReason(reason: FinishReason): string {
  if (reason === "length" || reason === "error") return reason;
  return reason === "content-filter" || reason === "refusal" ? "content_filter" : "stop";
}

export function renderUsage(usage: Usage, { costUsd }: AnswerContext): JsonObject {
  const { inputTokens, outputTokens, cacheReadTokens } = usage;
  return compact({
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details:
      cacheReadTokens === undefined ? undefined : { cached_tokens: cacheReadTokens },
    cost: costUsd(usage) ?? undefined,
  });
}

/** Chat's list of scored tokens in the older form of parallel arrays. */
export function renderLogprobs(content: readonly JsonObject[], offset: number): JsonObject {
  let end = offset;
  const offsets = content.map(({ token }) => {
    const start = end;
    end += (asString(token) ?? "").length;
    return start;
  });
  return {
    tokens: content.map(({ token }) => token),
    token_logprobs: content.map(({ logprob }) => logprob),
    top_logprobs: content.map((scored) => topLogprobs(scored)),
    text_offset: offsets,
  };
}

function topLogprobs(scored: JsonObject): JsonObject | null {
  if (asArray(scored["top_logprobs"]).length === 0) return null;
  return Object.fromEntries(
    asObjects(scored["top_logprobs"]).map((other) => {
      const { token, logprob } = asObject(other);
      return [asString(token) ?? "", logprob];
    }),
  );
}
