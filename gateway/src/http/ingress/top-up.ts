import { createHash } from "node:crypto";

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { GatewayError, invalidRequest } from "#canonical/failure.ts";
import type { Access } from "#governance/access.ts";
import type { Credits } from "#ledger/credits.ts";
import { parseObject } from "#lib/json.ts";
import { formatSignedUsd, formatUsd, parseUsd } from "#lib/money.ts";
import type { Payer, PaymentDesk } from "#payments/payment-desk.ts";
import { authenticate } from "#pipeline/authenticate.ts";
import { headerText } from "#pipeline/exchange.ts";
import { paysByItself } from "#pipeline/identify.ts";
import { bookPayment } from "#pipeline/pay-for-request.ts";
import type { Gateway } from "#pipeline/gateway.ts";
import { takeLimitsOf } from "#pipeline/take-limits.ts";

interface Deps {
  readonly gateway: Pick<Gateway, "keys" | "payments" | "limiter" | "ledger" | "holds">;
  readonly credits: Pick<Credits, "balance">;
}

const PATH = "/v1/x402/topup";
const MAX_BODY = 4_096;

/** Adds credit that is paid by x402: to the organization of a key, or to the wallet that pays. */
export function addTopUpRoute(server: FastifyInstance, { gateway, credits }: Deps): void {
  server.post(PATH, { bodyLimit: MAX_BODY }, async (request, reply) => {
    const { payments } = gateway;
    if (payments === undefined) {
      authenticate({ headers: request.headers, clientAddress: request.ip }, gateway.keys);
      throw new GatewayError(NO_PAYMENTS);
    }
    const payer = await payerOf(request, gateway, payments);
    const { access } = payer;
    const end = await takeLimitsOf(gateway, access, request.id);
    try {
      const nanoUsd = readAmount(request.body, payments);
      const owner = payer.presented?.payer ?? access.organization.id;
      return await topUp(request, reply, { payments, payer, nanoUsd, owner });
    } finally {
      end();
    }
  });

  interface Wanted {
    readonly payments: PaymentDesk;
    readonly payer: Payer;
    readonly nanoUsd: bigint;
    readonly owner: string;
  }

  async function topUp(request: FastifyRequest, reply: FastifyReply, wanted: Wanted) {
    const { payments, payer, nanoUsd } = wanted;
    const { organization, project, wallet } = payer.access;
    // A key's own organization; who has none is credited the wallet that pays.
    const owner = wallet === undefined ? organization.id : wanted.owner;
    const price = { nanoUsd, path: PATH, description: "credit", isStreamed: false };
    const collected = await payments.take(payer, price, {
      requestDigest: createHash("sha256").update(`topup ${owner} ${nanoUsd}`).digest("hex"),
      kind: "top-up",
      owner,
      organizationId: organization.id,
      projectId: project.id,
      requestId: request.id,
      gateway: gateway.holds.owner,
    });
    await bookPayment(gateway, payments, collected);
    const { balance } = await credits.balance(owner);
    return reply
      .headers({
        "payment-response": collected.receipt,
        "x-payment-id": collected.id,
        "cache-control": "private, no-store",
      })
      .send({
        data: {
          payment_id: collected.id,
          credited_usd: formatUsd(collected.deposit.amount),
          wallet: wallet === undefined ? null : owner,
          balance_usd: formatSignedUsd(balance),
        },
      });
  }
}

/** The key's access with the payment that came with it, or who pays without one. */
async function payerOf(
  { headers, ip }: FastifyRequest,
  gateway: Deps["gateway"],
  payments: PaymentDesk,
): Promise<Payer> {
  const payment = headerText(headers, "payment-signature");
  const paying = payment === undefined ? {} : { "payment-signature": payment };
  const payer = await payments.identify({ headers: paying, clientAddress: ip });
  if (paysByItself({ headers }, gateway)) return payer;
  const access: Access = authenticate({ headers, clientAddress: ip }, gateway.keys);
  return { ...payer, access };
}

const AMOUNT = /^\d{1,6}(?:\.\d{1,9})?$/;

function readAmount(body: unknown, { topUp }: PaymentDesk): bigint {
  const text = Buffer.isBuffer(body) ? body.toString("utf8") : "";
  // An empty question is answered with the least price, as everywhere.
  if (text.trim() === "") return topUp.least;
  const { usd, ...others } = parseObject(text) ?? {};
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw invalidRequest(
      unknown,
      `There is no "${unknown.slice(0, 60)}" here; the body is {"usd": "5"}.`,
    );
  if (usd === undefined) return topUp.least;
  if (typeof usd !== "string" || !AMOUNT.test(usd)) {
    throw invalidRequest("usd", 'usd must be an amount as text, such as "5" or "0.50".');
  }
  const nanoUsd = parseUsd(usd);
  if (nanoUsd < topUp.least || nanoUsd > topUp.most) {
    throw invalidRequest(
      "usd",
      `usd must be between ${formatUsd(topUp.least)} and ${formatUsd(topUp.most)}.`,
    );
  }
  return nanoUsd;
}

const NO_PAYMENTS = {
  code: "not_found",
  message: "This gateway takes no payments by x402 (payments in turnpike.yaml).",
} as const;
