import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { checkInvariants } from "#ledger/check-invariants.ts";
import type { Charge, Command, CounterLimit, Reply } from "#ledger/commands.ts";
import { openLedger, type Ledger } from "#ledger/open-ledger.ts";
import { createLedgerStore } from "#store/ledger.ts";
import type { Store } from "#store/store.ts";
import { describeOnEach, type TestDatabase } from "#test/databases.ts";

/** `LEDGER_SEQUENCES=5000` is the full size; a run of the suite has a few hundred. */
const SEQUENCES = Number(process.env["LEDGER_SEQUENCES"] ?? 150);

/** What a test does: the ledger's commands by small numbers, a new limit, a process that dies. */
type Step =
  | { readonly do: "reserve"; readonly id: number; readonly wanted: number; readonly input: number }
  | { readonly do: "settle"; readonly id: number; readonly cost: number }
  | { readonly do: "void" | "expire"; readonly id: number }
  | { readonly do: "meter"; readonly id: number; readonly cost: number }
  | { readonly do: "top-up" | "refund"; readonly id: number; readonly amount: number }
  | { readonly do: "limit"; readonly limit: number }
  | { readonly do: "crash" };

const PRICE = 3;
const LEAST = 10;

interface ModelHold {
  open: boolean;
  amount: number;
  fallback: number;
}

/** The ledger as a child would write it: floats of whole numbers, no batches, no store. */
class Model {
  limit = 2_000;
  used = 0;
  paidIn = 0;
  charged = 0;
  refunded = 0;
  readonly holds = new Map<number, ModelHold>();
  readonly booked = new Set<string>();

  get held(): number {
    return [...this.holds.values()].reduce((sum, { open, amount }) => sum + (open ? amount : 0), 0);
  }

  /** The output tokens that are let through, tried one by one from the top; -1: none. */
  reserve({ id, wanted, input }: Extract<Step, { do: "reserve" }>): number | "again" | "ended" {
    const before = this.holds.get(id);
    if (before !== undefined) return before.open ? "again" : "ended";
    const inBudget = Math.max(0, this.limit - this.used - this.held);
    const inWallet = Math.max(0, this.paidIn + this.refunded - this.charged - this.held);
    for (let tokens = wanted; tokens >= Math.min(LEAST, wanted); tokens--) {
      const amount = input + tokens * PRICE;
      if (amount > inBudget || amount > inWallet) continue;
      this.holds.set(id, { open: true, amount, fallback: input });
      return tokens;
    }
    return -1;
  }

  end(id: number, cost: number | "fallback"): number {
    const hold = this.holds.get(id);
    if (hold?.open !== true) return 0;
    hold.open = false;
    const charged = Math.min(cost === "fallback" ? hold.fallback : cost, hold.amount);
    this.used += charged;
    this.charged += charged;
    return charged;
  }
}

const ids = fc.integer({ min: 0, max: 7 });
const amounts = fc.integer({ min: 1, max: 1_500 });
const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("reserve" as const),
      id: ids,
      wanted: fc.integer({ min: 0, max: 300 }),
      input: fc.integer({ min: 0, max: 400 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("settle" as const),
      id: ids,
      cost: fc.integer({ min: 0, max: 1_500 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("void" as const, "expire" as const), id: ids }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("meter" as const), id: ids, cost: amounts }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("top-up" as const, "refund" as const),
      id: ids,
      amount: amounts,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("limit" as const),
      limit: fc.integer({ min: 0, max: 4_000 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("crash" as const) }) },
);

/** One sequence's own rows: sequences share a database, and none of them an account. */
class Run {
  readonly #name: string;
  readonly model = new Model();
  constructor(name: string) {
    this.#name = name;
  }

  counter(): CounterLimit {
    const id = `bud_${this.#name}:0:`;
    const named = { id, budgetId: `bud_${this.#name}`, organizationId: this.#name, subject: "" };
    return {
      ...named,
      periodStart: 0,
      periodEnd: null,
      unit: "usd",
      limit: BigInt(this.model.limit),
    };
  }

  charge(nanoUsd: number): Charge {
    const amount = BigInt(nanoUsd);
    return {
      walletId: `wallet:${this.#name}`,
      projectId: this.#name,
      chargeNanoUsd: amount,
      cost: { provider: "p", nanoUsd: amount },
      tokens: nanoUsd,
      counters: [this.counter()],
    };
  }

  id = (id: number): string => `${this.#name}_${id}`;

  command(step: Step): Command | undefined {
    const common = { at: 1, organizationId: this.#name };
    switch (step.do) {
      case "reserve":
        return {
          type: "reserve",
          id: this.id(step.id),
          ...common,
          owner: "me",
          deadline: 2,
          wallet: { id: `wallet:${this.#name}`, lowest: 0n },
          counters: [this.counter()],
          lines: [
            { basePicoUsd: BigInt(step.input) * 1_000n, outputPicoUsd: 3_000n, inputTokens: 1 },
            // A cheaper route: the dearest counts.
            { basePicoUsd: 0n, outputPicoUsd: 2_999n, inputTokens: 1 },
          ],
          answers: 1,
          wantedTokens: step.wanted,
          leastTokens: Math.min(LEAST, step.wanted),
          fallback: this.charge(step.input),
        };
      case "settle":
        return {
          type: "settle",
          id: this.id(step.id),
          ...common,
          charge: this.charge(step.cost),
          held: true,
        };
      case "void":
      case "expire":
        return { type: step.do, id: this.id(step.id), at: 1 };
      case "meter":
        return {
          type: "meter",
          id: this.id(step.id),
          deliveredTokens: 1,
          fallback: this.charge(step.cost),
        };
      case "top-up":
      case "refund": {
        const wallet = `wallet:${this.#name}`;
        const from = step.do === "top-up" ? "grants" : `project:${this.#name}`;
        const id = `${this.#name}_${step.do}_${step.id}`;
        return {
          type: "post",
          id,
          ...common,
          kind: step.do,
          debitAccount: from,
          creditAccount: wallet,
          amount: BigInt(step.amount),
        };
      }
      case "limit":
      case "crash":
        return undefined;
    }
  }

  /** Does the step in the model, and says what the ledger must answer. */
  expected(step: Step): Partial<Record<string, unknown>> | undefined {
    const { model } = this;
    switch (step.do) {
      case "reserve": {
        const before = model.holds.get(step.id);
        const tokens = model.reserve(step);
        if (tokens === "ended") return { by: "ended" };
        if (tokens === "again") return { amount: BigInt(before?.amount ?? 0) };
        if (tokens === -1) return { by: expect.stringMatching(/counter|wallet/) };
        return { outputTokens: tokens, amount: BigInt(model.holds.get(step.id)?.amount ?? 0) };
      }
      case "settle":
      case "expire":
      case "void": {
        const hold = model.holds.get(step.id);
        if (hold === undefined) return { outcome: "unknown" };
        if (!hold.open) return { outcome: "again" };
        const cost = step.do === "settle" ? step.cost : step.do === "void" ? 0 : "fallback";
        return { outcome: "done", charged: BigInt(model.end(step.id, cost)) };
      }
      case "meter": {
        const hold = model.holds.get(step.id);
        if (hold?.open === true) hold.fallback = step.cost;
        return undefined;
      }
      case "top-up":
      case "refund": {
        const key = `${step.do}_${step.id}`;
        if (model.booked.has(key)) return { outcome: "again" };
        model.booked.add(key);
        if (step.do === "top-up") model.paidIn += step.amount;
        else model.refunded += step.amount;
        return { outcome: "done", charged: BigInt(step.amount) };
      }
      case "limit":
        model.limit = step.limit;
        return undefined;
      case "crash":
        return undefined;
    }
  }
}

describeOnEach("the ledger beside its model", (make) => {
  let database: TestDatabase;
  let store: Store;
  let made = 0;

  beforeAll(async () => {
    database = await make();
    store = await database.open();
  });
  afterAll(async () => {
    const violations = await checkInvariants(store.core, { maxTransfers: 1e9, maxEnded: 1e6 });
    await store.close();
    await database.remove();
    expect(violations).toEqual([]);
  });

  const open = (): Ledger => openLedger({ store: createLedgerStore(store) });

  async function check(groups: readonly (readonly Step[])[]): Promise<void> {
    const name = `s${made++}`;
    const run = new Run(name);
    let ledger = open();
    for (const group of groups) {
      const pairs: { expected: object | undefined; reply: Promise<Reply> }[] = [];
      for (const step of group) {
        const command = run.command(step);
        const expected = run.expected(step);
        // What was asked of a process that dies now was done, and its reply is lost.
        if (step.do === "crash") {
          await Promise.all(pairs.map(({ reply }) => reply));
          ledger = open();
        }
        if (command !== undefined) pairs.push({ expected, reply: ledger.run(command) });
      }
      for (const { expected, reply } of pairs) {
        if (expected === undefined) await reply;
        else expect(await reply).toMatchObject(expected);
      }
    }
    await compare(name, run.model);
  }

  async function compare(name: string, model: Model): Promise<void> {
    const [counter, wallet] = await Promise.all([
      store.core
        .selectFrom("budget_counters")
        .selectAll()
        .where("budget_id", "=", `bud_${name}`)
        .executeTakeFirst(),
      store.core
        .selectFrom("ledger_accounts")
        .selectAll()
        .where("id", "=", `wallet:${name}`)
        .executeTakeFirst(),
    ]);
    expect({ used: Number(counter?.used ?? 0), pending: Number(counter?.pending ?? 0) }).toEqual({
      used: model.used,
      pending: model.held,
    });
    expect({
      credits: Number(wallet?.credits ?? 0),
      debits: Number(wallet?.debits ?? 0),
      pending: Number(wallet?.pending ?? 0),
    }).toEqual({
      credits: model.paidIn + model.refunded,
      debits: model.charged,
      pending: model.held,
    });
    expect(model.charged + model.held).toBeLessThanOrEqual(model.paidIn + model.refunded);
  }

  test(
    `${SEQUENCES} random sequences come out as the model says`,
    async () => {
      const group = fc.array(stepArbitrary, { minLength: 1, maxLength: 6 });
      await fc.assert(fc.asyncProperty(fc.array(group, { minLength: 1, maxLength: 12 }), check), {
        numRuns: SEQUENCES,
      });
    },
    1_000 * 60 * 20,
  );
});
