import { checkInvariants } from "#ledger/check-invariants.ts";
import { openHolds, type OpenHolds } from "#ledger/open-holds.ts";
import { openLedger, type Ledger } from "#ledger/open-ledger.ts";
import { newId } from "#lib/ids.ts";
import { createLedgerStore } from "#store/ledger.ts";
import type { Store } from "#store/store.ts";
import { errorFacts, type Log } from "#telemetry/log.ts";

/** What requests cost, and who holds what for it. */
export interface Money {
  readonly ledger: Ledger;
  readonly holds: OpenHolds;
}

interface Opened {
  readonly store: Store;
  readonly log: Log;
  /** Takes what ends it. */
  readonly closers: (() => void | Promise<void>)[];
}

/** How often the books are looked at while requests go on. */
const CHECK_MS = 15 * 60 * 1_000;
/** As many of the transfers are replayed while requests wait for it. */
const LIVE_TRANSFERS = 10_000;

/** Opens the ledger, checks its books, and begins to end what processes left behind. */
export async function openMoney({ store, log, closers }: Opened): Promise<Money> {
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
  return { ledger, holds };
}
