import { GatewayError } from "#canonical/failure.ts";
import { toAtomic } from "#payments/amounts.ts";
import { SETTLING_MS, type Collecting } from "#payments/claim-payment.ts";
import type { Collected } from "#payments/paid-payment.ts";
import { pending, toldAsPending, UNDER_WAY } from "#payments/payment-failures.ts";
import { change, settlePayment, type CollectDeps } from "#payments/settle-payment.ts";
import { changePayment, type PaymentRow } from "#store/payments.ts";

/** A payment by `upto`: verified and claimed, and settled once it is known how much is owed. */
export interface Tab {
  readonly id: string;
  /** Nano-USD that were signed. */
  readonly most: bigint;
  /** Unix milliseconds; what is settled later may be refused. */
  readonly settleBefore: number;
  /**
   * Settles what is owed, in nano-USD, or the least price where that is more; nothing where nothing is
   * owed. Once. Throws what `collectPayment` throws.
   */
  settle(owed: bigint): Promise<Collected | undefined>;
}

/** Of a row that was just claimed. */
export function openTab(deps: CollectDeps, wanted: Collecting, row: PaymentRow): Tab {
  const { id, nano_usd: most, valid_before: end } = row;
  return {
    id,
    most: BigInt(most),
    settleBefore: end - SETTLING_MS,
    settle: (owed) => toldAsPending(() => settleTab(deps, wanted, { row, owed })),
  };
}

interface Owed {
  readonly row: PaymentRow;
  /** Nano-USD. */
  readonly owed: bigint;
}

async function settleTab(
  deps: CollectDeps,
  { signal: _gone, ...wanted }: Collecting,
  { row, owed }: Owed,
): Promise<Collected | undefined> {
  if (owed === 0n) {
    await change(deps, row, { state: "refused", reason: "nothing was owed" });
    return undefined;
  }
  // From here on others go on with it, should this process not.
  const at = { gateway: wanted.gateway, updated_at: deps.now() };
  const from = { id: row.id, from: ["claimed"], unchangedSince: row.updated_at } as const;
  if (!(await changePayment(deps.core, from, at))) {
    throw new GatewayError(pending(UNDER_WAY, row.id));
  }
  return settlePayment(deps, wanted, {
    row: { ...row, ...at },
    amount: owedOf(deps, { row, owed }),
  });
}

/** In the token's smallest unit. */
function owedOf({ settings }: CollectDeps, { row, owed }: Owed): bigint {
  const asset = settings.assets.find(
    ({ network, address }) => network === row.network && address === row.asset,
  );
  if (asset === undefined) throw new Error(`${row.asset} was offered and is not configured`);
  const wanted = toAtomic(owed > settings.least ? owed : settings.least, asset.decimals);
  const most = BigInt(row.amount);
  return wanted < most ? wanted : most;
}
