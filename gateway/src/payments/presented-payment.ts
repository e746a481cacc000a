import { createHash } from "node:crypto";

import { decodePaymentSignatureHeader } from "@x402/core/http";
import { PaymentPayloadV2Schema } from "@x402/core/schemas";
import type { PaymentPayload } from "@x402/core/types";
import { z } from "zod";

import { invalidRequest } from "#canonical/failure.ts";
import type { JsonObject } from "#lib/json.ts";

/** A payment as a client sends it: signed, and not yet looked at by anybody. */
export interface PresentedPayment {
  readonly payload: PaymentPayload;
  /** `exact`: all that was signed is settled, before the work; `upto`: at most that, after it. */
  readonly scheme: "exact" | "upto";
  /** In lower case, as all addresses here. */
  readonly payer: string;
  /** 32 bytes as hexadecimal digits (EIP-3009), or a number (Permit2). */
  readonly nonce: string;
  /** What was signed, in the token's smallest unit. */
  readonly amount: bigint;
  /** Unix milliseconds. */
  readonly validBefore: number;
  readonly method: "eip3009" | "permit2";
  /** What the token itself takes of it (EIP-3009). */
  readonly transfer?: SignedTransfer;
  /** The same for everything that could spend the same authorization. */
  readonly payKey: string;
  readonly headerDigest: string;
}

/** Arguments of `transferWithAuthorization`; numbers as text, times in Unix seconds. */
export interface SignedTransfer {
  readonly from: string;
  readonly to: string;
  readonly value: string;
  readonly validAfter: string;
  readonly validBefore: string;
  readonly nonce: string;
  readonly signature: string;
}

const MAX_HEADER = 16 * 1024;
const FIELD = "PAYMENT-SIGNATURE";
const NUMBER = /^(?:0|[1-9]\d{0,77})$/;
/** CAIP-2, and what CAIP-19 allows for an asset: they are looked for in the store. */
const NETWORK = /^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}$/;
const ASSET = /^[-.%a-zA-Z0-9]{1,128}$/;

/** Reads the header. Throws `invalid_request` naming what is wrong with it. */
export function readPayment(header: string): PresentedPayment {
  if (header.length > MAX_HEADER) throw wrong(`is longer than ${MAX_HEADER} bytes`);
  const payload = decoded(header);
  const { scheme, network, asset, amount } = payload.accepted;
  if (scheme !== "exact" && scheme !== "upto") {
    throw wrong(`has the scheme ${quoted(scheme)}; "exact" is taken`);
  }
  if (!NETWORK.test(network))
    throw wrong("names no network in the form of CAIP-2 (accepted.network)");
  if (!ASSET.test(asset)) throw wrong("names no asset (accepted.asset)");
  if (!NUMBER.test(amount)) throw wrong("has an amount that is no whole number (accepted.amount)");
  const inner = payload.payload as JsonObject;
  const { payer, nonce, value, validBefore, ...how } =
    scheme === "upto" ? uptoAuthorization(inner) : authorizationOf(inner);
  return {
    payload,
    scheme,
    payer: payer.toLowerCase(),
    nonce: nonce.toLowerCase(),
    amount: BigInt(value),
    validBefore: Math.min(Number(validBefore) * 1_000, Number.MAX_SAFE_INTEGER),
    ...how,
    payKey: [network, asset, payer, nonce].join(":").toLowerCase(),
    headerDigest: createHash("sha256").update(header).digest("hex"),
  };
}

function decoded(header: string): PaymentPayload {
  let value: unknown;
  try {
    value = decodePaymentSignatureHeader(header);
  } catch {
    throw wrong("is not JSON in base64");
  }
  const { x402Version } = (value ?? {}) as { readonly x402Version?: unknown };
  if (x402Version !== 2) throw wrong("is not of x402 version 2");
  const read = PaymentPayloadV2Schema.safeParse(value);
  if (read.success) return read.data as PaymentPayload;
  const [issue] = read.error.issues;
  throw wrong(`has not the form of a payment (${issue?.path.join(".") ?? ""}: ${issue?.message})`);
}

interface Authorization {
  readonly payer: string;
  readonly nonce: string;
  readonly value: string;
  readonly validBefore: string;
  readonly method: PresentedPayment["method"];
  readonly transfer?: SignedTransfer;
}

const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/, "no address");
const number = z.string().regex(/^(?:0|[1-9]\d{0,77})$/, "no whole number as text");
/** r, s and v. Signatures of contracts are longer, and would have to be tried out on the chain. */
const signatureForm = z
  .string()
  .regex(/^0x[0-9a-fA-F]{130}$/, "no signature of 65 bytes; contracts cannot pay here");

/** Facilitators answer what is not so with a failure of their own, as if they were down. */
const eip3009 = z.object({
  signature: signatureForm,
  authorization: z.object({
    from: address,
    to: address,
    value: number,
    validAfter: number,
    validBefore: number,
    nonce: z.string().regex(/^0x[0-9a-fA-F]{64}$/, "no 32 bytes"),
  }),
});

const permit2 = z.object({
  signature: signatureForm,
  permit2Authorization: z.object({
    from: address,
    spender: address,
    nonce: number,
    deadline: number,
    permitted: z.object({ token: address, amount: number }),
    witness: z.object({ to: address, validAfter: number }),
  }),
});

/** Nobody else may settle it than the facilitator that was signed for. */
const uptoPermit = z.object({
  ...permit2.shape,
  permit2Authorization: permit2.shape.permit2Authorization.extend({
    witness: z.object({ to: address, facilitator: address, validAfter: number }),
  }),
});

const uptoAuthorization = (inner: JsonObject): Authorization =>
  permitOf(checked(uptoPermit, inner));

function authorizationOf(inner: JsonObject): Authorization {
  if (inner["permit2Authorization"] === undefined) {
    const { authorization, signature } = checked(eip3009, inner);
    const { from, nonce, value, validBefore } = authorization;
    const transfer = { ...authorization, signature };
    return { payer: from, nonce, value, validBefore, method: "eip3009", transfer };
  }
  return permitOf(checked(permit2, inner));
}

function permitOf({ permit2Authorization: permit }: z.output<typeof permit2>): Authorization {
  const { from, nonce, deadline, permitted } = permit;
  return {
    payer: from,
    nonce,
    value: permitted.amount,
    validBefore: deadline,
    method: "permit2",
  };
}

function checked<Schema extends z.ZodType>(schema: Schema, inner: JsonObject): z.output<Schema> {
  const read = schema.safeParse(inner);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const at = ["payload", ...(issue?.path ?? [])].join(".");
  throw wrong(`has not what can be settled (${at}: ${issue?.message ?? ""})`);
}

const wrong = (what: string) =>
  invalidRequest(
    FIELD,
    `The ${FIELD} header ${what}. Send the request without it: the 402 says what to sign.`,
  );

const quoted = (text: string): string => JSON.stringify(text.slice(0, 40));
