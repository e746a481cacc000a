import { decodePaymentSignatureHeader, encodePaymentSignatureHeader } from "@x402/core/http";
import type { PaymentPayload, PaymentRequired, PaymentRequirements } from "@x402/core/types";
import { PERMIT2_ADDRESS, toClientEvmSigner } from "@x402/evm";
import { ExactEvmScheme } from "@x402/evm/exact/client";
import { UptoEvmScheme } from "@x402/evm/upto/client";
import {
  createSIWxClientExtension,
  createSIWxPayload,
  encodeSIWxHeader,
  type SIWxExtension,
  type SIWxExtensionInfo,
} from "@x402/extensions/sign-in-with-x";
import { wrapFetchWithPayment, x402Client } from "@x402/fetch";
import { createWalletClient, http, maxUint256, publicActions } from "viem";
import { generatePrivateKey, privateKeyToAccount, type PrivateKeyAccount } from "viem/accounts";

import { giveEther, type TestChain, type TestToken } from "#test/chain/start-chain.ts";
import { TOKEN_ABI } from "#test/chain/token-abi.ts";

/** Whole coins of each token that a new payer has. */
const COINS = 100n;

/** A new account with coins of every token of these chains, which lets Permit2 spend what needs it. */
export async function makePayer(chains: readonly TestChain[]): Promise<PrivateKeyAccount> {
  const account = privateKeyToAccount(generatePrivateKey());
  for (const chain of chains) {
    await giveEther(chain, account.address);
    for (const token of Object.values(chain.tokens)) {
      await chain.mint(token, account.address, COINS * 10n ** BigInt(token.decimals));
      if (token.method === "permit2") await allowPermit2({ chain, token, account });
    }
  }
  return account;
}

/** Lets Permit2 spend a token, all of it unless told otherwise; 0 takes that back. */
export async function allowPermit2(
  { chain, token, account }: Holding,
  amount = maxUint256,
): Promise<void> {
  const hash = await walletOf(chain, account).writeContract({
    address: token.address,
    abi: TOKEN_ABI,
    functionName: "approve",
    args: [PERMIT2_ADDRESS, amount],
  });
  await chain.client.waitForTransactionReceipt({ hash });
}

/** Who has which token where. */
export interface Holding {
  readonly chain: TestChain;
  readonly token: TestToken;
  readonly account: PrivateKeyAccount;
}

/** An account's own transactions. */
export function walletOf(chain: TestChain, account: PrivateKeyAccount) {
  const transport = http(chain.url);
  return createWalletClient({ account, chain: chain.client.chain, transport }).extend(
    publicActions,
  );
}

export interface PayingOptions {
  /** Pays in this token only; otherwise in whichever is offered first. */
  readonly token?: TestToken;
  /** Shows who it is before it pays, so that credit is spent first. */
  readonly signsIn?: boolean;
  /** Does not know the scheme `upto`. */
  readonly exactOnly?: boolean;
  /** Sends each request; the global `fetch` unless given. */
  readonly send?: typeof fetch;
}

/** The official client of an account; its limit of 1 USD a payment stays as it is for known tokens. */
export function payingClient(
  account: PrivateKeyAccount,
  { token, signsIn = false, exactOnly = false }: PayingOptions = {},
): x402Client {
  const signer = toClientEvmSigner(account);
  const client = new x402Client()
    .register("eip155:*", new ExactEvmScheme(signer))
    .setSpendControls({ allowedAssets: true });
  if (!exactOnly) client.register("eip155:*", new UptoEvmScheme(signer));
  if (token !== undefined) {
    client.registerPolicy((_version, offers) =>
      offers.filter(({ asset }) => asset.toLowerCase() === token.address.toLowerCase()),
    );
  }
  if (signsIn) client.registerExtension(createSIWxClientExtension({ signers: [account] }));
  return client;
}

/** `fetch` that answers a 402 by paying. */
export function payingFetch(
  account: PrivateKeyAccount,
  { send = fetch, ...options }: PayingOptions = {},
): typeof fetch {
  return wrapFetchWithPayment(send, payingClient(account, options));
}

/** What a client gets wrong. */
export interface Tampering {
  /** Signs for something else than what it says that it accepts. */
  readonly signed?: Partial<PaymentRequirements>;
  /** Says that it accepts something else than what it signs. */
  readonly accepted?: Partial<PaymentRequirements>;
}

/**
 * A PAYMENT-SIGNATURE header for the first offer, honest or not: signs less (`signed: { amount }`),
 * bargains (both), pays someone else (`signed: { payTo }`), is late (`signed: { maxTimeoutSeconds: -1 }`).
 */
export async function paymentHeader(
  account: PrivateKeyAccount,
  required: PaymentRequired,
  { signed = {}, accepted = {} }: Tampering = {},
): Promise<string> {
  const [offer] = required.accepts;
  if (offer === undefined) throw new Error("Nothing is offered that could be paid.");
  const client = payingClient(account).setSpendControls(false);
  const payload = await client.createPaymentPayload({
    ...required,
    accepts: [{ ...offer, ...signed }],
  });
  return encodePaymentSignatureHeader({ ...payload, accepted: { ...offer, ...accepted } });
}

/**
 * A SIGN-IN-WITH-X header that answers a 402's challenge, honestly or not: what is changed is signed, too.
 * The official client does this by itself.
 */
export async function signInHeader(
  account: PrivateKeyAccount,
  required: PaymentRequired,
  changes: Partial<SIWxExtensionInfo> = {},
): Promise<string> {
  const challenge = required.extensions?.["sign-in-with-x"] as SIWxExtension | undefined;
  const [chain] = challenge?.supportedChains ?? [];
  if (challenge === undefined || chain === undefined) {
    throw new Error("Nobody is asked to sign in.");
  }
  const info = { ...challenge.info, ...changes };
  return encodeSIWxHeader(await createSIWxPayload({ ...info, ...chain }, account, info.uri));
}

/** What is in a PAYMENT-SIGNATURE header. */
export function readPayment(header: string): PaymentPayload {
  return decodePaymentSignatureHeader(header);
}
