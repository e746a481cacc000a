import type { Plan, Route } from "#routing/route.ts";

/** The plan without the routes that do not stay, those for failures among them. */
export function keepRoutes(plan: Plan, stays: (route: Route) => boolean): Plan {
  const onFailure = Object.entries(plan.onFailure).map(
    ([name, routes]) => [name, routes.filter(stays)] as const,
  );
  return { ...plan, routes: plan.routes.filter(stays), onFailure: Object.fromEntries(onFailure) };
}
