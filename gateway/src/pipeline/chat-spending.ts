import type { ChatRequest } from "#canonical/chat-request.ts";
import type { ServiceTier } from "#canonical/usage.ts";
import { inputTokensUpperBound } from "#ledger/input-bound.ts";
import { asNumber } from "#lib/json.ts";
import type { Spending } from "#pipeline/call.ts";
import type { Needs } from "#routing/candidate.ts";

/** Providers search a handful of times for one answer; Anthropic's own examples allow five. */
const WEB_SEARCHES = 10;
/** More answers of one request no provider takes. */
const MOST_ANSWERS = 1_000_000;

/** What bounds the cost of a chat request. Nothing is looked at before a bound is asked for. */
export function chatSpending(
  request: ChatRequest,
  { needs, tier }: { readonly needs: Needs; readonly tier: ServiceTier },
): Spending {
  const byContext = new Map<number | undefined, number>();
  const inputTokens = (contextTokens: number | undefined): number => {
    let tokens = byContext.get(contextTokens);
    if (tokens === undefined) {
      byContext.set(contextTokens, (tokens = inputTokensUpperBound(request, contextTokens)));
    }
    return tokens;
  };
  const makes = (modality: string): boolean =>
    request.outputModalities?.includes(modality) === true;
  const searches = (request.tools ?? []).some(
    (tool) => tool.type === "server" && tool.kind === "web-search",
  );
  return {
    answers: answersOf(request),
    writes: true,
    outputTokens: request.maxOutputTokens,
    boundOf: ({ endpoint, model }) => ({
      inputTokens: inputTokens(endpoint.contextTokens),
      tier,
      audio: needs.modalities.includes("audio") || makes("audio"),
      images:
        needs.modalities.includes("image") || makes("image") || model.output.includes("image"),
      webSearches: searches ? WEB_SEARCHES : 0,
      searchUnits: 0,
    }),
  };
}

/** Completions of the old API write `best_of` answers and give `n` of them: all are billed. */
function answersOf({ candidateCount = 1, extra }: ChatRequest): number {
  const most = Math.max(candidateCount, asNumber(extra?.["best_of"]) ?? 1);
  return most >= 1 ? Math.ceil(Math.min(most, MOST_ANSWERS)) : 1;
}
