import type { ChatRequest, Sampling } from "#canonical/chat-request.ts";
import { isSilentExtra } from "#canonical/silent-extra.ts";
import type { ReportLoss } from "#protocols/codec.ts";

const REASON = "Anthropic Messages cannot say it";

const SAMPLING: readonly (readonly [keyof Sampling, string])[] = [
  ["minP", "min_p"],
  ["frequencyPenalty", "frequency_penalty"],
  ["presencePenalty", "presence_penalty"],
  ["repetitionPenalty", "repetition_penalty"],
  ["seed", "seed"],
  ["logitBias", "logit_bias"],
];

const MEMBERS: readonly (readonly [keyof ChatRequest, string])[] = [
  ["logprobs", "logprobs"],
  ["verbosity", "verbosity"],
  ["promptCacheKey", "prompt_cache_key"],
  ["promptCacheRetention", "prompt_cache_retention"],
];

/** Reports every member of the request that this protocol has no place for. */
export function reportUnsaid(request: ChatRequest, reportLoss: ReportLoss): void {
  for (const [member, field] of SAMPLING) {
    if (request.sampling?.[member] !== undefined) reportLoss(field, REASON);
  }
  for (const [member, field] of MEMBERS) {
    if (request[member] !== undefined) reportLoss(field, REASON);
  }
  const { candidateCount = 1, outputModalities = [] } = request;
  if (candidateCount > 1) reportLoss("n", "only one answer is given");
  if (outputModalities.some((modality) => modality.toLowerCase() !== "text")) {
    reportLoss("modalities", "answers are text only");
  }
  if (request.protocol !== "anthropic-messages") reportForeign(request, reportLoss);
}

function reportForeign(request: ChatRequest, reportLoss: ReportLoss): void {
  if (request.metadata !== undefined) reportLoss("metadata", REASON);
  for (const key of Object.keys(request.extra ?? {})) {
    if (!isSilentExtra(request, key)) reportLoss(key, REASON);
  }
}
