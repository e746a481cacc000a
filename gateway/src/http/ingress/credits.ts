import type { FastifyInstance } from "fastify";

import { invalidRequest } from "#canonical/failure.ts";
import type { Access, ActiveBudget } from "#governance/access.ts";
import { accountHolder } from "#http/ingress/account-holder.ts";
import { walletOf } from "#ledger/ledger-state.ts";
import type { BudgetUsage, UsageOptions } from "#ledger/budget-usage.ts";
import type { Credits } from "#ledger/credits.ts";
import type { JsonObject } from "#lib/json.ts";
import { formatSignedUsd, parseUsd } from "#lib/money.ts";
import type { Gateway } from "#pipeline/gateway.ts";

interface Deps {
  readonly gateway: Pick<Gateway, "keys" | "payments">;
  readonly usageOf: (budget: ActiveBudget, options: UsageOptions) => Promise<BudgetUsage>;
  readonly credits: Pick<Credits, "balance" | "transfers" | "walletTransfers">;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** Adds what a key may still spend: its organization's credits, and the budgets that it counts for. */
export function addCreditsRoute(server: FastifyInstance, deps: Deps): void {
  server.get("/v1/credits", async (request) => {
    const access = await accountHolder(request, deps.gateway);
    const [{ balance, held }, budgets] = await Promise.all([
      deps.credits.balance(access.wallet ?? access.organization.id),
      Promise.all(access.budgets.map((budget) => budgetBody(deps, access, budget))),
    ]);
    const { plan, settings } = access.organization;
    const { creditLimitUsd } = settings;
    // Whoever pays afterwards, and has no limit, may spend as much as budgets allow.
    const isUnlimited = plan === "enterprise" && creditLimitUsd === undefined;
    const limit = creditLimitUsd === undefined ? 0n : parseUsd(creditLimitUsd);
    return {
      data: {
        ...(access.wallet === undefined ? { plan } : { wallet: access.wallet }),
        balance_usd: formatSignedUsd(balance),
        held_usd: formatSignedUsd(held),
        available_usd: isUnlimited ? null : formatSignedUsd(balance - held + limit),
        credit_limit_usd: creditLimitUsd === undefined ? null : String(creditLimitUsd),
        budgets,
      },
    };
  });

  server.get("/v1/credits/ledger", async (request) => {
    const access = await accountHolder(request, deps.gateway);
    const { limit, before } = readPage(request.query as Record<string, unknown>);
    const { wallet, organization } = access;
    const account = walletOf(wallet ?? organization.id);
    const asked = { limit: limit + 1, ...(before !== undefined && { beforeSeq: before }) };
    const rows = await (wallet === undefined
      ? deps.credits.transfers({ organizationId: organization.id, ...asked, kinds: OF_WALLETS })
      : deps.credits.walletTransfers({ owner: wallet, ...asked }));
    const page = rows.slice(0, limit);
    return {
      // Agents' own wallets are of the same organization, and not its account.
      data: page.flatMap((row) => (isOf(row, account) ? [entryBody(row, account)] : [])),
      next_before: rows.length > limit ? (page.at(-1)?.seq ?? null) : null,
    };
  });
}

/** What an organization's own wallet gets and gives; what providers are owed is not told to its keys. */
const OF_WALLETS = ["grant", "deposit", "charge", "refund", "adjustment", "expiry", "reversal"];

const MOST_ROWS = 200;

function readPage({ limit = "50", before }: Record<string, unknown>) {
  const size = Number(limit);
  if (!Number.isInteger(size) || size < 1 || size > MOST_ROWS) {
    throw invalidRequest("limit", `limit must be a whole number from 1 to ${MOST_ROWS}.`);
  }
  const seq = before === undefined ? undefined : Number(before);
  if (seq !== undefined && (!Number.isSafeInteger(seq) || seq < 1)) {
    throw invalidRequest("before", "before must be next_before of the page before.");
  }
  return { limit: size, before: seq };
}

/** What was booked, as the account sees it: above 0 what it got, below 0 what it gave. */
const entryBody = (row: Entry, account: string): JsonObject => ({
  id: row.id,
  at: new Date(row.at).toISOString(),
  kind: row.kind,
  amount_usd: formatSignedUsd(
    row.credit_account === account ? BigInt(row.amount) : -BigInt(row.amount),
  ),
  request_id: row.request_id,
  memo: row.memo,
});

const isOf = ({ debit_account: from, credit_account: to }: Entry, account: string): boolean =>
  from === account || to === account;

type Entry = Awaited<ReturnType<Credits["transfers"]>>[number];

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
