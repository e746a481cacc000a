import { asArray, asObject, compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { ChatRequest, OutputFormat, Sampling } from "#canonical/chat-request.ts";
import type { Message } from "#canonical/message.ts";
import type { RenderTarget, ReportLoss, UpstreamBody } from "#protocols/codec.ts";
import { renderInput } from "./render-input.ts";
import { renderReasoningOptions } from "./render-reasoning-options.ts";
import { renderToolChoice, renderTools } from "./render-tools.ts";

/** Renders a request for a provider that speaks the Responses API. */
export function renderRequest(request: ChatRequest, target: RenderTarget): UpstreamBody {
  const { reportLoss } = target;
  reportUnsaid(request, reportLoss);
  const extra = extraMembers(request, reportLoss);
  const { tools, toolChoice, sampling = {} } = request;
  const body = compact({
    model: target.upstreamModel,
    input: renderInput(request.messages, target),
    stream: request.stream ? true : undefined,
    tools: tools === undefined ? undefined : renderTools(request, reportLoss),
    tool_choice: toolChoice === undefined ? undefined : renderToolChoice(toolChoice, tools ?? []),
    parallel_tool_calls: request.parallelToolCalls,
    max_output_tokens: request.maxOutputTokens,
    temperature: sampling.temperature,
    top_p: sampling.topP,
    top_logprobs: request.logprobs?.top,
    prompt_cache_key: request.promptCacheKey,
    prompt_cache_retention: request.promptCacheRetention,
    service_tier: request.serviceTier,
    user: request.user,
    metadata: request.metadata,
    ...extra,
    include: renderInclude(request, extra),
    store: extra["store"] ?? storeMember(request),
    text: renderText(request, asObject(extra["text"])),
    reasoning: renderReasoningOptions(request, target),
  });
  return { body: withoutRefused(body, target) };
}

function extraMembers({ extra = {}, protocol }: ChatRequest, reportLoss: ReportLoss): JsonObject {
  if (protocol === "openai-responses") return extra;
  const { store, ...others } = extra;
  for (const name of Object.keys(others)) {
    reportLoss(name, "the Responses API has no such member");
  }
  // Chat completions have the same member.
  return typeof store === "boolean" ? { store } : {};
}

function renderInclude(request: ChatRequest, extra: JsonObject): unknown[] | undefined {
  const include = [
    ...(request.reasoning?.encrypted === true ? ["reasoning.encrypted_content"] : []),
    ...(request.logprobs === undefined ? [] : ["message.output_text.logprobs"]),
    ...asArray(extra["include"]),
  ];
  return include.length === 0 ? undefined : include;
}

/**
 * Encrypted reasoning is only handed out for answers that are not stored (OpenAI: `include` of
 * `reasoning.encrypted_content` is for `store: false`), and clients of other dialects cannot say
 * `store`. A client of this protocol decides for itself.
 */
const storeMember = ({ reasoning, protocol }: ChatRequest): false | undefined =>
  reasoning?.encrypted === true && protocol !== "openai-responses" ? false : undefined;

function renderText(request: ChatRequest, rest: JsonObject): JsonObject | undefined {
  const { outputFormat, verbosity } = request;
  const text = compact({
    ...rest,
    format: outputFormat === undefined ? undefined : renderFormat(outputFormat),
    verbosity,
  });
  return Object.keys(text).length === 0 ? undefined : text;
}

function renderFormat(format: OutputFormat): JsonObject {
  if (format.type === "text") return { type: "text" };
  if (format.type === "json-object") return { type: "json_object" };
  const { name, description, schema, strict } = format;
  // The API requires a name.
  return compact({ type: "json_schema", name: name ?? "response", description, schema, strict });
}

/** Wire names of sampling members that the Responses API does not have. */
const UNSAID_SAMPLING = {
  topK: "top_k",
  minP: "min_p",
  frequencyPenalty: "frequency_penalty",
  presencePenalty: "presence_penalty",
  repetitionPenalty: "repetition_penalty",
  seed: "seed",
  logitBias: "logit_bias",
} as const satisfies Partial<Record<keyof Sampling, string>>;

function reportUnsaid(request: ChatRequest, reportLoss: ReportLoss): void {
  const { sampling = {}, stopSequences, candidateCount, outputModalities } = request;
  for (const [name, field] of Object.entries(UNSAID_SAMPLING)) {
    if (sampling[name as keyof Sampling] !== undefined) {
      reportLoss(field, "the Responses API has no such member");
    }
  }
  if (stopSequences !== undefined && stopSequences.length > 0) {
    reportLoss("stop", "the Responses API has no stop sequences");
  }
  if (candidateCount !== undefined && candidateCount > 1) {
    reportLoss("n", "the Responses API gives one answer");
  }
  if (outputModalities?.some((modality) => modality.toLowerCase() !== "text")) {
    reportLoss("modalities", "the Responses API answers in text");
  }
  if (request.messages.some(hasCacheMarker)) {
    reportLoss("cache_control", "caching is automatic; breakpoints are not sent");
  }
}

const hasCacheMarker = ({ content }: Message): boolean =>
  content.some((part) => "cache" in part && part.cache !== undefined);

function withoutRefused(body: JsonObject, { dialect, reportLoss }: RenderTarget): JsonObject {
  const refused = (dialect.refuses ?? []).filter((name) => body[name] !== undefined);
  for (const name of refused) reportLoss(name, "this provider refuses it");
  return Object.fromEntries(Object.entries(body).filter(([name]) => !refused.includes(name)));
}
