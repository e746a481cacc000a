import { compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { ChatRequest, OutputFormat, Sampling } from "#canonical/chat-request.ts";
import type { Message } from "#canonical/message.ts";
import { reportTextSignatures } from "#canonical/report-text-signatures.ts";
import { isSilentExtra } from "#canonical/silent-extra.ts";
import { withoutBillingHeader } from "#canonical/without-billing-header.ts";
import type { RenderTarget, ReportLoss, UpstreamBody } from "#protocols/codec.ts";
import { renderMessages } from "./render-messages.ts";
import { renderToolMembers } from "./render-tools.ts";

/** Members of Cohere's API that a client may send beside its own dialect's. */
const PASSED_ON: ReadonlySet<string> = new Set([
  "safety_mode",
  "documents",
  "citation_options",
  "strict_tools",
  "priority",
]);

/** Renders the body of `POST /v2/chat`. */
export function renderRequest(request: ChatRequest, target: RenderTarget): UpstreamBody {
  const { reportLoss } = target;
  reportUnsaid(request, reportLoss);
  reportTextSignatures(request.messages, reportLoss);
  const { sampling = {} } = request;
  const body = compact({
    model: target.upstreamModel,
    messages: renderMessages(withoutBillingHeader(request.messages), target),
    // Cohere's reference calls the member required.
    stream: request.stream,
    ...renderToolMembers(request, reportLoss),
    ...passedOn(request, reportLoss),
    response_format: renderFormat(request.outputFormat, reportLoss),
    thinking: renderThinking(request, reportLoss),
    max_tokens: request.maxOutputTokens,
    stop_sequences: request.stopSequences,
    temperature: sampling.temperature,
    p: sampling.topP,
    k: sampling.topK,
    seed: sampling.seed,
    frequency_penalty: sampling.frequencyPenalty,
    presence_penalty: sampling.presencePenalty,
    logprobs: request.logprobs === undefined ? undefined : true,
  });
  return { body };
}

function passedOn(request: ChatRequest, reportLoss: ReportLoss): JsonObject {
  const passed: JsonObject = {};
  for (const [name, value] of Object.entries(request.extra ?? {})) {
    if (PASSED_ON.has(name)) passed[name] = value;
    else if (!isSilentExtra(request, name)) reportLoss(name, "Cohere has no such member");
  }
  return passed;
}

function renderFormat(
  format: OutputFormat | undefined,
  reportLoss: ReportLoss,
): JsonObject | undefined {
  if (format === undefined || format.type === "text") return undefined;
  if (format.type === "json-object") return { type: "json_object" };
  if (format.strict === false) reportLoss("response_format.strict", "a schema is always enforced");
  return { type: "json_object", schema: format.schema };
}

function renderThinking(request: ChatRequest, reportLoss: ReportLoss): JsonObject | undefined {
  const { effort, budgetTokens, enabled } = request.reasoning ?? {};
  if (enabled === false || effort === "none") return { type: "disabled" };
  if (enabled === undefined && effort === undefined && budgetTokens === undefined) return undefined;
  if (effort !== undefined) reportLoss("reasoning_effort", "changed: thinking is on or off here");
  return compact({ type: "enabled", token_budget: budgetTokens });
}

const UNSAID_SAMPLING: readonly (readonly [keyof Sampling, string])[] = [
  ["minP", "min_p"],
  ["repetitionPenalty", "repetition_penalty"],
  ["logitBias", "logit_bias"],
];

const UNSAID: readonly (readonly [keyof ChatRequest, string])[] = [
  ["verbosity", "verbosity"],
  ["serviceTier", "service_tier"],
  ["promptCacheKey", "prompt_cache_key"],
  ["promptCacheRetention", "prompt_cache_retention"],
  ["user", "user"],
  ["metadata", "metadata"],
];

function reportUnsaid(request: ChatRequest, reportLoss: ReportLoss): void {
  const reason = "Cohere has no such member";
  for (const [member, field] of UNSAID_SAMPLING) {
    if (request.sampling?.[member] !== undefined) reportLoss(field, reason);
  }
  for (const [member, field] of UNSAID)
    if (request[member] !== undefined) reportLoss(field, reason);
  for (const [field, isAsked] of Object.entries(unsaidChoices(request))) {
    if (isAsked) reportLoss(field, reason);
  }
}

/** Members that can be said by halves: only what goes beyond that is lost. */
const unsaidChoices = (request: ChatRequest): Record<string, boolean> => ({
  parallel_tool_calls: request.parallelToolCalls === false,
  top_logprobs: (request.logprobs?.top ?? 0) > 0,
  n: (request.candidateCount ?? 1) > 1,
  modalities: request.outputModalities?.some((name) => name.toLowerCase() !== "text") ?? false,
  cache_control: request.messages.some(hasCacheMarker),
});

const hasCacheMarker = ({ content }: Message): boolean =>
  content.some((part) => "cache" in part && part.cache !== undefined);
