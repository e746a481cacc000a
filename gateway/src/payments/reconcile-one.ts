import { GatewayError } from "#canonical/failure.ts";
import { awaitedOf } from "#payments/claim-payment.ts";
import { STALE_MS } from "#payments/settle-payment.ts";
import { PaymentRefused } from "#payments/payment-failures.ts";
import {
  confirmOne,
  credit,
  PAID_MS,
  resolve,
  type ReconcileDeps,
} from "#payments/reconcile-payments.ts";
import { changePayment, type PaymentRow } from "#store/payments.ts";

/**
 * Asks the chain about one payment now, whatever its turn. One that a request works at this moment is
 * left to it; a closed one is opened again where the chain says that it was paid after all. Throws
 * `unavailable` when the chain cannot be asked.
 */
export async function reconcileOne(deps: ReconcileDeps, row: PaymentRow): Promise<void> {
  try {
    await reconcile(deps, row);
  } catch (error) {
    // Its transfer is another payment's: that is its end, and on record.
    if (error instanceof PaymentRefused) return;
    if (error instanceof GatewayError) throw error;
    throw new GatewayError({
      code: "unavailable",
      message: `The chain of the payment (${row.network}) cannot be asked: ${(error as Error).message}. Look at payments.x402.networks, and ask again.`,
    });
  }
}

async function reconcile(deps: ReconcileDeps, row: PaymentRow): Promise<void> {
  const age = deps.now() - row.updated_at;
  switch (row.state) {
    case "claimed":
      if (isLeftAlone(deps, row)) await resolve(deps, row);
      return;
    case "unknown":
    case "refused":
      await resolve(deps, row);
      return;
    case "paid":
      if (age > PAID_MS) await credit(deps, row);
      return;
    case "credited":
      if (row.block !== null) await confirm(deps, row);
      return;
    case "failed":
      await reopen(deps, row);
      return;
    case "reversed":
  }
}

/** What is settled after its answer is answered until its end. */
function isLeftAlone({ now, settings }: ReconcileDeps, row: PaymentRow): boolean {
  const before = now() - settings.settleTimeoutMs - STALE_MS;
  const isAnswered = row.kind === "upto" && row.gateway === null;
  return (isAnswered ? row.valid_before : row.updated_at) < before;
}

async function confirm(deps: ReconcileDeps, row: PaymentRow): Promise<void> {
  const { network } = row;
  const confirmations = deps.settings.chains.get(network)?.confirmations ?? 1;
  await confirmOne(deps, row, (await deps.chain.newestBlock(network)) - confirmations + 1);
}

/** A node that was behind may have said that it was never paid. */
async function reopen(deps: ReconcileDeps, row: PaymentRow): Promise<void> {
  const { state } = await deps.chain.outcomeOf(awaitedOf(row));
  if (state !== "paid") return;
  const opened = { state: "unknown", updated_at: deps.now() } as const;
  const from = { id: row.id, from: ["failed"], unchangedSince: row.updated_at } as const;
  if (await changePayment(deps.core, from, opened)) await resolve(deps, { ...row, ...opened });
}
