import type { ChatRequest } from "#canonical/chat-request.ts";
import { modelAbilities } from "#canonical/claude-model.ts";
import type { ModelAbilities } from "#canonical/claude-model.ts";
import { reportTextSignatures } from "#canonical/report-text-signatures.ts";
import { asObjects, compact, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { FormatTarget, RenderTarget, UpstreamBody } from "#protocols/codec.ts";
import { boundCacheMarkers } from "./cache-markers.ts";
import { closedSchema } from "./closed-schema.ts";
import { renderMessages } from "./render-message.ts";
import { renderReasoning } from "./render-reasoning.ts";
import type { RenderedReasoning } from "./render-reasoning.ts";
import { renderSampling } from "./render-sampling.ts";
import { reportUnsaid } from "./report-unsaid.ts";
import { renderToolChoice, renderTools } from "./tools.ts";

/** The bound that the protocol requires, when neither the client nor the catalogue has one. */
const FALLBACK_MAX_TOKENS = 4096;

/** Renders any request for a provider of this protocol. */
export function renderRequest(request: ChatRequest, target: RenderTarget): UpstreamBody {
  const { reportLoss, dialect } = target;
  const abilities = modelAbilities(target.upstreamModel);
  const maxTokens = request.maxOutputTokens ?? target.maxOutputTokens ?? FALLBACK_MAX_TOKENS;
  const conversation = renderMessages(request, reportLoss);
  const wished = renderReasoning(request, { abilities, maxTokens, reportLoss });
  const reasoning = possibleReasoning(
    wished,
    { request, conversation: conversation.messages },
    target,
  );
  const body: JsonObject = {
    ...modelMembers(request, target),
    max_tokens: maxTokens,
    system: conversation.system,
    messages: conversation.messages,
    tools: request.tools === undefined ? undefined : renderTools(request.tools, reportLoss),
    tool_choice: hasTools(request) ? renderToolChoice(request) : undefined,
    thinking: reasoning.thinking,
    output_config: renderOutputConfig(request, reasoning, { target, abilities }),
    ...renderSampling(request, { abilities, thinking: isThinking(reasoning), reportLoss }),
    stop_sequences: renderStopSequences(request, target),
    metadata: renderMetadata(request),
    service_tier: renderServiceTier(request, target),
    ...passedOn(request),
  };
  reportUnsaid(request, reportLoss);
  reportTextSignatures(request.messages, reportLoss);
  const kept = withoutRefused(compact(body), dialect.refuses ?? [], reportLoss);
  const isOwn = request.protocol === "anthropic-messages";
  return { body: isOwn ? kept : boundCacheMarkers(kept, reportLoss) };
}

/** Whether `outputFormat` must be asked for as a tool: JSON mode always, a schema by model. */
export function lacksFormat({ outputFormat }: ChatRequest, target: FormatTarget): boolean {
  if (outputFormat?.type === "json-object") return true;
  if (outputFormat?.type !== "json-schema") return false;
  const { outputFormat: known } = modelAbilities(target.upstreamModel);
  return !known || target.dialect.structuredOutput !== undefined;
}

/** Vertex and Bedrock name the model in the URL, and whether to stream by the verb. */
function modelMembers(request: ChatRequest, { upstreamModel, dialect }: RenderTarget): JsonObject {
  if (dialect.anthropicVersionInBody !== undefined) {
    return { anthropic_version: dialect.anthropicVersionInBody };
  }
  return { model: upstreamModel, stream: request.stream ? true : undefined };
}

const hasTools = ({ tools, protocol }: ChatRequest): boolean =>
  protocol === "anthropic-messages" || (tools !== undefined && tools.length > 0);

const isThinking = ({ thinking }: RenderedReasoning): boolean =>
  thinking !== undefined && thinking["type"] !== "disabled";

interface Surroundings {
  readonly request: ChatRequest;
  readonly conversation: readonly JsonObject[];
}

/** Thinking is left out where the provider would answer 400 to it. */
function possibleReasoning(
  reasoning: RenderedReasoning,
  { request, conversation }: Surroundings,
  { reportLoss }: RenderTarget,
): RenderedReasoning {
  if (!isThinking(reasoning)) return reasoning;
  const { thinking, ...effortOnly } = reasoning;
  const choice = request.toolChoice?.type;
  if (choice === "required" || choice === "tool") {
    reportLoss("reasoning", "thinking and a forced tool call exclude each other");
    return effortOnly;
  }
  if (thinking?.["type"] === "enabled" && continuesUnthought(conversation)) {
    reportLoss("reasoning", "the tool calls being answered were made without Claude's thinking");
    return effortOnly;
  }
  return reasoning;
}

/**
 * With a thinking budget, the turn whose tool calls are being answered must begin with thinking. One
 * that another model began has none.
 */
function continuesUnthought(conversation: readonly JsonObject[]): boolean {
  const answers = blocksOf(conversation.at(-1));
  if (!answers.some((block) => block["type"] === "tool_result")) return false;
  const first = blocksOf(conversation.at(-2))[0]?.["type"];
  return first !== "thinking" && first !== "redacted_thinking";
}

const blocksOf = (message: JsonObject | undefined): readonly JsonObject[] =>
  asObjects(message?.["content"]);

interface OutputTarget {
  readonly target: RenderTarget;
  readonly abilities: ModelAbilities;
}

function renderOutputConfig(
  request: ChatRequest,
  { effort }: RenderedReasoning,
  { target, abilities }: OutputTarget,
): JsonObject | undefined {
  const rest = request.protocol === "anthropic-messages" ? request.extra?.["output_config"] : {};
  const config = compact({
    ...(isObject(rest) && rest),
    effort,
    format: renderFormat(request, target, abilities),
  });
  return Object.keys(config).length === 0 ? undefined : config;
}

function renderFormat(
  { outputFormat, protocol }: ChatRequest,
  { dialect, reportLoss }: RenderTarget,
  abilities: ModelAbilities,
): JsonObject | undefined {
  if (outputFormat === undefined || outputFormat.type === "text") return undefined;
  if (outputFormat.type === "json-object") {
    reportLoss("response_format", "there is no JSON mode without a schema");
    return undefined;
  }
  if (protocol === "anthropic-messages")
    return { type: "json_schema", schema: outputFormat.schema };
  if (abilities.outputFormat && dialect.structuredOutput === undefined) {
    const schema = closedSchema(outputFormat.schema);
    if (schema !== outputFormat.schema) {
      reportLoss(
        "response_format",
        "changed: objects get additionalProperties: false, as required",
      );
    }
    return { type: "json_schema", schema };
  }
  reportLoss("response_format", "this model takes no JSON schema for its answer");
  return undefined;
}

/** Blank stop sequences are refused with 400. */
function renderStopSequences(
  { stopSequences }: ChatRequest,
  { reportLoss }: RenderTarget,
): readonly string[] | undefined {
  const kept = stopSequences?.filter((text) => text.trim() !== "");
  if (kept?.length !== stopSequences?.length)
    reportLoss("stop", "blank stop sequences are refused");
  return kept;
}

function renderMetadata({ user, metadata, protocol }: ChatRequest): JsonObject | undefined {
  const own = protocol === "anthropic-messages" ? metadata : undefined;
  const rendered = compact({ user_id: user, ...own });
  return Object.keys(rendered).length === 0 ? undefined : rendered;
}

function renderServiceTier(
  { serviceTier, protocol }: ChatRequest,
  { reportLoss }: RenderTarget,
): string | undefined {
  if (serviceTier === "default") return "standard_only";
  if (serviceTier === undefined || serviceTier === "auto" || protocol === "anthropic-messages") {
    return serviceTier;
  }
  reportLoss("service_tier", `the tier ${serviceTier} has no counterpart`);
  return undefined;
}

function passedOn({ protocol, extra }: ChatRequest): JsonObject {
  if (protocol !== "anthropic-messages" || extra === undefined) return {};
  const { output_config: _, ...others } = extra;
  return others;
}

function withoutRefused(
  body: JsonObject,
  refuses: readonly string[],
  reportLoss: RenderTarget["reportLoss"],
): JsonObject {
  const kept = { ...body };
  for (const field of refuses) {
    if (!(field in kept)) continue;
    delete kept[field];
    reportLoss(field, "this provider refuses it");
  }
  return kept;
}
