import {
  PERMIT2_ADDRESS,
  x402ExactPermit2ProxyAddress,
  x402UptoPermit2ProxyAddress,
} from "@x402/evm";
import {
  createTestClient,
  defineChain,
  encodeAbiParameters,
  getAddress,
  http,
  parseEther,
  publicActions,
  walletActions,
  type Address,
  type Hex,
} from "viem";
import { mnemonicToAccount } from "viem/accounts";

import { contract } from "#test/chain/contracts.ts";
import { startAnvil } from "#test/chain/start-anvil.ts";
import { TOKEN_ABI } from "#test/chain/token-abi.ts";

/** A token of a test chain, with all that a payment requirement says of it. */
export interface TestToken {
  readonly address: Address;
  readonly symbol: string;
  readonly decimals: number;
  readonly method: "eip3009" | "permit2";
  /** The EIP-712 domain of its authorizations; a token of allowances has only a name. */
  readonly name: string;
  readonly version: string;
}

export interface TestChain {
  readonly id: number;
  /** As CAIP-2 says it: `eip155:31337`. */
  readonly network: `eip155:${number}`;
  readonly url: string;
  /** Reads, writes as the account that deployed, and commands the node. */
  readonly client: ChainClient;
  readonly tokens: Readonly<Record<"usdc" | "usdt" | "usdt18", TestToken>>;
  /** Creates coins of a token out of nothing. */
  mint(token: TestToken, to: Address, amount: bigint): Promise<void>;
  balance(token: TestToken, of: Address): Promise<bigint>;
  stop(): Promise<void>;
}

export interface ChainOptions {
  readonly chainId?: number;
  /** A block every so many seconds. Absent: a block for each transaction, at once. */
  readonly blockTimeSeconds?: number;
}

export type ChainClient = ReturnType<typeof connectChain>;

/** Known to everybody, and worth nothing. */
const MNEMONIC = "test test test test test test test test test test test junk";
/** Hard-wired in `@x402/evm`, as on every real chain. */
const MULTICALL_ADDRESS = "0xcA11bde05977b3631167028862bE2a173976CA11";

/** Where contracts lie on every chain. */
const CANONICAL: Readonly<Record<Address, string>> = {
  [PERMIT2_ADDRESS]: "TestPermit2",
  [x402ExactPermit2ProxyAddress]: "TestExactProxy",
  [x402UptoPermit2ProxyAddress]: "TestUptoProxy",
  [MULTICALL_ADDRESS]: "TestMulticall",
};

const USDC = {
  symbol: "USDC",
  decimals: 6,
  method: "eip3009",
  name: "USD Coin",
  version: "2",
} as const;
const USDT = {
  symbol: "USDT",
  decimals: 6,
  method: "eip3009",
  name: "Tether USD",
  version: "1",
} as const;
const USDT18 = {
  symbol: "USDT",
  decimals: 18,
  method: "permit2",
  name: "Tether USD",
  version: "",
} as const;

/** Starts a chain with three dollars on it, and with what x402 expects of every chain. */
export async function startChain({
  chainId = 31_337,
  blockTimeSeconds,
}: ChainOptions = {}): Promise<TestChain> {
  const anvil = await startAnvil(chainId);
  const client = connectChain(anvil.url, anvil.chainId);
  const tokens = await deployAll(client);
  if (blockTimeSeconds !== undefined) {
    await client.setAutomine(false);
    await client.setIntervalMining({ interval: blockTimeSeconds });
  }
  const token = { abi: TOKEN_ABI } as const;
  return {
    id: anvil.chainId,
    network: `eip155:${anvil.chainId}`,
    url: anvil.url,
    client,
    tokens,
    mint: async ({ address }, to, amount) => {
      const mint = { ...token, address, functionName: "mint", args: [to, amount] } as const;
      await client.waitForTransactionReceipt({ hash: await client.writeContract(mint) });
    },
    balance: ({ address }, of) =>
      client.readContract({ ...token, address, functionName: "balanceOf", args: [of] }),
    stop: () => anvil.stop(),
  };
}

export function connectChain(url: string, id: number) {
  const chain = defineChain({
    id,
    name: "test",
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [url] } },
  });
  const account = mnemonicToAccount(MNEMONIC);
  // No cache: block numbers are asked for right after a block was mined or taken back.
  const transport = http(url, { retryCount: 0 });
  return createTestClient({
    mode: "anvil",
    chain,
    account,
    transport,
    pollingInterval: 10,
    cacheTime: 0,
  })
    .extend(publicActions)
    .extend(walletActions);
}

async function deployAll(client: ChainClient): Promise<TestChain["tokens"]> {
  for (const [address, name] of Object.entries(CANONICAL)) {
    await client.setCode({ address: address as Address, bytecode: contract(name).deployed });
  }
  return {
    usdc: await deployToken(client, USDC),
    usdt: await deployToken(client, USDT),
    usdt18: await deployToken(client, USDT18),
  };
}

async function deployToken(
  client: ChainClient,
  token: Omit<TestToken, "address">,
): Promise<TestToken> {
  const { name, symbol, version, method } = token;
  const texts = method === "eip3009" ? [name, symbol, version] : [name, symbol];
  const parameters = encodeAbiParameters(
    texts.map(() => ({ type: "string" })),
    texts,
  );
  const { creation } = contract(method === "eip3009" ? "SixDecimalToken" : "EighteenDecimalToken");
  const data: Hex = `${creation}${parameters.slice(2)}`;
  const hash = await client.sendTransaction({ data });
  const { contractAddress } = await client.waitForTransactionReceipt({ hash });
  if (contractAddress == null) throw new Error(`The token ${name} was not deployed.`);
  return { ...token, address: getAddress(contractAddress) };
}

/** Ether for gas. */
export async function giveEther(chain: Pick<TestChain, "client">, address: Address): Promise<void> {
  await chain.client.setBalance({ address, value: parseEther("10") });
}
