import { expect } from "vitest";

import type { BudgetDocument, OrganizationSettings, Plan } from "@turnpike/contract/governance.ts";
import type { PriceOverrideDocument } from "@turnpike/contract/governance.ts";

import type { Post } from "#ledger/commands.ts";
import { openLedger } from "#ledger/open-ledger.ts";
import { changeDirectory, directoryVersion } from "#store/directory-version.ts";
import { createLedgerStore } from "#store/ledger.ts";
import type { Store } from "#store/store.ts";
import { TEST_KEY } from "#test/start-gateway.ts";

export interface TestBudget {
  readonly id: string;
  /** Nano-USD or tokens. */
  readonly limit: bigint;
  readonly level?: "organization" | "project";
  readonly document?: Partial<BudgetDocument>;
  readonly pausedAt?: number;
  readonly resetAt?: number;
}

const DOCUMENT = { unit: "usd", period: "lifetime", mode: "hard", alertAtPercent: [] } as const;

/** Writes a budget of the default organization, or changes it. */
export const setBudget = (store: Store, budget: TestBudget): Promise<void> =>
  changeDirectory(store.core, async (transaction, version) => {
    const { id, limit, level = "organization", document, pausedAt, resetAt } = budget;
    const row = {
      id,
      organization_id: "org_default",
      level,
      target_id: level === "organization" ? "org_default" : "proj_default",
      name: id,
      document: JSON.stringify({ ...DOCUMENT, ...document }),
      limit_amount: limit,
      paused_at: pausedAt ?? null,
      reset_at: resetAt ?? null,
      created_at: 1,
      archived_at: null,
      version,
    };
    await transaction
      .insertInto("budgets")
      .values(row)
      .onConflict((conflict) => conflict.column("id").doUpdateSet(row))
      .execute();
  });

export const archiveBudgets = (store: Store): Promise<void> =>
  changeDirectory(store.core, async (transaction, version) => {
    await transaction.updateTable("budgets").set({ archived_at: 2, version }).execute();
    await transaction.updateTable("price_overrides").set({ archived_at: 2, version }).execute();
  });

export const setPlan = (
  store: Store,
  plan: Plan,
  settings: Partial<OrganizationSettings> = {},
): Promise<void> =>
  changeDirectory(store.core, async (transaction, version) => {
    await transaction
      .updateTable("organizations")
      .set({ plan, settings: JSON.stringify(settings), version })
      .where("id", "=", "org_default")
      .execute();
  });

export const setPrices = (
  store: Store,
  id: string,
  document: PriceOverrideDocument,
): Promise<void> =>
  changeDirectory(store.core, async (transaction, version) => {
    const organization = { organization_id: "org_default", created_at: 1, archived_at: null };
    await transaction
      .insertInto("price_overrides")
      .values({ id, ...organization, document: JSON.stringify(document), version })
      .execute();
  });

interface Payment {
  readonly owner: string;
  readonly amount: bigint;
}

/** Pays into a wallet; the default organization's, unless another one is named. */
export async function payIn(store: Store, id: string, given: bigint | Payment): Promise<void> {
  const { owner, amount } =
    typeof given === "bigint" ? { owner: "org_default", amount: given } : given;
  const ledger = openLedger({ store: createLedgerStore(store) });
  const post: Post = {
    type: "post",
    id,
    at: 1,
    kind: "grant",
    debitAccount: "grants",
    creditAccount: `wallet:${owner}`,
    amount,
    organizationId: owner,
  };
  await ledger.run(post);
}

/** Resolves when these gateways know the last change of the directory. */
export async function directoryRead(
  store: Pick<Store, "core">,
  ...gateways: readonly { readonly url: string }[]
): Promise<void> {
  const wanted = await directoryVersion(store.core);
  const headers = { authorization: `Bearer ${TEST_KEY}` };
  for (const { url } of gateways) {
    const known = async (): Promise<number> => {
      const text = await (await fetch(`${url}/metrics`, { headers })).text();
      return Number(/^turnpike_directory_version (\d+)$/m.exec(text)?.[1]);
    };
    await expect.poll(known, { timeout: 10_000, interval: 20 }).toBeGreaterThanOrEqual(wanted);
  }
}
