import { GatewayError, invalidRequest } from "#canonical/failure.ts";
import type { ChatRequest } from "#canonical/chat-request.ts";
import type { ClientProtocol } from "#canonical/protocol-name.ts";
import { isObject, type JsonObject } from "#lib/json.ts";
import { CLIENT_CODECS } from "#protocols/registry.ts";
import { headerText, type RequestHeaders } from "#pipeline/exchange.ts";
import { readGatewayOptions, withoutGatewayFields } from "#pipeline/gateway-options.ts";
import { assessInputOf, chatNeeds, conversationOf } from "#routing/auto-request.ts";
import { explainPlan } from "#routing/explain-plan.ts";
import { planRoutes } from "#routing/plan-routes.ts";
import type { PlanContext, RoutingRequest } from "#routing/planning.ts";
import type { AutoDecision } from "#routing/route.ts";
import type { PreviousChoice } from "#routing/session-memory.ts";

/** A chat request that is to be explained, not answered. */
export interface ExplainInput {
  readonly body: JsonObject;
  readonly headers: RequestHeaders;
  readonly keyId: string;
  /** What the key and the levels above it have to say. */
  readonly governed?: Pick<RoutingRequest, "governance" | "keyPreference">;
}

/** Where a conversation was answered last. */
type Recall = (sessionKey: string) => PreviousChoice | undefined;

/**
 * The plan of a chat request, with its numbers and reasons, without a call. The body is that of
 * `/v1/chat/completions`, `/v1/responses`, `/v1/messages` or Gemini's (with `model`); `protocol` says
 * which where its shape does not. Throws what the request itself would fail with.
 */
export function explainRequest(
  input: ExplainInput,
  context: PlanContext,
  recall: Recall = () => undefined,
): JsonObject {
  const request = routingRequestOf(input, recall);
  const plan = planRoutes(request, context);
  const shadow = plan.decision === undefined ? shadowOf(request, context) : undefined;
  return explainPlan(plan, { asked: request.asked, ...(shadow !== undefined && { shadow }) });
}

function routingRequestOf(input: ExplainInput, recall: Recall): RoutingRequest {
  const { headers, keyId } = input;
  const { protocol: named, ...body } = input.body;
  const protocol = named === undefined ? protocolOf(body, headers) : namedProtocol(named);
  const options = readGatewayOptions(body, headers);
  const chat = parseChat({ ...input, body }, protocol);
  if (chat.model === "") throw invalidRequest("model", NO_MODEL);
  const needs = chatNeeds(chat, protocol);
  const stableId = conversationOf(chat, { keyId, sessionId: options.sessionId });
  const previous = recall(stableId);
  return {
    asked: chat.model,
    models: options.models,
    preferences: options.provider,
    wishes: options.wishes,
    needs,
    assessInput: () => assessInputOf(chat, needs),
    stableId,
    ...(previous !== undefined && { previous }),
    ...input.governed,
  };
}

const NO_MODEL = '"model" is missing. Name a model, or "auto"; GET /v1/models lists all of them.';

function parseChat({ body, headers }: ExplainInput, protocol: ClientProtocol): ChatRequest {
  const { model, ...rest } = withoutGatewayFields(body);
  const inPath = protocol === "gemini" && typeof model === "string";
  return CLIENT_CODECS[protocol].parseRequest({
    body: inPath ? rest : { ...rest, model },
    headers,
    ...(inPath && { pathModel: model, pathVerb: "generateContent" }),
  });
}

function namedProtocol(named: unknown): ClientProtocol {
  const known = Object.keys(CLIENT_CODECS).find((name) => name === named);
  if (known !== undefined) return known as ClientProtocol;
  throw invalidRequest(
    "protocol",
    `protocol must be one of ${Object.keys(CLIENT_CODECS).join(", ")}.`,
  );
}

/** By the members that only one of the dialects has. */
function protocolOf(body: JsonObject, headers: RequestHeaders): ClientProtocol {
  if ("contents" in body) return "gemini";
  if ("input" in body || "instructions" in body) return "openai-responses";
  if ("prompt" in body && !("messages" in body)) return "openai-completions";
  const isAnthropic = "system" in body || headerText(headers, "anthropic-version") !== undefined;
  return isAnthropic || hasAnthropicTools(body["tools"]) ? "anthropic-messages" : "openai-chat";
}

const hasAnthropicTools = (tools: unknown): boolean =>
  Array.isArray(tools) && tools.some((tool) => isObject(tool) && "input_schema" in tool);

/** What `auto` would have chosen; `undefined` where nothing that it may use fits. */
function shadowOf(request: RoutingRequest, context: PlanContext): AutoDecision | undefined {
  try {
    return planRoutes({ ...request, asked: "auto", models: [] }, context).decision;
  } catch (error) {
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}
