import type { Plan, RateLimits } from "@turnpike/contract/governance.ts";

/** What an organization's plan says by itself. */
export interface PlanFacts {
  /** Only models that cost nothing and the demo, until the organization has credit. */
  readonly freeModelsOnly: boolean;
  /** Of the whole organization; a policy can only make them narrower. */
  readonly limits?: RateLimits;
}

export const PLAN_FACTS: Readonly<Record<Plan, PlanFacts>> = {
  free: { freeModelsOnly: true, limits: { requestsPerMinute: 20, concurrent: 2 } },
  "pay-as-you-go": { freeModelsOnly: false },
  enterprise: { freeModelsOnly: false },
};
