import { setTimeout as pause } from "node:timers/promises";

import { encodeFunctionData, parseAbi, prepareEncodeFunctionData, type PublicClient } from "viem";

import type { SignedTransfer } from "#payments/presented-payment.ts";

const TRANSFER = prepareEncodeFunctionData({
  abi: parseAbi([
    "function transferWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, uint8 v, bytes32 r, bytes32 s)",
  ]),
  functionName: "transferWithAuthorization",
});

/** A facilitator can be asked instead. */
const TIMEOUT_MS = 1_000;

/**
 * Whether a token would carry a transfer out now (EIP-3009): it is tried at a node, and the token itself
 * looks at signature, balance, nonce and times. Facilitators do the same to verify a payment. `false`
 * says only that nobody has said yes: a facilitator tells the reason.
 */
export function wouldMove(
  client: PublicClient,
  asset: string,
  signed: SignedTransfer,
): Promise<boolean> {
  const tried = client
    .request({ method: "eth_call", params: [{ to: hex(asset), data: callOf(signed) }, "latest"] })
    .then(
      (result) => typeof result === "string",
      () => false,
    );
  return Promise.race([tried, pause(TIMEOUT_MS, false, { ref: false })]);
}

/** r and s of 32 bytes, and v. */
const SIGNATURE = /^(0x.{64})(.{64})(.{2})$/;

function callOf({ signature, ...transfer }: SignedTransfer): `0x${string}` {
  const [, r = "", s = "", last = ""] = SIGNATURE.exec(signature) ?? [];
  return encodeFunctionData({
    ...TRANSFER,
    args: [
      hex(transfer.from.toLowerCase()),
      hex(transfer.to.toLowerCase()),
      BigInt(transfer.value),
      BigInt(transfer.validAfter),
      BigInt(transfer.validBefore),
      hex(transfer.nonce),
      // As it is: where a token does not take it, facilitators do not either.
      Number.parseInt(last, 16),
      hex(r),
      hex(`0x${s}`),
    ],
  });
}

const hex = (text: string): `0x${string}` => text as `0x${string}`;
