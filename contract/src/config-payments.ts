import { z } from "zod";

import { siteUrl } from "./site-url.ts";

const usd = (description: string) =>
  z
    .string()
    .regex(/^\d{1,6}(?:\.\d{1,9})?$/, 'must be USD as text, such as "0.001"')
    .describe(description);

const network = z
  .string()
  .regex(/^eip155:[1-9]\d{0,14}$/, "must be a CAIP-2 name such as eip155:8453");

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, "must be an address: 0x and 40 hexadecimal digits");

const headers = z
  .record(z.string().min(1).max(100), z.string().min(1).max(8_000))
  .optional()
  .describe("Headers of every call, such as authorization: Bearer ${CDP_TOKEN}.");

const facilitator = z.strictObject({
  url: siteUrl("Where its /verify, /settle and /supported are."),
  headers,
  networks: z
    .array(network)
    .min(1)
    .optional()
    .describe("Only these; all that it supports unless given."),
});

const chain = z.strictObject({
  id: network.describe("CAIP-2, such as eip155:8453 for Base."),
  rpcUrl: siteUrl("A node's JSON-RPC: what was paid is read from the chain itself."),
  payTo: address.describe(
    "The address that is paid. The gateway never has its key. One installation alone may take payments at it, and no other service: what a chain shows of a payment is credit here.",
  ),
  confirmations: z
    .number()
    .int()
    .min(1)
    .max(200)
    .optional()
    .describe("Blocks after which a payment is final; 1 by default. Until then it is watched."),
  logBlocks: z
    .number()
    .int()
    .min(10)
    .max(100_000)
    .optional()
    .describe("Blocks whose logs are asked for at once; 2,000 by default, as most nodes allow."),
});

const asset = z.strictObject({
  network,
  address,
  symbol: z.enum(["USDC", "USDT"]).describe("A unit of it counts as one US dollar."),
  decimals: z.number().int().min(6).max(18),
  method: z
    .enum(["eip3009", "permit2"])
    .describe("How it is authorized: EIP-3009 where the token has it, Permit2 where not."),
  name: z.string().min(1).max(100).describe("The token's EIP-712 name; for Permit2 only shown."),
  version: z.string().max(20).optional().describe("The token's EIP-712 version; EIP-3009 only."),
});

const rates = z
  .strictObject({
    requestsPerMinute: z.number().int().min(1).optional(),
    concurrent: z.number().int().min(1).optional(),
  })
  .optional();

const x402 = z.strictObject({
  facilitators: z
    .array(facilitator)
    .min(1)
    .max(10)
    .describe("Asked in this order; the next one where one is down."),
  networks: z.array(chain).min(1).max(20),
  assets: z.array(asset).min(1).max(40),
  maxTimeoutSeconds: z
    .number()
    .int()
    .min(30)
    .max(3_600)
    .optional()
    .describe("How long a payment that was signed is good for; 120 by default."),
  settleTimeoutMs: z.number().int().min(1_000).max(120_000).optional().describe("30,000."),
  minUsd: usd("Least price of a request that is paid by itself; 0.001 by default.").optional(),
  maxUsd: usd(
    "Greatest price of one; 1 by default, for official clients pay no more unasked.",
  ).optional(),
  topUp: z
    .strictObject({ minUsd: usd("0.1 by default."), maxUsd: usd("100.") })
    .partial()
    .optional(),
  defaultMaxTokens: z
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe(
      "The output bound of requests that name none; 4,096 by default. It is sent upstream.",
    ),
  limits: rates.describe("Of each wallet; 120 a minute and 16 at once by default."),
  strangers: rates.describe("Of each address without a wallet's proof; 60 a minute by default."),
  maxBodyBytes: z
    .number()
    .int()
    .min(1_024)
    .optional()
    .describe("Largest body of whoever has no key; 1 MiB by default."),
  bazaar: z.boolean().optional().describe("Describe the routes to facilitators' catalogues."),
  upto: z
    .boolean()
    .optional()
    .describe(
      "Offer the scheme upto, too, for requests that are not streamed: what the answer costs is settled after it; no by default.",
    ),
  uptoAtOnce: z
    .number()
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe(
      "Requests of one payer under way that are paid by upto; 1 by default. Each may be your loss.",
    ),
  checkReceipts: z
    .boolean()
    .optional()
    .describe("Look at the chain before a facilitator is believed; yes by default."),
});

const gatePay = z.strictObject({
  baseUrl: siteUrl("Gate Pay's API, as your merchant account has it."),
  clientId: z.string().min(1).max(200),
  secret: z.string().describe("Write ${VARIABLE}, not the secret itself. Empty: Gate Pay is off."),
  restrictedKey: z.string().min(1).optional().describe("Of accounts that have one."),
  currency: z
    .enum(["USDT", "USDC"])
    .optional()
    .describe("Of orders; a unit of it counts as one US dollar. USDT by default."),
  payCurrency: z.string().min(1).max(20).optional().describe("Preset at the checkout."),
  chain: z.string().min(1).max(50).optional().describe("Preset at the checkout."),
  fullCurrType: z.string().min(1).max(50).optional().describe("Preset, such as USDT_MATIC."),
  returnUrl: siteUrl("Where people come back to; payments.origin by default.").optional(),
  cancelUrl: siteUrl("Where they come to when they give up; the same by default.").optional(),
  minUsd: usd("1 by default.").optional(),
  maxUsd: usd("10,000 by default.").optional(),
});

/** How people and agents pay. */
export const paymentsSection = z.strictObject({
  origin: siteUrl(
    "How clients reach the gateway: the name in what they sign. Never taken from a request.",
  ),
  project: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe("Project id under which agents without a key are served; proj_default by default."),
  x402: x402.optional(),
  gatePay: gatePay.optional(),
});

export type PaymentsSection = z.output<typeof paymentsSection>;
export type X402Section = z.output<typeof x402>;
export type GatePaySection = z.output<typeof gatePay>;
