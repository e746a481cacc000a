import type { FastifyInstance } from "fastify";

import type { Access, ActiveBudget } from "#governance/access.ts";
import type { KeyRing } from "#governance/key-ring.ts";
import type { BudgetUsage, UsageOptions } from "#ledger/budget-usage.ts";
import type { Credits } from "#ledger/credits.ts";
import type { JsonObject } from "#lib/json.ts";
import { formatSignedUsd, parseUsd } from "#lib/money.ts";
import { credentialOf } from "#pipeline/authenticate.ts";

interface Deps {
  readonly keys: Pick<KeyRing, "authenticate">;
  readonly usageOf: (budget: ActiveBudget, options: UsageOptions) => Promise<BudgetUsage>;
  readonly credits: Pick<Credits, "balance">;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** Adds what a key may still spend: its organization's credits, and the budgets that it counts for. */
export function addCreditsRoute(server: FastifyInstance, deps: Deps): void {
  server.get("/v1/credits", async (request) => {
    const access = deps.keys.authenticate(credentialOf(request), request.ip);
    const [{ balance, held }, budgets] = await Promise.all([
      deps.credits.balance(access.organization.id),
      Promise.all(access.budgets.map((budget) => budgetBody(deps, access, budget))),
    ]);
    const { plan, settings } = access.organization;
    const { creditLimitUsd } = settings;
    // Whoever pays afterwards, and has no limit, may spend as much as budgets allow.
    const isUnlimited = plan === "enterprise" && creditLimitUsd === undefined;
    const limit = creditLimitUsd === undefined ? 0n : parseUsd(creditLimitUsd);
    return {
      data: {
        plan,
        balance_usd: formatSignedUsd(balance),
        held_usd: formatSignedUsd(held),
        available_usd: isUnlimited ? null : formatSignedUsd(balance - held + limit),
        credit_limit_usd: creditLimitUsd === undefined ? null : String(creditLimitUsd),
        budgets,
      },
    };
  });
}

async function budgetBody(deps: Deps, access: Access, budget: ActiveBudget): Promise<JsonObject> {
  const { id: organizationId, timeZone } = access.organization;
  const context = { organizationId, timeZone, now: deps.now() };
  const usage = await deps.usageOf(budget, context);
  const { document, limit, pausedAt } = budget;
  const written = (amount: bigint): string =>
    document.unit === "usd" ? formatSignedUsd(amount) : String(amount);
  const own = ownSubject(access, budget);
  // Of others' use a key is told nothing: where each has its own limit only its own is shown.
  const { used, held } =
    own === undefined
      ? usage
      : (usage.subjects.find(({ subject }) => subject === own) ?? { used: 0n, held: 0n });
  const left = limit - used - held;
  return {
    id: budget.id,
    name: budget.name,
    level: budget.level,
    unit: document.unit,
    period: document.period,
    mode: document.mode,
    limit: written(limit),
    used: written(used),
    held: written(held),
    remaining: written(left < 0n ? 0n : left),
    resets_at: usage.periodEnd === null ? null : new Date(usage.periodEnd).toISOString(),
    paused: pausedAt !== null,
    ...(document.each !== undefined && { each: document.each }),
  };
}

function ownSubject(access: Access, { document }: ActiveBudget): string | undefined {
  if (document.each === "key") return access.key.id;
  return document.each === "project" ? access.project.id : undefined;
}
