import type { FastifyRequest } from "fastify";

import { GatewayError } from "#canonical/failure.ts";
import type { Access } from "#governance/access.ts";
import type { PaymentDesk } from "#payments/payment-desk.ts";
import { required } from "#payments/payment-failures.ts";
import { authenticate } from "#pipeline/authenticate.ts";
import { paysByItself } from "#pipeline/identify.ts";
import type { Gateway } from "#pipeline/gateway.ts";

/**
 * Whose account is read: a key's, or that of a wallet which proves itself. Who sends neither gets a 402
 * with a challenge to sign, where there are wallets, and nothing that could be paid.
 */
export async function accountHolder(
  request: FastifyRequest,
  gateway: Pick<Gateway, "keys" | "payments">,
): Promise<Access> {
  const { headers, ip: clientAddress } = request;
  const { keys, payments } = gateway;
  if (payments === undefined || !paysByItself({ headers }, gateway)) {
    return authenticate({ headers, clientAddress }, keys);
  }
  const { "payment-signature": _unused, ...proof } = headers;
  const payer = await payments.identify({ headers: proof, clientAddress });
  if (payer.kind === "wallet") return payer.access;
  throw new GatewayError(proveWallet(payments, request.url, payer.refused));
}

function proveWallet(payments: PaymentDesk, url: string, refused: string | undefined) {
  const reason = refused ?? "prove the wallet whose account is read";
  const path = url.split("?", 1)[0] ?? "/";
  const terms = payments.termsOf({
    nanoUsd: 0n,
    path,
    description: "the account of a wallet",
    isStreamed: false,
    reason,
  });
  return {
    ...required(terms),
    message: `Nothing is to be paid here: ${reason} (SIGN-IN-WITH-X), or use a key of this gateway.`,
  };
}
