import type { AlertEvent, EmitAlert } from "@turnpike/contract/alerts.ts";

import { checkInvariants, type Violation } from "#ledger/check-invariants.ts";
import { createCredits, type Credits } from "#ledger/credits.ts";
import { createIdempotencyKeys, type IdempotencyKeys } from "#ledger/idempotency.ts";
import { openHolds, type OpenHolds } from "#ledger/open-holds.ts";
import { openLedger, type Ledger } from "#ledger/open-ledger.ts";
import { newId } from "#lib/ids.ts";
import { deleteEndedHolds } from "#store/ledger-reads.ts";
import { createLedgerStore } from "#store/ledger.ts";
import type { Store } from "#store/store.ts";
import { errorFacts, type Log } from "#telemetry/log.ts";

/** What requests cost, and who holds what for it. */
export interface Money {
  readonly ledger: Ledger;
  readonly holds: OpenHolds;
  readonly idempotencyKeys: IdempotencyKeys;
  readonly credits: Credits;
  /** Whether an organization has credits left, as known a moment ago. */
  readonly hasCredit: (organizationId: string) => boolean;
}

/** How often credits and idempotency keys whose time is over are looked for. */
const EXPIRY_MS = 60_000;
/** Ended holds are what a late repetition of a command is known by; no client repeats for so long. */
const HOLDS_MS = 30 * 24 * 60 * 60 * 1_000;
/** A balance that is known is looked up anew after this. */
const CREDIT_MS = 2_000;
const MAX_KNOWN = 10_000;

/** Balances as they were a moment ago: the choice of models needs no more, the ledger decides. */
function knownCredit(credits: Credits): Money["hasCredit"] {
  const known = new Map<string, { has: boolean; tick: number }>();
  return (organizationId) => {
    const seen = known.get(organizationId);
    if (seen !== undefined && performance.now() - seen.tick < CREDIT_MS) return seen.has;
    if (known.size > MAX_KNOWN) known.clear();
    const entry = { has: seen?.has ?? false, tick: performance.now() };
    known.set(organizationId, entry);
    void credits
      .balance(organizationId)
      .then((found) => (entry.has = found.balance > 0n))
      .catch(() => undefined);
    return entry.has;
  };
}

interface Opened {
  readonly store: Store;
  readonly log: Log;
  readonly emitAlert: EmitAlert;
  /** Takes what ends it. */
  readonly closers: (() => void | Promise<void>)[];
}

const violationAlert = ({ rule, subject, detail }: Violation): AlertEvent => ({
  kind: "ledger.invariant",
  organizationId: null,
  once: `${rule} ${subject}`,
  text: `The ledger breaks one of its rules: ${rule} (${subject}).`,
  facts: { rule, subject, detail },
});

/** How often the books are looked at while requests go on. */
const CHECK_MS = 15 * 60 * 1_000;
/** As many of the transfers are replayed while requests wait for it. */
const LIVE_TRANSFERS = 10_000;

/** Opens the ledger, checks its books, and begins to end what processes left behind. */
export async function openMoney({ store, log, emitAlert, closers }: Opened): Promise<Money> {
  const ledgerStore = createLedgerStore(store);
  const ledger = openLedger({
    store: ledgerStore,
    onFault: (error) => log.error(errorFacts(error), "the ledger refused a command: a fault"),
  });
  const holds = openHolds({
    ledger,
    store: ledgerStore,
    owner: newId("gw_", Date.now()),
    now: Date.now,
    onSwept: (ended) => {
      const charged = ended.reduce((sum, { charged: amount }) => sum + amount, 0n);
      const facts = { holds: ended.length, chargedNanoUsd: String(charged) };
      log.warn(facts, "holds that nobody settled have been ended");
    },
  });
  const check = async (maxTransfers?: number): Promise<void> => {
    const violations = await checkInvariants(
      store.core,
      maxTransfers === undefined ? {} : { maxTransfers },
    );
    for (const violation of violations) {
      log.error({ ...violation }, "the ledger breaks one of its rules");
      emitAlert(violationAlert(violation));
    }
  };
  await check();
  await holds.sweep();
  const timer = setInterval(() => void check(LIVE_TRANSFERS).catch(() => undefined), CHECK_MS);
  timer.unref();
  closers.push(async () => {
    clearInterval(timer);
    await holds.close();
  });
  const credits = createCredits({ ledger, store, now: Date.now });
  const idempotencyKeys = createIdempotencyKeys(store.core, { owner: holds.owner, now: Date.now });
  const daily = setInterval(() => {
    // What fails now is done by the next turn.
    void credits.expireDue().catch(() => undefined);
    void idempotencyKeys.purge().catch(() => undefined);
    void deleteEndedHolds(store.core, Date.now() - HOLDS_MS).catch(() => undefined);
  }, EXPIRY_MS);
  daily.unref();
  closers.push(() => clearInterval(daily));
  return { ledger, holds, credits, idempotencyKeys, hasCredit: knownCredit(credits) };
}
