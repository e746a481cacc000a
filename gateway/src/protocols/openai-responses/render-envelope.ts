import { asObject, compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { ChatRequest, OutputFormat } from "#canonical/chat-request.ts";
import type { AnswerContext } from "#protocols/codec.ts";
import { responseId } from "./item-ids.ts";
import { echoTools, renderToolChoice } from "./render-tools.ts";

/** What an answer says at one moment, beside what it echoes of the request. */
export interface Envelope {
  readonly status: "in_progress" | "completed" | "incomplete" | "failed";
  readonly output: readonly JsonObject[];
  readonly usage?: JsonObject;
  readonly error?: JsonObject;
  readonly incompleteReason?: string;
  readonly serviceTier?: string;
}

/** The whole `response` object: every member that the SDKs' types require is there. */
export function renderEnvelope(context: AnswerContext, envelope: Envelope): JsonObject {
  const { status, output, usage, error, incompleteReason } = envelope;
  return {
    id: responseId(context.requestId),
    object: "response",
    created_at: context.created,
    status,
    error: error ?? null,
    incomplete_details: incompleteReason === undefined ? null : { reason: incompleteReason },
    model: context.model,
    output,
    ...echo(context),
    service_tier: envelope.serviceTier ?? context.request.serviceTier ?? "default",
    usage: usage ?? null,
  };
}

/** What the request said, under the names that it was said by; `null` where it said nothing. */
function echo({ request }: AnswerContext): JsonObject {
  const { extra = {}, sampling = {}, tools = [], toolChoice = { type: "auto" } } = request;
  return {
    ...ECHO_DEFAULTS,
    ...compact({
      max_output_tokens: request.maxOutputTokens,
      metadata: request.metadata,
      parallel_tool_calls: request.parallelToolCalls,
      prompt_cache_key: request.promptCacheKey,
      temperature: sampling.temperature,
      tool_choice: renderToolChoice(toolChoice, tools),
      top_logprobs: request.logprobs?.top,
      top_p: sampling.topP,
      user: request.user,
    }),
    ...compact(Object.fromEntries(ECHOED.map((name) => [name, extra[name]]))),
    reasoning: { effort: null, summary: null, ...echoReasoning(request) },
    text: echoText(request),
    tools: echoTools(tools),
  };
}

const ECHO_DEFAULTS: JsonObject = {
  background: false,
  instructions: null,
  max_output_tokens: null,
  max_tool_calls: null,
  metadata: {},
  parallel_tool_calls: true,
  previous_response_id: null,
  prompt_cache_key: null,
  // Nothing is kept unless the request asks for it.
  store: false,
  temperature: null,
  top_logprobs: 0,
  top_p: null,
  truncation: "disabled",
  user: null,
};

const ECHOED = ["max_tool_calls", "previous_response_id", "store", "tool_choice", "truncation"];

const echoReasoning = ({ reasoning }: ChatRequest): JsonObject =>
  compact({ effort: reasoning?.effort, summary: reasoning?.summary });

const echoText = ({ extra, outputFormat, verbosity }: ChatRequest): JsonObject =>
  compact({ ...asObject(extra?.["text"]), format: echoFormat(outputFormat), verbosity });

function echoFormat(format: OutputFormat | undefined): JsonObject {
  if (format === undefined || format.type === "text") return { type: "text" };
  if (format.type === "json-object") return { type: "json_object" };
  const { name = "response", schema, description = null, strict = null } = format;
  return { type: "json_schema", name, schema, description, strict };
}
