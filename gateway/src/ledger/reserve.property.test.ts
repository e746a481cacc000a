import fc from "fast-check";
import { expect, test } from "vitest";

import { isRefusal, type CounterLimit, type Reserve } from "#ledger/commands.ts";
import { emptyState, type LedgerState } from "#ledger/ledger-state.ts";
import { reserve } from "#ledger/reserve.ts";

/** A small world: one wallet, three budgets, some of them about some routes only. */
const nano = fc.bigInt({ min: 0n, max: 3_000n });
const line = fc.record({
  basePicoUsd: fc.bigInt({ min: 0n, max: 900_000n }),
  outputPicoUsd: fc.bigInt({ min: 0n, max: 5_000n }),
  inputTokens: fc.integer({ min: 0, max: 300 }),
});
const bound = fc.record({
  unit: fc.constantFrom("usd" as const, "tokens" as const),
  limit: nano,
  used: nano,
  pending: fc.bigInt({ min: 0n, max: 500n }),
  about: fc.option(fc.nat(31), { nil: undefined }),
  slows: fc.boolean(),
  slotTaken: fc.boolean(),
});
const world = fc.record({
  lines: fc.array(line, { minLength: 1, maxLength: 5 }),
  bounds: fc.array(bound, { maxLength: 3 }),
  wallet: fc.option(fc.record({ credits: nano, debits: nano, pending: nano }), { nil: undefined }),
  answers: fc.integer({ min: 1, max: 3 }),
  wantedTokens: fc.integer({ min: 0, max: 800 }),
  leastTokens: fc.integer({ min: 0, max: 256 }),
});
type World = typeof world extends fc.Arbitrary<infer Value> ? Value : never;

const CHARGE = {
  walletId: "wallet:o",
  projectId: "p",
  chargeNanoUsd: 0n,
  tokens: 0,
  counters: [],
} as const;

const counterKey = (id: string) =>
  ({
    id,
    budgetId: id,
    organizationId: "o",
    subject: "",
    periodStart: 0,
    periodEnd: null,
  }) as const;

const commandOf = (given: World, kept: readonly number[]): Reserve => ({
  type: "reserve",
  id: "req_1",
  at: 1,
  organizationId: "o",
  owner: "gw",
  deadline: 2,
  ...(given.wallet !== undefined && { wallet: { id: "wallet:o", lowest: 0n } }),
  counters: given.bounds.map(({ unit, limit, about, slows }, at): CounterLimit => {
    const lines = kept.flatMap((line_, index) =>
      about !== undefined && (about >> line_) % 2 === 1 ? [index] : [],
    );
    return {
      ...counterKey(`b${at}`),
      unit,
      limit,
      ...(about !== undefined && { lines }),
      ...(slows && { slot: counterKey(`slot${at}`) }),
    };
  }),
  lines: kept.map(
    (at) => given.lines[at] ?? { basePicoUsd: 0n, outputPicoUsd: 0n, inputTokens: 0 },
  ),
  answers: given.answers,
  wantedTokens: given.wantedTokens,
  leastTokens: Math.min(given.leastTokens, given.wantedTokens),
  fallback: CHARGE,
});

function stateOf({ bounds, wallet }: World): LedgerState {
  const state = emptyState();
  const add = (id: string, used: bigint, pending: bigint): void =>
    void state.counters.set(id, { ...counterKey(id), used, pending, updatedAt: 0 });
  for (const [at, { used, pending, slotTaken }] of bounds.entries()) {
    add(`b${at}`, used, pending);
    add(`slot${at}`, 0n, slotTaken ? 1n : 0n);
  }
  if (wallet !== undefined) {
    const account = { id: "wallet:o", kind: "wallet", organizationId: "o", createdAt: 0 };
    state.accounts.set("wallet:o", { ...account, ...wallet });
  }
  return state;
}

const all = ({ lines }: World): readonly number[] => lines.map((_line, at) => at);
const isLetThrough = (given: World, kept: readonly number[]): boolean =>
  !isRefusal(reserve(stateOf(given), commandOf(given, kept)));

/** As the pipeline does it: without the routes that do not fit, as long as others do. */
function reserveAffordable(given: World) {
  const state = stateOf(given);
  let kept = all(given);
  for (;;) {
    const reply = reserve(state, commandOf(given, kept));
    if (!isRefusal(reply)) return { state, kept, reply };
    const fitting = reply.affordableLines.flatMap((at) => kept[at] ?? []);
    if (fitting.length === 0) return { state, kept: [], reply };
    expect(fitting.length).toBeLessThan(kept.length);
    kept = fitting;
  }
}

test("nothing is refused that one of its routes alone could be let through for", () => {
  fc.assert(
    fc.property(world, (given) => {
      const { reply } = reserveAffordable(given);
      const alone = all(given).some((at) => isLetThrough(given, [at]));
      expect(!isRefusal(reply)).toBe(alone || isLetThrough(given, all(given)));
    }),
    { numRuns: 3_000 },
  );
});

test("what is held is the worst case of every route that stays, within all that bounds it", () => {
  fc.assert(
    fc.property(world, (given) => {
      const before = stateOf(given);
      const { state, kept, reply } = reserveAffordable(given);
      if (isRefusal(reply)) {
        // A refusal leaves no trace.
        expect([...state.counters.values()]).toEqual([...before.counters.values()]);
        expect([...state.accounts.values()]).toEqual([...before.accounts.values()]);
        return;
      }
      const tokens = BigInt(reply.outputTokens) * BigInt(given.answers);
      for (const at of kept) {
        const { basePicoUsd, outputPicoUsd, inputTokens } =
          commandOf(given, [at]).lines[0] ?? never();
        const cost = basePicoUsd + outputPicoUsd * tokens;
        const { wallet } = given;
        if (wallet !== undefined && cost > 0n) {
          expect(cost <= (wallet.credits - wallet.debits - wallet.pending) * 1_000n).toBe(true);
        }
        for (const { unit, limit, used, pending, about, slows } of given.bounds) {
          const isAbout = about === undefined || (about >> at) % 2 === 1;
          const wanted = unit === "usd" ? cost : (BigInt(inputTokens) + tokens) * 1_000n;
          if (!isAbout || slows || wanted === 0n) continue;
          expect(wanted <= (limit - used - pending) * 1_000n).toBe(true);
        }
      }
    }),
    { numRuns: 3_000 },
  );
});

const never = (): never => {
  throw new Error("a line that is kept is there");
};
