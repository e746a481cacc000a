import type { OrganizationSettings, Plan } from "@turnpike/contract/governance.ts";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { checkInvariants } from "#ledger/check-invariants.ts";
import { creditBalance } from "#ledger/credits.ts";
import { invoiceOf } from "#ledger/invoice.ts";
import { changeDirectory } from "#store/directory-version.ts";
import { findRecord } from "#store/request-records.ts";
import { json, status, type ReceivedRequest } from "#test/fake-upstream.ts";
import { startGateway, type TestGateway } from "#test/start-gateway.ts";
import { openTenants, type Tenants } from "#test/tenants.ts";

/** 30 × 150 and 100 × 600 nano-USD: the provider's price of one answer. */
const PRICE = 64_500n;
const COMPLETION = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "gpt-4o-mini",
  choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 30, completion_tokens: 100, total_tokens: 130 },
};

let gateway: TestGateway;
let tenants: Tenants;
const keys = new Map<string, string>();

/** An organization that pays before, with a key of its own at the provider. */
async function organization(
  name: string,
  plan: Plan,
  settings: Partial<OrganizationSettings> = {},
) {
  await tenants.organization(name, settings);
  await changeDirectory(tenants.store.core, (core, version) =>
    core
      .updateTable("organizations")
      .set({ plan, version })
      .where("id", "=", `org_${name}`)
      .execute(),
  );
  await tenants.credential({
    organization: name,
    provider: "openai",
    secret: `sk-${name}-123456789`,
  });
  keys.set(name, (await tenants.key(name)).key);
}

const budget = (name: string, unit: "usd" | "tokens", limit: bigint): Promise<void> =>
  changeDirectory(tenants.store.core, async (core, version) => {
    const document = { unit, period: "lifetime", mode: "hard", alertAtPercent: [] };
    const row = {
      id: `bud_${name}_${unit}`,
      organization_id: `org_${name}`,
      level: "organization" as const,
      target_id: `org_${name}`,
      name: unit,
      document: JSON.stringify(document),
      limit_amount: limit,
      paused_at: null,
      reset_at: null,
      created_at: 1,
      archived_at: null,
      version,
    };
    await core.insertInto("budgets").values(row).execute();
  });

beforeAll(async () => {
  gateway = await startGateway();
  tenants = await openTenants(gateway.home);
  await organization("empty", "pay-as-you-go");
  await organization("fee", "pay-as-you-go", { byokFeePercent: 10 });
  await organization("owes", "enterprise", { byokFeePercent: 5 });
  await budget("owes", "usd", 1_000_000n);
  await budget("owes", "tokens", 100_000n);
  await sleep(1_000);
});
afterAll(async () => {
  expect(await checkInvariants(tenants.store.core)).toEqual([]);
  await tenants.close();
  await gateway.close();
});
beforeEach(() => {
  gateway.upstream.requests.length = 0;
  gateway.upstream.answer(json(COMPLETION));
});

const ask = (name: string, body: object = {}) =>
  gateway.post(
    "/v1/chat/completions",
    {
      model: "openai/gpt-4o-mini",
      messages: [{ role: "user", content: "hello" }],
      max_tokens: 500,
      ...body,
    },
    { authorization: `Bearer ${keys.get(name)}` },
  );
const balance = async (name: string) =>
  (await creditBalance(tenants.store.core, `org_${name}`)).balance;
const used = async (id: string): Promise<bigint> => {
  const rows = await tenants.store.core
    .selectFrom("budget_counters")
    .select("used")
    .where("budget_id", "=", id)
    .execute();
  return rows.reduce((sum, row) => sum + BigInt(row.used), 0n);
};
const secretsSeen = () =>
  gateway.upstream.requests.map(({ headers }: ReceivedRequest) => headers.authorization);

describe("an own key", () => {
  test("answers though the wallet is empty, at no charge; routes that cost are left out", async () => {
    const answer = await ask("empty");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-turnpike-cost-usd")).toBe("0");
    expect(secretsSeen()).toEqual(["Bearer sk-empty-123456789"]);
    expect(await balance("empty")).toBe(0n);
    const record = await findRecord(
      tenants.store.records,
      answer.headers.get("x-request-id") ?? "",
    );
    const { skipped } = JSON.parse(record?.decision ?? "{}");
    expect(skipped.map(({ key }: { key: string }) => key)).toEqual([
      expect.stringMatching(/^openai\/gpt-4o-mini@/),
    ]);
    expect(skipped[0].reason).toContain("credits");
  });

  test("that is refused is not made up for by the platform's, which nobody pays for", async () => {
    gateway.upstream.answer(status(401, { error: { message: "bad key" } }));
    expect((await ask("empty")).status).toBe(502);
    expect(new Set(secretsSeen())).toEqual(new Set(["Bearer sk-empty-123456789"]));
    const platform = await ask("empty", { provider: { byok: "never" } });
    expect(platform.status).toBe(402);
  });

  test("costs the wallet the fee that was agreed, no markup, and nothing goes without it", async () => {
    expect((await ask("fee")).status).toBe(402);
    expect(gateway.upstream.requests).toEqual([]);
    await tenants.payIn("fee", 1_000_000n);
    const answer = await ask("fee");
    expect(answer.headers.get("x-turnpike-cost-usd")).toBe("0.00000645");
    expect(await balance("fee")).toBe(1_000_000n - PRICE / 10n);
    const asked = { organizationId: "org_fee", start: 0, end: Date.now() + 1 };
    const invoice = await invoiceOf(tenants.store, asked);
    expect(invoice.lines).toContainEqual({
      kind: "fee",
      projectId: "proj_fee",
      model: "gpt-4o-mini",
      requests: 1,
      amount: PRICE / 10n,
    });
    // The record's retention may be shorter than the books'.
    const records = tenants.store.records.deleteFrom("request_records");
    await records.where("organization_id", "=", "org_fee").execute();
    expect(await invoiceOf(tenants.store, asked)).toEqual(invoice);
  });

  test("counts in budgets by what is charged, the fee; in tokens by all of them", async () => {
    expect((await ask("owes")).status).toBe(200);
    expect(await used("bud_owes_usd")).toBe(PRICE / 20n);
    expect(await used("bud_owes_tokens")).toBe(130n);
    expect(await balance("owes")).toBe(-PRICE / 20n);
    const owed = await tenants.store.core
      .selectFrom("ledger_accounts")
      .select("id")
      .where("id", "like", "provider:%")
      .execute();
    expect(owed).toEqual([]);
  });
});
