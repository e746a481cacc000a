import { book, requireAccount, transferOf } from "#ledger/book-transfer.ts";
import type { Command, Ended, Meter, Post, Reply, Settle, Void } from "#ledger/commands.ts";
import { endHold, settleUnheld } from "#ledger/end-hold.ts";
import { balanceOf, type LedgerState } from "#ledger/ledger-state.ts";
import { reserve } from "#ledger/reserve.ts";

/**
 * The ledger as a state machine: commands in their order against the rows that they name. No I/O, no
 * clock; the rows that it changes are noted in `state.changed`, and are written all or none.
 */
export const applyCommands = (state: LedgerState, commands: readonly Command[]): Reply[] =>
  commands.map((command) => apply(state, command));

function apply(state: LedgerState, command: Command): Reply {
  switch (command.type) {
    case "reserve":
      return reserve(state, command);
    case "settle":
      return settle(state, command);
    case "void":
      return voidHold(state, command);
    case "expire":
      return expire(state, command);
    case "meter":
      return meter(state, command);
    case "post":
      return post(state, command);
  }
}

function settle(state: LedgerState, command: Settle): Ended {
  const { charge, at, deposit } = command;
  if (state.tooLate.has(command.id)) return NOT_HELD;
  // Stays whatever has become of the hold: it is the wallet's credit.
  if (deposit !== undefined && !state.booked.has(deposit.id)) book(state, transferOf(deposit));
  const hold = state.holds.get(command.id);
  if (hold === undefined) return command.held ? NOT_HELD : settleUnheld(state, command);
  const most = deposit?.amount;
  return endHold(state, hold, {
    state: "settled",
    charge,
    at,
    ...(most !== undefined && { most }),
  });
}

function voidHold(state: LedgerState, { id, at, losses }: Void): Ended {
  const hold = state.holds.get(id);
  if (hold === undefined) return NOT_HELD;
  const charge = { ...hold.fallback, ...NOTHING_USED, ...(losses !== undefined && { losses }) };
  return endHold(state, hold, { state: "voided", charge, at });
}

/** Nobody knows what came of it: once a provider was called it is never free, before that always. */
function expire(state: LedgerState, { id, at }: { id: string; at: number }): Ended {
  const hold = state.holds.get(id);
  if (hold === undefined) return NOT_HELD;
  if (!hold.dispatched) return voidHold(state, { type: "void", id, at });
  return endHold(state, hold, { state: "expired", charge: hold.fallback, at });
}

function meter(state: LedgerState, { id, deliveredTokens, fallback }: Meter): Ended {
  const hold = state.holds.get(id);
  if (hold === undefined) return NOT_HELD;
  if (hold.state !== "open") return ended("again", hold.state);
  hold.deliveredTokens = deliveredTokens;
  hold.fallback = fallback;
  state.changed.holds.add(hold);
  return ended("done", "open");
}

function post(state: LedgerState, command: Post): Ended {
  if (state.tooLate.has(command.id)) return ended("unknown", "booked");
  if (state.booked.has(command.id)) return ended("again", "booked");
  const { onlyAvailable } = command;
  const debited = requireAccount(state, command.debitAccount, command);
  const available = balanceOf(debited) - debited.pending;
  if (onlyAvailable === "all" && available < command.amount) return ended("unknown", "booked");
  const amount = onlyAvailable === true ? least(command.amount, available) : command.amount;
  if (amount <= 0n) return ended("unknown", "booked");
  book(state, transferOf({ ...command, amount }));
  return { ...ended("done", "booked"), charged: amount };
}

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

const NOTHING_USED = { chargeNanoUsd: 0n, tokens: 0, counters: [] as readonly never[] } as const;

const ended = (outcome: Ended["outcome"], state: Ended["state"]): Ended => ({
  outcome,
  state,
  charged: 0n,
  excess: 0n,
  counted: [],
});

const NOT_HELD: Ended = ended("unknown", "voided");
