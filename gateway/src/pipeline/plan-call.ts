import { organizationOf, type Call, type ParsedCall } from "#pipeline/call.ts";
import type { GatewayOptions } from "#pipeline/gateway-options.ts";
import { beginShadow } from "#pipeline/shadow.ts";
import { planRoutes } from "#routing/plan-routes.ts";
import type { Market } from "#routing/market.ts";
import type { PlanContext, RoutingRequest } from "#routing/planning.ts";
import type { Plan } from "#routing/route.ts";

const SEEDS = 2 ** 31;

/** The plan of a request: its wishes, its conversation, and the market and health of this moment. */
export function planCall(call: Call, parsed: ParsedCall, options: GatewayOptions): Plan {
  const { exchange, gateway, access } = call;
  const { sessionId } = options;
  call.sessionKey = parsed.sessionKey?.({ keyId: access?.key.id ?? "", sessionId });
  const previous =
    call.sessionKey !== undefined && (parsed.isContinued === true || sessionId !== undefined)
      ? gateway.sessions.recall(call.sessionKey)
      : undefined;
  const stableId = call.sessionKey ?? sessionId ?? call.endUser;
  const request: RoutingRequest = {
    asked: parsed.model,
    models: options.models,
    preferences: options.provider,
    wishes: options.wishes,
    needs: parsed.needs,
    ...(parsed.assessInput !== undefined && { assessInput: parsed.assessInput }),
    ...(stableId !== undefined && { stableId }),
    ...(previous !== undefined && { previous }),
  };
  const seed = Math.floor(gateway.random() * SEEDS);
  const context: PlanContext = {
    market: marketOf(call, options),
    health: gateway.health.view(),
    seed,
    nowMs: exchange.startedAt,
    tickMs: gateway.tick(),
    ...gateway.learner.evidence(organizationOf(call), seed),
  };
  const plan = planRoutes(request, context);
  beginShadow(call, parsed, { request, context, plan });
  return plan;
}

const marketOf = ({ gateway, access }: Call, { provider }: GatewayOptions): Market =>
  access === undefined ? gateway.market() : gateway.marketFor(access, provider.byok);
