import { PERMIT2_ADDRESS, x402ExactPermit2ProxyABI, x402ExactPermit2ProxyAddress } from "@x402/evm";
import { parseAbi, parseSignature, type Address, type Hex } from "viem";
import type { PrivateKeyAccount } from "viem/accounts";

import { readPayment, walletOf, type Holding } from "#test/chain/payer.ts";
import type { TestChain } from "#test/chain/start-chain.ts";
import { TOKEN_ABI } from "#test/chain/token-abi.ts";

const PERMIT2_ABI = parseAbi(["function invalidateUnorderedNonces(uint256 word, uint256 mask)"]);

interface Authorization {
  readonly from: Address;
  readonly to: Address;
  readonly value: string;
  readonly validAfter: string;
  readonly validBefore: string;
  readonly nonce: Hex;
}

type Signed<Field extends string, Content> = Readonly<Record<Field, Content>> & {
  readonly signature: Hex;
};

interface Permit {
  readonly from: Address;
  readonly permitted: { readonly token: Address; readonly amount: string };
  readonly nonce: string;
  readonly deadline: string;
  readonly witness: { readonly to: Address; readonly validAfter: string };
}

/** A stranger who saw the header brings the transfer to the chain before the facilitator; gives the transaction. */
export async function frontRun(chain: TestChain, header: string): Promise<Hex> {
  const { payload, accepted } = readPayment(header);
  const hash =
    "permit2Authorization" in payload
      ? await bringPermit(chain, payload as never)
      : await bringAuthorization(chain, accepted.asset as Address, payload as never);
  await chain.client.waitForTransactionReceipt({ hash });
  return hash;
}

/** By the proxy, which everybody may call: it pays whom the payer named. */
function bringPermit(
  chain: TestChain,
  { permit2Authorization: permit, signature }: Signed<"permit2Authorization", Permit>,
): Promise<Hex> {
  const { from, permitted, nonce, deadline, witness } = permit;
  return chain.client.writeContract({
    address: x402ExactPermit2ProxyAddress,
    abi: x402ExactPermit2ProxyABI,
    functionName: "settle",
    args: [
      {
        permitted: { token: permitted.token, amount: BigInt(permitted.amount) },
        nonce: BigInt(nonce),
        deadline: BigInt(deadline),
      },
      from,
      { to: witness.to, validAfter: BigInt(witness.validAfter) },
      signature,
    ],
  });
}

function bringAuthorization(
  chain: TestChain,
  token: Address,
  { authorization, signature }: Signed<"authorization", Authorization>,
): Promise<Hex> {
  const { from, to, value, validAfter, validBefore, nonce } = authorization;
  const { r, s, yParity } = parseSignature(signature);
  const validity = [BigInt(validAfter), BigInt(validBefore)] as const;
  return chain.client.writeContract({
    address: token,
    abi: TOKEN_ABI,
    functionName: "transferWithAuthorization",
    args: [from, to, BigInt(value), ...validity, nonce, 27 + yParity, r, s],
  });
}

/** The payer sends all coins of a token away. */
export async function drain({ chain, token, account }: Holding): Promise<void> {
  const balance = await chain.balance(token, account.address);
  await confirmed(
    chain,
    walletOf(chain, account).writeContract({
      address: token.address,
      abi: TOKEN_ABI,
      functionName: "transfer",
      args: [chain.client.account.address, balance],
    }),
  );
}

/** The payer takes back what was signed, before it is used: by the token's own way or by Permit2's. */
export async function cancel(
  chain: TestChain,
  account: PrivateKeyAccount,
  header: string,
): Promise<void> {
  const { payload, accepted } = readPayment(header);
  if ("permit2Authorization" in payload) {
    const { nonce } = payload["permit2Authorization"] as { nonce: string };
    const bit = BigInt(nonce);
    await confirmed(
      chain,
      walletOf(chain, account).writeContract({
        address: PERMIT2_ADDRESS,
        abi: PERMIT2_ABI,
        functionName: "invalidateUnorderedNonces",
        args: [bit >> 8n, 1n << (bit & 255n)],
      }),
    );
    return;
  }
  const { nonce } = (payload as { authorization: Authorization }).authorization;
  const verifyingContract = accepted.asset as Address;
  const { name, version } = accepted.extra as { name: string; version: string };
  const signature = await account.signTypedData({
    domain: { name, version, chainId: chain.id, verifyingContract },
    types: {
      CancelAuthorization: [
        { name: "authorizer", type: "address" },
        { name: "nonce", type: "bytes32" },
      ],
    },
    primaryType: "CancelAuthorization",
    message: { authorizer: account.address, nonce },
  });
  const { r, s, yParity } = parseSignature(signature);
  await confirmed(
    chain,
    chain.client.writeContract({
      address: verifyingContract,
      abi: TOKEN_ABI,
      functionName: "cancelAuthorization",
      args: [account.address, nonce, 27 + yParity, r, s],
    }),
  );
}

/** No more blocks: transactions wait until `resumeMining`. */
export async function stopMining(chain: TestChain): Promise<void> {
  await chain.client.setAutomine(false);
  await chain.client.setIntervalMining({ interval: 0 });
}

/** A block with all that waited, and from now on one for each transaction. */
export async function resumeMining(chain: TestChain): Promise<void> {
  await chain.client.mine({ blocks: 1 });
  await chain.client.setAutomine(true);
}

/** The last blocks turn out not to be of the chain; as many others, without their transactions, take their place. */
export async function reorganize(chain: TestChain, depth: number): Promise<void> {
  await chain.client.request({ method: "anvil_reorg", params: [depth, []] } as never);
}

async function confirmed(chain: TestChain, sent: Promise<Hex>): Promise<void> {
  await chain.client.waitForTransactionReceipt({ hash: await sent });
}
