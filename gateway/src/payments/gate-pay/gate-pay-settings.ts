import type { GatePaySection, PaymentsSection } from "@turnpike/contract/config-payments.ts";

import { parseUsd } from "#lib/money.ts";

/** `payments.gatePay` of the configuration, with its defaults. Amounts are nano-USD. */
export interface GatePaySettings {
  readonly baseUrl: URL;
  readonly clientId: string;
  readonly secret: string;
  readonly restrictedKey?: string;
  /** A unit of it counts as one US dollar. */
  readonly currency: string;
  readonly payCurrency?: string;
  readonly chain?: string;
  readonly fullCurrType?: string;
  readonly returnUrl: string;
  readonly cancelUrl: string;
  readonly least: bigint;
  readonly most: bigint;
}

/** Reads the section; `undefined`: there is none, or its secret is empty, which turns all of it off. */
export function gatePaySettings(
  payments: PaymentsSection | undefined,
): GatePaySettings | undefined {
  const section = payments?.gatePay;
  if (payments === undefined || section === undefined || section.secret === "") return undefined;
  const { baseUrl, clientId, secret, currency = "USDT", minUsd = "1", maxUsd = "10000" } = section;
  return {
    baseUrl: new URL(baseUrl),
    clientId,
    secret,
    currency,
    ...optional(section),
    returnUrl: section.returnUrl ?? payments.origin,
    cancelUrl: section.cancelUrl ?? payments.origin,
    least: parseUsd(minUsd),
    most: parseUsd(maxUsd),
  };
}

const optional = ({ restrictedKey, payCurrency, chain, fullCurrType }: GatePaySection) => ({
  ...(restrictedKey !== undefined && { restrictedKey }),
  ...(payCurrency !== undefined && { payCurrency }),
  ...(chain !== undefined && { chain }),
  ...(fullCurrType !== undefined && { fullCurrType }),
});
