import { GatewayError, invalidRequest } from "#canonical/failure.ts";
import type { ChatRequest } from "#canonical/chat-request.ts";
import type { ClientProtocol } from "#canonical/protocol-name.ts";
import type { Access } from "#governance/access.ts";
import { isObject, type JsonObject } from "#lib/json.ts";
import { CLIENT_CODECS } from "#protocols/registry.ts";
import { headerText, type RequestHeaders } from "#pipeline/exchange.ts";
import { readGatewayOptions, withoutGatewayFields } from "#pipeline/gateway-options.ts";
import { chatSpending } from "#pipeline/chat-spending.ts";
import type { Spending } from "#pipeline/call.ts";
import { capPlan } from "#pipeline/cap-request.ts";
import { LEAST_USEFUL_TOKENS, wantedOutput } from "#pipeline/wanted-output.ts";
import { assessInputOf, chatNeeds, conversationOf, tierOf } from "#routing/auto-request.ts";
import { explainPlan } from "#routing/explain-plan.ts";
import { planRoutes } from "#routing/plan-routes.ts";
import type { PlanContext, RoutingRequest } from "#routing/planning.ts";
import type { AutoDecision, Plan, Rejection } from "#routing/route.ts";
import type { PreviousChoice } from "#routing/session-memory.ts";

/** A chat request that is to be explained, not answered. */
export interface ExplainInput {
  readonly body: JsonObject;
  readonly headers: RequestHeaders;
  readonly keyId: string;
  /** What the key and the levels above it have to say. */
  readonly governed?: Pick<RoutingRequest, "governance" | "keyPreference">;
  /** Whose policy bounds what it may cost, and at which prices; absent: nobody's. */
  readonly access?: Access;
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
  const { request, spending } = routingRequestOf(input, recall);
  const planned = planRoutes(request, context);
  const { plan, outputTokens } = withinCap(input, spending, planned);
  const shadow = plan.decision === undefined ? shadowOf(request, context) : undefined;
  return explainPlan(plan, {
    asked: request.asked,
    ...(shadow !== undefined && { shadow }),
    ...(outputTokens !== undefined && { outputTokens }),
  });
}

/** The plan as the policy's `maxRequestUsd` leaves it, with the output that it cuts the request to. */
function withinCap(
  { access }: ExplainInput,
  spending: Spending,
  planned: Plan,
): { readonly plan: Plan; readonly outputTokens?: number } {
  if (access === undefined) return { plan: planned };
  const wanted = wantedOutput(access, spending, planned).tokens;
  const leastTokens = Math.min(LEAST_USEFUL_TOKENS, wanted);
  const capped = capPlan({ access }, spending, { plan: planned, tokens: wanted, leastTokens });
  const rejected = capped.left.map(({ route: { endpoint, key }, reason }): Rejection => ({
    endpoint,
    key,
    constraint: "policy",
    reason,
    relax: "ask for less output, or ask whoever administers the policy",
  }));
  return {
    plan: { ...capped.plan, rejected: [...rejected, ...capped.plan.rejected] },
    ...(capped.tokens < wanted && { outputTokens: capped.tokens }),
  };
}

interface Explained {
  readonly request: RoutingRequest;
  readonly spending: Spending;
}

function routingRequestOf(input: ExplainInput, recall: Recall): Explained {
  const { headers, keyId } = input;
  const { protocol: named, ...body } = input.body;
  const protocol = named === undefined ? protocolOf(body, headers) : namedProtocol(named);
  const options = readGatewayOptions(body, headers);
  const chat = parseChat({ ...input, body }, protocol);
  if (chat.model === "") throw invalidRequest("model", NO_MODEL);
  const needs = chatNeeds(chat, protocol);
  const stableId = conversationOf(chat, { keyId, sessionId: options.sessionId });
  const previous = recall(stableId);
  const spending = chatSpending(chat, { needs, tier: tierOf(chat.serviceTier) });
  const request = {
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
  return { request, spending };
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
