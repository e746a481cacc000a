import { book, requireAccount, transferOf } from "#ledger/book-transfer.ts";
import type {
  CostLine,
  CounterKey,
  CounterLimit,
  Granted,
  Refusal,
  Reserve,
} from "#ledger/commands.ts";
import {
  balanceOf,
  type Counter,
  type HeldCounter,
  type Hold,
  type LedgerState,
} from "#ledger/ledger-state.ts";

const PICO_PER_NANO = 1000n;
/** No bound. Far above any model's output, and exact as a number. */
const UNBOUNDED = Number.MAX_SAFE_INTEGER;

/** One thing that bounds a request: what is left of it, and what of the request it bounds. */
interface Bound {
  readonly by: "counter" | "wallet";
  readonly counterId?: string;
  readonly unit: "usd" | "tokens";
  readonly lines: readonly CostLine[];
  readonly limit: bigint;
  readonly used: bigint;
  readonly pending: bigint;
}

/**
 * Holds the worst case of a request at every level or at none. Where not all of the output that it
 * wants is affordable it gets less, down to the least that is useful; below that it is refused.
 */
export function reserve(state: LedgerState, command: Reserve): Granted | Refusal {
  const before = state.holds.get(command.id);
  if (before !== undefined) return heldBefore(before);
  if (state.tooLate.has(command.id)) return USED_BEFORE;
  // Stays whatever comes of the request: it is the wallet's credit.
  if (command.deposit !== undefined && !state.booked.has(command.deposit.id)) {
    book(state, transferOf(command.deposit));
  }
  const bounds = boundsOf(state, command);
  let outputTokens = command.wantedTokens;
  let tightest: Bound | undefined;
  for (const bound of bounds) {
    const tokens = affordableTokens(bound, command.answers, bound.pending);
    if (tokens < outputTokens) [outputTokens, tightest] = [tokens, bound];
  }
  if (tightest !== undefined && outputTokens < command.leastTokens) {
    return refusalBy(tightest, command, { bounds, affordableTokens: outputTokens });
  }
  if (command.trial === true) return { outputTokens, amount: 0n, counters: [] };
  return grant(state, command, { bounds, outputTokens });
}

/** A command that is repeated: its first try was done, and its reply was lost. */
const heldBefore = (hold: Hold): Granted | Refusal =>
  hold.state === "open"
    ? { outputTokens: hold.tokens, amount: hold.amount, counters: hold.counters }
    : { ...NO_AMOUNTS, ...NOTHING_FITS, by: "ended", untilHoldsEnd: false };

const NO_AMOUNTS = { limit: 0n, used: 0n, pending: 0n } as const;
const NOTHING_FITS = { affordableTokens: 0, affordableLines: [] } as const;
const USED_BEFORE = { ...NO_AMOUNTS, ...NOTHING_FITS, by: "use", untilHoldsEnd: false } as const;

function boundsOf(state: LedgerState, command: Reserve): Bound[] {
  const bounds: Bound[] = [];
  const { wallet } = command;
  if (wallet !== undefined) {
    const account = requireAccount(state, wallet.id, command);
    bounds.push({
      by: "wallet",
      unit: "usd",
      lines: command.lines,
      limit: account.credits - wallet.lowest,
      used: account.debits,
      pending: account.pending,
    });
  }
  for (const counter of command.counters) {
    if (counter.slot !== undefined) continue;
    const { used, pending } = requireCounter(state, counter, command.at);
    const { unit, limit } = counter;
    const lines = linesOf(counter, command);
    bounds.push({ by: "counter", counterId: counter.id, unit, lines, limit, used, pending });
  }
  return bounds;
}

const linesOf = ({ lines }: CounterLimit, command: Reserve): readonly CostLine[] =>
  lines === undefined ? command.lines : command.lines.filter((_line, at) => lines.includes(at));

/** How many output tokens fit into what is left; negative where the rest does not fit either. */
function affordableTokens(bound: Bound, answers: number, pending: bigint): number {
  const free = bound.limit - bound.used - pending;
  // A limit that was lowered below what is used already: what costs nothing may go on.
  const left = free < 0n ? 0n : free;
  let tokens = UNBOUNDED;
  for (const line of bound.lines) {
    const rest =
      bound.unit === "usd"
        ? left * PICO_PER_NANO - line.basePicoUsd
        : left - BigInt(line.inputTokens);
    if (rest < 0n) return -1;
    const each = (bound.unit === "usd" ? line.outputPicoUsd : 1n) * BigInt(answers);
    if (each > 0n) tokens = Math.min(tokens, Number(rest / each));
  }
  return tokens;
}

/** How many output tokens a route could have if it were the only one. */
const tokensAlone = (command: Reserve, bounds: readonly Bound[], line: CostLine): number =>
  bounds
    .filter(({ lines }) => lines.includes(line))
    .map((bound) => affordableTokens({ ...bound, lines: [line] }, command.answers, bound.pending))
    .reduce((least, tokens) => Math.min(least, tokens), command.wantedTokens);

/** Lines that each fit by themselves into all that bounds them fit together, too: the dearest counts. */
const affordableLines = (command: Reserve, bounds: readonly Bound[]): readonly number[] =>
  command.lines.flatMap((line, at) =>
    tokensAlone(command, bounds, line) >= command.leastTokens ? [at] : [],
  );

interface Refused {
  readonly bounds: readonly Bound[];
  readonly affordableTokens: number;
}

function refusalBy(
  bound: Bound,
  command: Reserve,
  { bounds, affordableTokens: affordable }: Refused,
): Refusal {
  const { by, counterId, limit, used, pending } = bound;
  const alone = affordableTokens(bound, command.answers, 0n);
  return {
    by,
    ...(counterId !== undefined && { counterId }),
    limit,
    used,
    pending,
    affordableTokens: affordable,
    untilHoldsEnd: alone >= command.leastTokens,
    affordableLines: affordableLines(command, bounds),
  };
}

/** Nano-USD that lines cost at worst at so much output. */
export const worstCaseNanoUsd = (
  lines: readonly CostLine[],
  output: { readonly outputTokens: number; readonly answers: number },
): bigint => worstCase(lines, "usd", output);

/** The worst case of some lines at so much output, in the unit of a counter. */
function worstCase(
  lines: readonly CostLine[],
  unit: "usd" | "tokens",
  { outputTokens, answers }: { readonly outputTokens: number; readonly answers: number },
): bigint {
  const output = BigInt(outputTokens) * BigInt(answers);
  let most = 0n;
  for (const line of lines) {
    const amount =
      unit === "usd"
        ? line.basePicoUsd + line.outputPicoUsd * output
        : BigInt(line.inputTokens) + output;
    if (amount > most) most = amount;
  }
  return unit === "usd" ? (most + PICO_PER_NANO - 1n) / PICO_PER_NANO : most;
}

interface Granting {
  readonly bounds: readonly Bound[];
  readonly outputTokens: number;
}

function grant(
  state: LedgerState,
  command: Reserve,
  { bounds, outputTokens }: Granting,
): Granted | Refusal {
  const output = { outputTokens, answers: command.answers };
  const held: HeldCounter[] = [];
  for (const limit of command.counters) {
    const amount = worstCase(linesOf(limit, command), limit.unit, output);
    const slot = slotFor(state, command, { limit, amount });
    if (slot !== undefined && "by" in slot) {
      return { ...slot, affordableLines: unslowedLines(command, bounds, { ...slot, ...limit }) };
    }
    held.push({ id: limit.id, amount });
    if (slot !== undefined) held.push({ id: slot.id, amount: 1n });
  }
  // Nothing was changed so far: a refusal by the last level leaves no trace at the first.
  const amount = worstCase(command.lines, "usd", output);
  const { wallet } = command;
  if (wallet !== undefined) {
    const account = requireAccount(state, wallet.id, command);
    account.pending += amount;
    state.changed.accounts.add(account);
    const left = balanceOf(account) - account.pending;
    if (amount > 0n && left < wallet.lowest) throw new RangeError(`${wallet.id} falls too low`);
  }
  for (const { id, amount: part } of held) {
    const counter = state.counters.get(id);
    if (counter === undefined) throw new RangeError(`counter ${id} is not loaded`);
    counter.pending += part;
    counter.updatedAt = command.at;
    state.changed.counters.add(counter);
    if (part > 0n) checkLimit(counter, command);
  }
  const hold = holdOf(command, { amount, tokens: outputTokens, counters: held });
  state.holds.set(hold.id, hold);
  state.changed.holds.add(hold);
  return { outputTokens, amount, counters: held };
}

/** Lines that a limit which slows down does not slow: it is not about them, or they fit into what is left of it. */
const unslowedLines = (
  command: Reserve,
  bounds: readonly Bound[],
  slow: CounterLimit & Pick<Refusal, "used" | "pending">,
): readonly number[] =>
  affordableLines(command, bounds).filter((at) => {
    const line = command.lines[at];
    if (line === undefined || !linesOf(slow, command).includes(line)) return true;
    const outputTokens = tokensAlone(command, bounds, line);
    const amount = worstCase([line], slow.unit, { outputTokens, answers: command.answers });
    return slow.used + slow.pending + amount <= slow.limit;
  });

/** The slot that a request needs beyond a limit that slows down; refused while another one has it. */
function slotFor(
  state: LedgerState,
  command: Reserve,
  { limit, amount }: { readonly limit: CounterLimit; readonly amount: bigint },
): CounterKey | Refusal | undefined {
  const { slot } = limit;
  // What counts for none of its routes is not slowed down by it.
  if (slot === undefined || linesOf(limit, command).length === 0) return undefined;
  const { used, pending } = requireCounter(state, limit, command.at);
  if (used + pending + amount <= limit.limit) return undefined;
  if (requireCounter(state, slot, command.at).pending === 0n) return slot;
  const amounts = { limit: limit.limit, used, pending };
  return { by: "slot", counterId: limit.id, ...amounts, ...NOTHING_FITS, untilHoldsEnd: true };
}

function holdOf(command: Reserve, held: Pick<Hold, "amount" | "tokens" | "counters">): Hold {
  return {
    id: command.id,
    state: "open",
    organizationId: command.organizationId,
    accountId: command.wallet?.id ?? null,
    ...held,
    fallback: command.fallback,
    owner: command.owner,
    // A provider is called right after: a process that dies in between charges for what was asked of it.
    dispatched: true,
    deliveredTokens: 0,
    charged: null,
    createdAt: command.at,
    deadline: command.deadline,
    endedAt: null,
  };
}

export function requireCounter(state: LedgerState, key: CounterKey, at: number): Counter {
  const known = state.counters.get(key.id);
  if (known !== undefined) return known;
  if (!state.asked.has(key.id)) throw new RangeError(`counter ${key.id} was not looked for`);
  const { id, budgetId, organizationId, subject, periodStart, periodEnd } = key;
  const named = { id, budgetId, organizationId, subject, periodStart, periodEnd };
  const counter: Counter = { ...named, used: 0n, pending: 0n, updatedAt: at };
  state.counters.set(id, counter);
  return counter;
}

/** Asserted in production: a limit that is passed here has been passed by a fault of this file. */
function checkLimit({ id, used, pending }: Counter, { counters }: Reserve): void {
  const bound = counters.find((counter) => counter.id === id && counter.slot === undefined);
  if (bound !== undefined && used + pending > bound.limit) {
    throw new RangeError(`counter ${id} passes its limit`);
  }
}
