import { noteEvent } from "#alerts/outbox.ts";
import { reversedAlert } from "#alerts/payment-alerts.ts";
import { CliError, type CliIo } from "#cli/cli-io.ts";
import { readConfig } from "#cli/config-location.ts";
import { openLedger } from "#ledger/open-ledger.ts";
import type { PaymentRow } from "#payments/search-payments.ts";
import { x402Origins, x402Settings } from "#payments/x402-settings.ts";
import { createLedgerStore } from "#store/ledger.ts";
import type { Store } from "#store/store.ts";
import { createDialer } from "#upstream/dialer.ts";

interface ByHand {
  readonly row: PaymentRow;
  readonly store: Store;
  /** A file of settings; absent: where they usually are. */
  readonly config: string | undefined;
}

/** Asks the chain about a payment from this machine; the gateway may run meanwhile, or not. */
export async function reconcileByHand(io: CliIo, { row, store, config }: ByHand): Promise<void> {
  if (row.kind === "gate-pay") {
    throw new CliError(
      `${row.id} is an order at Gate Pay: ask by the gateway (POST /api/payments/${row.id}/reconcile).`,
    );
  }
  const { payments } = (await readConfig(io, config)) ?? {};
  if (payments?.x402 === undefined) {
    throw new CliError("there is no payments.x402 in the settings: name their file with --config.");
  }
  const settings = x402Settings(payments, payments.x402);
  const origins = new Set(x402Origins(settings));
  const dialer = createDialer(() => origins);
  const ledger = openLedger({ store: createLedgerStore(store) });
  // Only now: the chain's library is much to load for a list.
  const { openChainReader } = await import("#payments/chain-reader.ts");
  const { reconcileOne } = await import("#payments/reconcile-one.ts");
  let reversal: PaymentRow | undefined;
  const deps = {
    core: store.core,
    chain: openChainReader(settings.chains, dialer.send),
    ledger,
    settings,
    now: io.now,
    onReversed: (reversed: PaymentRow) => void (reversal = reversed),
    onFault: (error: unknown) => io.err(String(error)),
  };
  try {
    await reconcileOne(deps, row);
    await ledger.idle();
    if (reversal !== undefined) await tellReversed(io, store, reversal);
  } finally {
    await dialer.close();
  }
}

/** Written down as the gateway does; a running one sends it. */
async function tellReversed(io: CliIo, { core }: Store, row: PaymentRow): Promise<void> {
  io.err(`${row.id} was taken back by its chain: its wallet owes it.`);
  await noteEvent({ core, now: io.now }, reversedAlert(row));
}
