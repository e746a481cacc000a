import type { Access } from "#governance/access.ts";
import { organizationOf, type Call, type ParsedCall } from "#pipeline/call.ts";
import type { GatewayOptions } from "#pipeline/gateway-options.ts";
import { boundsOf } from "#pipeline/check-permission.ts";
import type { Gateway } from "#pipeline/gateway.ts";
import { beginShadow } from "#pipeline/shadow.ts";
import { planRoutes } from "#routing/plan-routes.ts";
import type { Market } from "#routing/market.ts";
import type { PlanContext, RoutingRequest } from "#routing/planning.ts";
import type { RouteWishes } from "#routing/preferences.ts";
import type { Plan } from "#routing/route.ts";

const SEEDS = 2 ** 31;

/** What answered the conversation's last turn; the same first words alone make none. */
const previousOf = (
  { sessionKey, gateway }: Call,
  { goesOn }: { readonly goesOn: boolean },
): RoutingRequest["previous"] =>
  sessionKey !== undefined && goesOn ? gateway.sessions.recall(sessionKey) : undefined;

/** What the key and the levels above it have to say in the plan. */
export function governed(
  access: Access,
  hasCredit: Gateway["hasCredit"],
): Pick<RoutingRequest, "governance" | "keyPreference"> {
  const governance = boundsOf(access, hasCredit);
  const keyPreference = access.key.settings.routing?.preference;
  // Nearly every key has neither.
  if (governance === undefined && keyPreference === undefined) return {};
  return {
    ...(governance !== undefined && { governance }),
    ...(keyPreference !== undefined && { keyPreference }),
  };
}

/** A project's business goal holds for its requests that name none, where the operator knows it. */
function wishesOf(
  { access, gateway }: Pick<Call, "access" | "gateway">,
  { wishes }: GatewayOptions,
): RouteWishes {
  const businessGoal = access?.project.settings.businessGoal;
  if (businessGoal === undefined || wishes.businessGoal !== undefined) return wishes;
  const known = gateway.market().policy.labels.businessGoal.has(businessGoal.toLowerCase());
  return known ? { ...wishes, businessGoal } : wishes;
}

/** The plan of a request: its wishes, its conversation, and the market and health of this moment. */
export function planCall(call: Call, parsed: ParsedCall, options: GatewayOptions): Plan {
  const { exchange, gateway, access } = call;
  const { sessionId } = options;
  call.sessionKey = parsed.sessionKey?.({ keyId: access?.key.id ?? "", sessionId });
  const previous = previousOf(call, {
    goesOn: parsed.isContinued === true || sessionId !== undefined,
  });
  const stableId = call.sessionKey ?? sessionId ?? call.endUser;
  const request: RoutingRequest = {
    asked: parsed.model,
    models: options.models,
    preferences: options.provider,
    wishes: wishesOf(call, options),
    needs: parsed.needs,
    ...(parsed.assessInput !== undefined && { assessInput: parsed.assessInput }),
    ...(stableId !== undefined && { stableId }),
    ...(previous !== undefined && { previous }),
    ...(access !== undefined && governed(access, gateway.hasCredit)),
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
