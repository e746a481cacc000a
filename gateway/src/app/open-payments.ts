import { setTimeout as pause } from "node:timers/promises";

import type { EmitAlert } from "@turnpike/contract/alerts.ts";

import { reversedAlert } from "#alerts/payment-alerts.ts";
import { repeat } from "#app/repeat-work.ts";
import type { Config } from "#config/read-config.ts";
import type { Directory } from "#governance/directory.ts";
import type { Ledger } from "#ledger/open-ledger.ts";
import type { PaymentDesk } from "#payments/payment-desk.ts";
import type { Reconciled } from "#payments/reconcile-payments.ts";
import { x402Origins, x402Settings, type X402Settings } from "#payments/x402-settings.ts";
import type { MasterKey } from "#privacy/master-key.ts";
import type { Store } from "#store/store.ts";
import type { PaymentRow } from "#store/payments.ts";
import { errorFacts, type Log } from "#telemetry/log.ts";
import type { Send } from "#upstream/answer.ts";

export interface Payments {
  /** Where those who have no key pay; `undefined`: off, or not yet compared with the chain. */
  readonly desk: () => PaymentDesk | undefined;
  readonly settings?: X402Settings;
  /** Goes on where payments stopped; absent: there are none. */
  readonly reconcile?: () => Promise<Reconciled>;
  /** Asks the chain about one payment now; absent: there are none. */
  readonly reconcileOne?: (row: PaymentRow) => Promise<void>;
}

interface Opened {
  readonly store: Store;
  readonly master: MasterKey;
  readonly directory: Directory;
  readonly ledger: Ledger;
  readonly send: Send;
  readonly log: Log;
  readonly emit: EmitAlert;
  /** How soon what could not be asked at the start is asked again; 30 s by default. */
  readonly recheckMs?: number | undefined;
  readonly closers: (() => void | Promise<void>)[];
}

const RECONCILE_MS = 5_000;
/** What could not be asked at the start is asked again. */
const RECHECK_MS = 30_000;

/** `payments.x402` with its defaults; throws in words for the operator. */
export function paymentSettings(config: Config | undefined): X402Settings | undefined {
  const { payments } = config ?? {};
  return payments?.x402 === undefined ? undefined : x402Settings(payments, payments.x402);
}

/** Where payments connect to, by the operator's own word. */
export const paymentOrigins = (settings: X402Settings | undefined): readonly string[] =>
  settings === undefined ? [] : x402Origins(settings);

/**
 * Opens payments by x402. Rejects where the configuration does not fit the facilitators or the chain;
 * where one of them does not answer the gateway starts, and takes payments once they fit.
 */
export async function openPayments(
  settings: X402Settings | undefined,
  opened: Opened,
): Promise<Payments> {
  if (settings === undefined) return { desk: () => undefined };
  // Loaded only here: the chain's library is 40 MB that most gateways never need.
  const parts = await import("#payments/open-x402.ts");
  const { log, closers } = opened;
  const { desk, reconcile, reconcileOne, check } = parts.openX402(settings, {
    ...opened,
    now: Date.now,
    tick: () => performance.now(),
    pause,
    onReversed: (row) => tellReversed(opened, row),
    onFault: (error) => log.warn(errorFacts(error), "payments could not be looked after"),
  });
  let isChecked = false;
  const stopped = new AbortController();
  const checkOnce = async (): Promise<void> => {
    await check();
    isChecked = true;
  };
  try {
    await checkOnce();
  } catch (error) {
    if (error instanceof parts.PaymentsMismatch) throw error;
    log.warn(factsOf(error), "payments are off until facilitators and chains can be asked");
    void recheck(checkOnce, { log, signal: stopped.signal, recheckMs: opened.recheckMs });
  }
  const stop = repeat(reconcile, RECONCILE_MS);
  closers.push(async () => {
    stopped.abort();
    await stop();
  });
  return { desk: () => (isChecked ? desk : undefined), settings, reconcile, reconcileOne };
}

function tellReversed({ log, emit }: Opened, row: PaymentRow): void {
  log.error({ payment: row.id, network: row.network }, "a payment's block was taken back");
  emit(reversedAlert(row));
}

/** With its words: they name hosts, and neither paths nor headers. */
const factsOf = (error: unknown): Record<string, unknown> => ({
  ...errorFacts(error),
  reason: (error instanceof Error ? error.message : String(error)).slice(0, 200),
});

interface Rechecking extends Pick<Opened, "log" | "recheckMs"> {
  readonly signal: AbortSignal;
}

async function recheck(
  check: () => Promise<void>,
  { log, signal, recheckMs = RECHECK_MS }: Rechecking,
): Promise<void> {
  for (;;) {
    try {
      await pause(recheckMs, undefined, { signal, ref: false });
    } catch {
      return;
    }
    try {
      await check();
      log.info({}, "payments are on");
      return;
    } catch (error) {
      log.warn(factsOf(error), "payments stay off");
    }
  }
}
