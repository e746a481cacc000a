import type { ChatRequest, OutputFormat } from "#canonical/chat-request.ts";
import { reportTextSignatures } from "#canonical/report-text-signatures.ts";
import { withoutBillingHeader } from "#canonical/without-billing-header.ts";
import { compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { FormatTarget, RenderTarget, ReportLoss, UpstreamBody } from "#protocols/codec.ts";

import { SAMPLING_FIELDS } from "./parse-request.ts";
import { renderReasoning } from "./reasoning-options.ts";
import { renderMessages } from "./render-message.ts";
import { renderToolChoice, renderTools } from "./tools.ts";

/** Renders a request for one provider's dialect of chat completions. */
export function renderRequest(request: ChatRequest, base: RenderTarget): UpstreamBody {
  const target = { ...base, reportLoss: reportOnce(base.reportLoss) };
  const body = {
    ...renderExtra(request, target),
    ...compact({
      model: target.upstreamModel,
      messages: renderMessages(withoutBillingHeader(request.messages), target),
      ...renderTooling(request, target),
      ...renderLimits(request, target),
      ...renderSampling(request),
      ...renderIdentity(request, target),
      ...(request.reasoning === undefined ? {} : renderReasoning(request.reasoning, target)),
      response_format: renderOutputFormat(request.outputFormat, target),
      ...renderStream(request, target),
    }),
  };
  reportTextSignatures(request.messages, target.reportLoss);
  return { body: withoutRefused(body, target) };
}

/** One field is one loss, however many messages have it. */
function reportOnce(reportLoss: ReportLoss): ReportLoss {
  const seen = new Set<string>();
  return (field, reason) => {
    const key = `${field}\n${reason}`;
    if (seen.has(key)) return;
    seen.add(key);
    reportLoss(field, reason);
  };
}

function renderTooling(request: ChatRequest, target: RenderTarget): JsonObject {
  const { tools = [], toolChoice, parallelToolCalls } = request;
  const rendered = renderTools(tools, target);
  // Both are refused where there are no tools.
  if (rendered["tools"] === undefined) return rendered;
  return {
    ...rendered,
    tool_choice: toolChoice === undefined ? undefined : renderToolChoice(toolChoice, tools, target),
    parallel_tool_calls: parallelToolCalls,
  };
}

function renderLimits(request: ChatRequest, { dialect }: RenderTarget): JsonObject {
  const { logprobs, stopSequences } = request;
  return {
    [dialect.maxTokensField ?? "max_tokens"]: request.maxOutputTokens,
    stop: stopSequences === undefined || stopSequences.length === 0 ? undefined : stopSequences,
    n: request.candidateCount,
    logprobs: logprobs === undefined ? undefined : true,
    top_logprobs: logprobs?.top,
    verbosity: request.verbosity,
    modalities: request.outputModalities,
  };
}

function renderSampling({ sampling }: ChatRequest): JsonObject {
  if (sampling === undefined) return {};
  const rendered: JsonObject = { logit_bias: sampling.logitBias };
  for (const [name, key] of Object.entries(SAMPLING_FIELDS)) {
    rendered[key] = sampling[name as keyof typeof SAMPLING_FIELDS];
  }
  return rendered;
}

const isOpenai = ({ protocol }: ChatRequest): boolean => protocol.startsWith("openai-");

/** Names that OpenAI, Anthropic and Gemini mean the same by. */
const TIERS: ReadonlySet<string> = new Set(["auto", "default", "flex", "priority"]);

function renderIdentity(request: ChatRequest, target: RenderTarget): JsonObject {
  const { serviceTier, metadata } = request;
  const knowsTier = serviceTier === undefined || TIERS.has(serviceTier) || isOpenai(request);
  if (!knowsTier) target.reportLoss("service_tier", `${serviceTier} is no tier of this protocol`);
  return {
    service_tier: knowsTier ? serviceTier : undefined,
    prompt_cache_key: request.promptCacheKey,
    prompt_cache_retention: request.promptCacheRetention,
    user: request.user,
    metadata,
  };
}

/** Whether `outputFormat` must be asked for as a tool. */
export const lacksFormat = ({ outputFormat }: ChatRequest, { dialect }: FormatTarget): boolean =>
  dialect.structuredOutput === "none" && (outputFormat?.type ?? "text") !== "text";

function renderOutputFormat(
  format: OutputFormat | undefined,
  target: RenderTarget,
): JsonObject | undefined {
  if (format === undefined) return undefined;
  const level = target.dialect.structuredOutput;
  if (format.type === "text") return level === "none" ? undefined : { type: "text" };
  if (level === "none") {
    target.reportLoss("response_format", "this provider has no structured output");
    return undefined;
  }
  if (format.type === "json-object") return { type: "json_object" };
  if (level === "json-object") {
    target.reportLoss("response_format.json_schema", "changed: only JSON without a schema");
    return { type: "json_object" };
  }
  const { schema, name = "response", description, strict } = format;
  return { type: "json_schema", json_schema: compact({ name, description, schema, strict }) };
}

/** Usage is always asked for: the gateway meters, whether the client wants to see it or not. */
function renderStream({ stream }: ChatRequest, { dialect }: RenderTarget): JsonObject {
  if (!stream) return {};
  return {
    stream: true,
    stream_options: dialect.streamOptions === false ? undefined : { include_usage: true },
  };
}

/** Members of other OpenAI protocols that mean the same in this one. */
const SHARED_EXTRA: ReadonlySet<string> = new Set(["store", "moderation"]);

/** Members without a word in the vocabulary: from the same protocol as they are, else lost by name. */
function renderExtra(request: ChatRequest, target: RenderTarget): JsonObject {
  const passed: JsonObject = {};
  const sameProtocol = request.protocol === "openai-chat";
  for (const [key, value] of Object.entries(request.extra ?? {})) {
    if (sameProtocol || (isOpenai(request) && SHARED_EXTRA.has(key))) passed[key] = value;
    else target.reportLoss(key, "chat completions have no such member");
  }
  return passed;
}

function withoutRefused(body: JsonObject, target: RenderTarget): JsonObject {
  const refused = target.dialect.refuses ?? [];
  const dropped = refused.filter((key) => body[key] !== undefined);
  if (dropped.length === 0) return body;
  const rest = { ...body };
  for (const key of dropped) {
    delete rest[key];
    target.reportLoss(key, "this provider refuses it");
  }
  return rest;
}
