import type { ChatRequest, Sampling } from "#canonical/chat-request.ts";
import { isSilentExtra } from "#canonical/silent-extra.ts";
import { compact, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { RenderTarget, ReportLoss, UpstreamBody } from "#protocols/codec.ts";
import { modelAbilities } from "./gemini-model.ts";
import type { ModelAbilities } from "./gemini-model.ts";
import { renderMessages } from "./render-message.ts";
import { renderThinking } from "./render-reasoning.ts";
import { renderToolConfig, renderTools } from "./render-tools.ts";

/** Renders any request for Gemini or Vertex; model and verb are in the URL. */
export function renderRequest(request: ChatRequest, target: RenderTarget): UpstreamBody {
  const { reportLoss } = target;
  const abilities = modelAbilities(target.upstreamModel);
  const { mixesTools, needsSignatures, mediaInResults } = abilities;
  const messageTarget = { needsSignatures, mediaInResults, reportLoss };
  const { contents, systemInstruction } = renderMessages(request, messageTarget);
  const own = request.protocol === "gemini" ? (request.extra ?? {}) : {};
  const config = {
    ...renderConfig(request, abilities, reportLoss),
    ...(isObject(own["generationConfig"]) && own["generationConfig"]),
  };
  const kept = withoutRefused(compact(config), target);
  const body = compact({
    systemInstruction,
    contents,
    tools: renderTools(request, { mixesTools, reportLoss }),
    toolConfig: renderToolConfig(request),
    serviceTier: renderServiceTier(request, reportLoss),
    ...own,
    generationConfig: Object.keys(kept).length > 0 ? kept : undefined,
  });
  reportUnsaid(request, reportLoss);
  return { body: withoutRefused(body, target) };
}

function renderConfig(
  request: ChatRequest,
  abilities: ModelAbilities,
  reportLoss: ReportLoss,
): JsonObject {
  const { sampling, logprobs, outputModalities } = request;
  return {
    temperature: sampling?.temperature,
    topP: sampling?.topP,
    topK: sampling?.topK,
    seed: sampling?.seed,
    presencePenalty: sampling?.presencePenalty,
    frequencyPenalty: sampling?.frequencyPenalty,
    maxOutputTokens: request.maxOutputTokens,
    candidateCount: request.candidateCount,
    stopSequences: request.stopSequences,
    responseLogprobs: logprobs === undefined ? undefined : true,
    logprobs: logprobs?.top,
    responseModalities: outputModalities?.map((name) => name.toUpperCase()),
    thinkingConfig: renderThinking(request, { abilities, reportLoss }),
    ...renderFormat(request, abilities, reportLoss),
  };
}

function renderFormat(
  { outputFormat, tools = [], protocol }: ChatRequest,
  { mixesTools }: ModelAbilities,
  reportLoss: ReportLoss,
): JsonObject {
  if (outputFormat === undefined) return {};
  if (outputFormat.type === "text") {
    return protocol === "gemini" ? { responseMimeType: "text/plain" } : {};
  }
  if (tools.length > 0 && !mixesTools && protocol !== "gemini") {
    reportLoss("response_format", "this model takes tools or a format of its answer, not both");
    return {};
  }
  const json = { responseMimeType: "application/json" };
  if (outputFormat.type === "json-object") return json;
  return { ...json, responseJsonSchema: outputFormat.schema };
}

function renderServiceTier(
  { serviceTier, protocol }: ChatRequest,
  reportLoss: ReportLoss,
): string | undefined {
  if (serviceTier === undefined || serviceTier === "auto") return undefined;
  if (protocol === "gemini") return serviceTier === "default" ? "standard" : serviceTier;
  if (serviceTier === "priority" || serviceTier === "flex") return serviceTier;
  if (serviceTier !== "default") reportLoss("service_tier", `no counterpart of ${serviceTier}`);
  return undefined;
}

const REASON = "Gemini cannot say it";

const SAMPLING: readonly (readonly [keyof Sampling, string])[] = [
  ["minP", "min_p"],
  ["repetitionPenalty", "repetition_penalty"],
  ["logitBias", "logit_bias"],
];

const MEMBERS: readonly (readonly [keyof ChatRequest, string])[] = [
  ["verbosity", "verbosity"],
  ["promptCacheKey", "prompt_cache_key"],
  ["promptCacheRetention", "prompt_cache_retention"],
  ["user", "user"],
  ["metadata", "metadata"],
];

function reportUnsaid(request: ChatRequest, reportLoss: ReportLoss): void {
  for (const [member, field] of SAMPLING) {
    if (request.sampling?.[member] !== undefined) reportLoss(field, REASON);
  }
  for (const [member, field] of MEMBERS) {
    if (request[member] !== undefined) reportLoss(field, REASON);
  }
  if (request.protocol === "gemini") return;
  if (request.parallelToolCalls === false) reportLoss("parallel_tool_calls", REASON);
  if (hasCacheMarkers(request)) reportLoss("cache_control", "Gemini caches without being asked");
  for (const key of Object.keys(request.extra ?? {})) {
    if (!isSilentExtra(request, key)) reportLoss(key, REASON);
  }
}

const hasCacheMarkers = ({ messages }: ChatRequest): boolean =>
  messages.some(({ content }) => content.some((part) => "cache" in part));

function withoutRefused(members: JsonObject, { dialect, reportLoss }: RenderTarget): JsonObject {
  const kept = { ...members };
  for (const field of dialect.refuses ?? []) {
    if (!(field in kept)) continue;
    delete kept[field];
    reportLoss(field, "this provider refuses it");
  }
  return kept;
}
