import {
  buildSIWxSchema,
  parseSIWxHeader,
  SIGN_IN_WITH_X,
  validateSIWxMessage,
  type SIWxPayload,
} from "@x402/extensions/sign-in-with-x";

import { signInMessage } from "#payments/sign-in-message.ts";
import { NONCE_MS, type WalletNonces } from "#payments/wallet-nonce.ts";
import { createSignatureCheck } from "#payments/wallet-signature.ts";
import type { X402Settings } from "#payments/x402-settings.ts";
import type { NonceUse } from "#store/ledger-uses.ts";

export interface WalletSignIn {
  /** Member of a 402's `extensions`: what a wallet signs to prove itself. */
  challenge(resource: string): Readonly<Record<string, unknown>>;
  /** Who has signed. Throws `ProofRefused`. */
  read(header: string): Promise<WalletProof>;
}

/** A wallet by its own signature, good for one request: its nonce is to be used up with what it is shown for. */
export interface WalletProof {
  readonly address: string;
  readonly use: NonceUse;
}

export interface WalletSignInOptions {
  readonly settings: Pick<X402Settings, "origin" | "chains">;
  readonly nonces: WalletNonces;
  /** Unix milliseconds. */
  readonly now: () => number;
}

const MAX_HEADER = 8 * 1024;

/** Proof of a wallet by `SIGN-IN-WITH-X` (CAIP-122, EIP-4361): its credit is spent without a transaction. */
export function createWalletSignIn(options: WalletSignInOptions): WalletSignIn {
  const { settings, nonces, now } = options;
  const { origin } = settings;
  const supportedChains = [...settings.chains.keys()].map((chainId) => ({
    chainId,
    type: "eip191",
    signatureScheme: "eip191",
  }));
  const schema = buildSIWxSchema();
  const check = createSignatureCheck();
  return {
    challenge: (resource) => ({
      [SIGN_IN_WITH_X]: {
        info: {
          domain: origin.host,
          uri: resource,
          statement: "Prove this wallet to spend its credit.",
          version: "1",
          nonce: nonces.make(),
          issuedAt: new Date(now()).toISOString(),
          expirationTime: new Date(now() + NONCE_MS).toISOString(),
        },
        supportedChains,
        schema,
      },
    }),
    read: async (header) => {
      const proof = parsed(header);
      if (!settings.chains.has(proof.chainId)) throw refused("is for a chain that is not offered");
      const { signatureScheme = "eip191" } = proof;
      if (signatureScheme !== "eip191") throw refused("must be signed by the wallet's own key");
      const expiresAt = nonces.endOf(proof.nonce);
      if (expiresAt === undefined)
        throw refused("has a nonce that is not ours, or is over 5 minutes old");
      const valid = await validateSIWxMessage(proof, origin, { maxAge: NONCE_MS });
      if (!valid.isValid) throw refused(`is not valid (${valid.invalidReason})`);
      const message = signInMessage(proof);
      const address = proof.address.toLowerCase();
      const isSigned = message !== undefined && (await check({ ...proof, message, address }));
      if (!isSigned) throw refused("is not signed by the wallet that it names");
      // Only who has signed can use a nonce up.
      const use = { kind: "nonce", nonce: proof.nonce, expiresAt } as const;
      return { address, use };
    },
  };
}

function parsed(header: string): SIWxPayload {
  if (header.length > MAX_HEADER) throw refused(`is longer than ${MAX_HEADER} bytes`);
  try {
    return parseSIWxHeader(header);
  } catch {
    throw refused("cannot be read");
  }
}

/** A proof that does not do: its sender gets a new challenge with the price. */
export class ProofRefused extends Error {}

const refused = (what: string): ProofRefused =>
  new ProofRefused(`the proof of the wallet (SIGN-IN-WITH-X) ${what}`);
