import { GatewayError } from "#canonical/failure.ts";
import type { Access } from "#governance/access.ts";
import { authenticate, credentialOf } from "#pipeline/authenticate.ts";
import type { Call } from "#pipeline/call.ts";
import type { Exchange } from "#pipeline/exchange.ts";
import type { Gateway } from "#pipeline/gateway.ts";
import { priceOf } from "#pipeline/pay-for-request.ts";
import { required } from "#payments/payment-failures.ts";

/** SDKs do not go without a key: agents that pay give them this word. */
const NO_KEY = "x402";

/** Whether a request comes without a key, and may be paid for instead. */
export function paysByItself(
  exchange: Pick<Exchange, "headers">,
  { payments }: Pick<Gateway, "payments">,
): boolean {
  if (payments === undefined) return false;
  const credential = credentialOf(exchange);
  return credential === undefined || credential === "" || credential.toLowerCase() === NO_KEY;
}

/**
 * Who asks: by the key, or where none is sent and payments are on, by the wallet. Throws
 * `unauthenticated`, and for an empty request without a key its least price: catalogues of paid
 * services ask that way.
 */
export async function identify(call: Call): Promise<Access> {
  const { exchange, gateway } = call;
  const { payments } = gateway;
  if (payments === undefined || !paysByItself(exchange, gateway)) {
    return authenticate(exchange, gateway.keys);
  }
  const payer = (call.payer = await payments.recognize(exchange));
  if (payer.kind === "stranger" && isProbe(exchange.body)) {
    throw new GatewayError(required(payments.termsOf(priceOf(call, payments.least))));
  }
  return payer.access;
}

const isProbe = (body: Buffer): boolean =>
  body.length <= 8 && /^\s*(?:\{\s*\})?\s*$/.test(body.toString("latin1"));
