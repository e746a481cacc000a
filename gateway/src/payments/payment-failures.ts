import { GatewayError, type Failure, type PaymentTerms } from "#canonical/failure.ts";
import type { PaymentRow } from "#store/payments.ts";
import { StoreError } from "#store/store-error.ts";

/** Why a proof is refused whose nonce is used up. */
export const PROOF_USED =
  "the proof of the wallet (SIGN-IN-WITH-X) was used before: each is good for once";

/** It was not paid, for a reason that the client can mend: it is told the price again. */
export class PaymentRefused extends Error {}

/** It has been used; what for, where that is not on record. */
export const usedFor = ({ id, request_id: requestId }: PaymentRow, what: string): Failure => ({
  code: "payment_used",
  field: "PAYMENT-SIGNATURE",
  message: `This payment (${id}) was used for ${requestId === null ? what : `request ${requestId}`}: it buys nothing twice. What is left of it is credit of its wallet: prove the wallet by SIGN-IN-WITH-X to spend it, GET /v1/payments/${id} shows it.`,
});

export const UNDER_WAY = "The payment is being settled.";

const PENDING_RETRY_MS = 2_000;

/** Nobody knows yet: the client is to come back with the same payment. */
export function pending(what: string, id?: string): Failure {
  const named = id === undefined ? "" : ` (${id})`;
  return {
    code: "payment_pending",
    field: "PAYMENT-SIGNATURE",
    message: `${what} Send the same request with the same PAYMENT-SIGNATURE again${named}; do not sign a new one.`,
    retryAfterMs: PENDING_RETRY_MS,
    ...(id !== undefined && {
      terms: { headers: { "x-payment-id": id }, body: { payment_id: id } },
    }),
  };
}

/** What whoever has no key is told: pay, or prove a wallet with credit. */
export const required = (terms: PaymentTerms, reason?: string) => ({
  code: "payment_required" as const,
  message: `${reason === undefined ? "This request is paid for by itself" : `Not paid: ${reason}`}. Sign one of the offers in PAYMENT-REQUIRED (x402 version 2) and send the request again with PAYMENT-SIGNATURE, prove a wallet that has credit (SIGN-IN-WITH-X), or use a key of this gateway.`,
  terms,
});

/** What the store fails to say of a payment. */
export async function toldAsPending<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    // Whatever step it was: what was signed stays good, and another one would be paid twice.
    if (error instanceof StoreError) throw new GatewayError(pending("The data store failed."));
    throw error;
  }
}
