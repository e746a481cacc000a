import { asObject, compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { ChatRequest, OutputFormat, Sampling } from "#canonical/chat-request.ts";
import { modelAbilities } from "#canonical/claude-model.ts";
import { claudeSampling } from "#canonical/claude-sampling.ts";
import { reportTextSignatures } from "#canonical/report-text-signatures.ts";
import { isSilentExtra } from "#canonical/silent-extra.ts";
import { withoutBillingHeader } from "#canonical/without-billing-header.ts";
import type { FormatTarget, RenderTarget, ReportLoss, UpstreamBody } from "#protocols/codec.ts";
import type { BlockContext } from "./render-media.ts";
import { renderConversation } from "./render-messages.ts";
import { renderReasoning, type RenderedReasoning } from "./render-reasoning.ts";
import { renderToolConfig } from "./render-tool-config.ts";
import { isClaude } from "./signature-origin.ts";

/** Members of the Converse API that a client may send beside its own dialect's. */
const PASSED_ON: ReadonlySet<string> = new Set([
  "guardrailConfig",
  "additionalModelRequestFields",
  "additionalModelResponseFieldPaths",
  "requestMetadata",
  "performanceConfig",
  "promptVariables",
]);

/** Renders the body of `converse` and `converse-stream`; the model stands in the URL. */
export function renderRequest(request: ChatRequest, target: RenderTarget): UpstreamBody {
  const { upstreamModel, reportLoss } = target;
  const context: BlockContext = { upstreamModel, reportLoss, documentNames: new Set() };
  reportUnsaid(request, reportLoss);
  reportTextSignatures(request.messages, reportLoss);
  const { system, turns } = renderConversation(withoutBillingHeader(request.messages), context);
  const passed = passedOn(request, reportLoss);
  const reasoning = renderReasoning(request, target);
  const sampling = fittingSampling(request, reasoning, target);
  const body = compact({
    ...passed,
    messages: turns,
    system: system.length === 0 ? undefined : system,
    inferenceConfig: renderInferenceConfig(request, sampling),
    toolConfig: renderToolConfig(request, context),
    outputConfig: renderOutputConfig(request, reasoning.effort, reportLoss),
    serviceTier: renderServiceTier(request.serviceTier, reportLoss),
    additionalModelRequestFields: orNothing({
      ...reasoning.fields,
      ...renderTopK(sampling, target),
      ...asObject(passed["additionalModelRequestFields"]),
    }),
  });
  return { body };
}

const orNothing = (object: JsonObject): JsonObject | undefined =>
  Object.keys(object).length === 0 ? undefined : object;

function passedOn(request: ChatRequest, reportLoss: ReportLoss): JsonObject {
  const passed: JsonObject = {};
  for (const [name, value] of Object.entries(request.extra ?? {})) {
    if (PASSED_ON.has(name)) passed[name] = value;
    else if (!isSilentExtra(request, name)) reportLoss(name, "the Converse API has no such member");
  }
  return passed;
}

/** Claude answers 400 to sampling parameters that do not fit its thinking or its version. */
function fittingSampling(
  { sampling = {} }: ChatRequest,
  { fields = {} }: RenderedReasoning,
  { upstreamModel, reportLoss }: RenderTarget,
): Sampling {
  if (!isClaude(upstreamModel)) return sampling;
  const type = asObject(fields["thinking"])["type"];
  const thinking = type !== undefined && type !== "disabled";
  return claudeSampling(sampling, {
    abilities: modelAbilities(upstreamModel),
    thinking,
    reportLoss,
  });
}

function renderInferenceConfig(request: ChatRequest, sampling: Sampling): JsonObject | undefined {
  const { maxOutputTokens, stopSequences } = request;
  return orNothing(
    compact({
      maxTokens: maxOutputTokens,
      temperature: sampling.temperature,
      topP: sampling.topP,
      stopSequences,
    }),
  );
}

function renderTopK(sampling: Sampling, target: RenderTarget): JsonObject {
  if (sampling.topK === undefined) return {};
  if (isClaude(target.upstreamModel)) return { top_k: sampling.topK };
  target.reportLoss("top_k", "this model has no such member");
  return {};
}

function renderOutputConfig(
  { outputFormat, verbosity }: ChatRequest,
  effort: string | undefined,
  reportLoss: ReportLoss,
): JsonObject | undefined {
  if (verbosity !== undefined) reportLoss("verbosity", "the Converse API has no such member");
  if (outputFormat?.type === "json-object") {
    reportLoss("response_format", "JSON without a schema cannot be asked for");
  }
  const textFormat =
    outputFormat?.type === "json-schema" ? renderSchemaFormat(outputFormat) : undefined;
  return orNothing(compact({ textFormat, effort }));
}

/** JSON mode is asked for as a tool, of the models that can be made to call one. */
export const lacksFormat = ({ outputFormat }: ChatRequest, target: FormatTarget): boolean =>
  outputFormat?.type === "json-object" &&
  (isClaude(target.upstreamModel) || target.upstreamModel.includes("nova"));

/** The schema goes as text (botocore: JsonSchemaDefinition). */
function renderSchemaFormat(format: Extract<OutputFormat, { type: "json-schema" }>): JsonObject {
  const { schema, name, description } = format;
  const jsonSchema = compact({ schema: JSON.stringify(schema), name, description });
  return { type: "json_schema", structure: { jsonSchema } };
}

const TIERS: ReadonlySet<string> = new Set(["priority", "default", "flex", "reserved"]);

function renderServiceTier(
  tier: string | undefined,
  reportLoss: ReportLoss,
): JsonObject | undefined {
  if (tier === undefined || tier === "auto") return undefined;
  if (TIERS.has(tier)) return { type: tier };
  reportLoss("service_tier", `${tier} is no tier of Bedrock`);
  return undefined;
}

const UNSAID_SAMPLING: readonly (readonly [keyof Sampling, string])[] = [
  ["minP", "min_p"],
  ["frequencyPenalty", "frequency_penalty"],
  ["presencePenalty", "presence_penalty"],
  ["repetitionPenalty", "repetition_penalty"],
  ["seed", "seed"],
  ["logitBias", "logit_bias"],
];

const UNSAID: readonly (readonly [keyof ChatRequest, string])[] = [
  ["logprobs", "logprobs"],
  ["promptCacheKey", "prompt_cache_key"],
  ["promptCacheRetention", "prompt_cache_retention"],
  ["user", "user"],
  ["metadata", "metadata"],
];

function reportUnsaid(request: ChatRequest, reportLoss: ReportLoss): void {
  const { sampling = {}, candidateCount = 1, outputModalities = [] } = request;
  const reason = "the Converse API has no such member";
  for (const [member, field] of UNSAID_SAMPLING) {
    if (sampling[member] !== undefined) reportLoss(field, reason);
  }
  for (const [member, field] of UNSAID)
    if (request[member] !== undefined) reportLoss(field, reason);
  if (candidateCount > 1) reportLoss("n", "the Converse API gives one answer");
  if (outputModalities.some((modality) => modality.toLowerCase() !== "text")) {
    reportLoss("modalities", "the Converse API answers in text");
  }
}
