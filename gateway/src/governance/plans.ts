import type { Plan, RateLimits } from "@turnpike/contract/governance.ts";

/** What an organization's plan says by itself. */
export interface PlanFacts {
  /** Only models that cost nothing and the demo, until the organization has credit. */
  readonly freeModelsOnly: boolean;
  /** Credits that an organization is given once, when it is first on the plan. */
  readonly creditsOnceUsd?: string;
  /** Of the whole organization; a policy can only make them narrower. */
  readonly limits?: RateLimits;
}

export const PLAN_FACTS: Readonly<Record<Plan, PlanFacts>> = {
  free: {
    freeModelsOnly: true,
    creditsOnceUsd: "0.50",
    limits: { requestsPerMinute: 20, concurrent: 2 },
  },
  "pay-as-you-go": { freeModelsOnly: false },
  enterprise: { freeModelsOnly: false },
};
