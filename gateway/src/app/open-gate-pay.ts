import type { EmitAlert } from "@turnpike/contract/alerts.ts";

import { payoutAlert } from "#alerts/payment-alerts.ts";
import { repeat } from "#app/repeat-work.ts";
import type { Ledger } from "#ledger/open-ledger.ts";
import type { GatePaySettings } from "#payments/gate-pay/gate-pay-settings.ts";
import { openGatePay, type GatePayDesk } from "#payments/gate-pay/open-gate-pay.ts";
import type { MasterKey } from "#privacy/master-key.ts";
import type { Store } from "#store/store.ts";
import type { PaymentRow } from "#store/payments.ts";
import { errorFacts, type Log } from "#telemetry/log.ts";
import type { Send } from "#upstream/answer.ts";

interface Opened {
  readonly store: Store;
  readonly master: MasterKey;
  readonly ledger: Ledger;
  readonly send: Send;
  readonly log: Log;
  readonly emit: EmitAlert;
  readonly closers: (() => void | Promise<void>)[];
}

const RECONCILE_MS = 5_000;

/** Opens payment by Gate Pay and looks after its orders from now on; `undefined`: it is off. */
export function openGatePayDesk(
  settings: GatePaySettings | undefined,
  opened: Opened,
): GatePayDesk | undefined {
  if (settings === undefined) return undefined;
  const { store, master, ledger, send, log, emit, closers } = opened;
  const desk = openGatePay({
    settings,
    core: store.core,
    secret: master.subjectKey,
    ledger,
    send,
    now: Date.now,
    onMismatch: (row, reason) => tellMismatch(opened, row, reason),
    onRefundEnded: (row) => emit(payoutAlert(row)),
    onFault: (error) => log.warn(errorFacts(error), "a refund is not carried out yet"),
  });
  const work = (): Promise<void> =>
    desk
      .reconcile()
      .catch((error: unknown) => log.warn(errorFacts(error), "Gate Pay could not be asked"));
  closers.push(repeat(work, RECONCILE_MS));
  return desk;
}

function tellMismatch({ log, emit }: Opened, row: PaymentRow, reason: string): void {
  const { id, amount, asset, organization_id: organizationId } = row;
  log.error({ payment: id, reason }, "an order was paid otherwise than it was ordered");
  emit({
    kind: "payment.mismatch",
    organizationId,
    once: id,
    text: `An order of ${amount} ${asset} was paid otherwise than it was ordered; nothing is credited.`,
    facts: { payment: id, reason },
  });
}
