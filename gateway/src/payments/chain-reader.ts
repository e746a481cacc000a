import { parseAbi, parseEventLogs, type PublicClient, type TransactionReceipt } from "viem";

import { connect } from "#payments/chain-node.ts";
import type { SignedTransfer } from "#payments/presented-payment.ts";
import { wouldMove } from "#payments/would-move.ts";
import type { Address, X402Asset, X402Chain, X402Settings } from "#payments/x402-settings.ts";
import type { Send } from "#upstream/answer.ts";

/** What it takes to find a payment on its chain. */
export interface Awaited {
  readonly network: string;
  readonly asset: string;
  readonly payer: string;
  readonly payTo: string;
  readonly amount: bigint;
  /** Less than the amount may have been settled. */
  readonly isUpTo: boolean;
  readonly nonce: string;
  readonly method: "eip3009" | "permit2";
  /** It was not used before this moment, in Unix milliseconds. */
  readonly since: number;
}

/** What became of an authorization. */
export type Outcome =
  | Paid
  /** It was not used, and may be yet. */
  | { readonly state: "unused" }
  /** It was cancelled, or used for something else. */
  | { readonly state: "elsewhere" }
  /** It was used, and nothing of that is to be found: a node that is behind the one that said so? */
  | { readonly state: "untraced" };

export interface Paid {
  readonly state: "paid";
  /** In the token's smallest unit. */
  readonly amount: bigint;
  readonly transaction: string;
  /** The one transfer: `<network>:<transaction>:<log>`. */
  readonly transferRef: string;
  readonly block: number;
}

/** Reads what was paid from the chains themselves. Everything rejects when a node cannot be asked. */
export interface ChainReader {
  outcomeOf(awaited: Awaited): Promise<Outcome>;
  /** The same from the transaction that somebody names; `undefined`: it does not pay this. */
  paidBy(awaited: Awaited, transaction: string): Promise<Paid | undefined>;
  /** See `would-move.ts`; never rejects where the chain is one of the configuration. */
  wouldMove(token: Pick<Awaited, "network" | "asset">, signed: SignedTransfer): Promise<boolean>;
  /** Whether the payer has what it wants to pay. */
  isCovered(awaited: Awaited): Promise<boolean>;
  /** The block that a transfer is in now; `undefined`: in none any more. */
  blockOf(network: string, transaction: string): Promise<number | undefined>;
  newestBlock(network: string): Promise<number>;
  /** The time of the newest block, in Unix milliseconds: what is not on the chain until then. */
  timeOf(network: string): Promise<number>;
  /** What does not fit between the configuration and a chain; empty: all does. */
  faultsOf(settings: Pick<X402Settings, "chains" | "assets">): Promise<readonly string[]>;
}

const ABI = parseAbi([
  "event Transfer(address indexed from, address indexed to, uint256 value)",
  "event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce)",
  "event AuthorizationCanceled(address indexed authorizer, bytes32 indexed nonce)",
  "event UnorderedNonceInvalidation(address indexed owner, uint256 word, uint256 mask)",
  "function authorizationState(address authorizer, bytes32 nonce) view returns (bool)",
  "function nonceBitmap(address owner, uint256 word) view returns (uint256)",
  "function balanceOf(address owner) view returns (uint256)",
  "function decimals() view returns (uint8)",
  "function name() view returns (string)",
  "function version() view returns (string)",
]);

/** The same on every chain. */
const PERMIT2: Address = "0x000000000022d473030f116ddee9f6b43ac78ba3";

export function openChainReader(chains: ReadonlyMap<string, X402Chain>, send: Send): ChainReader {
  const clients = new Map<string, PublicClient>();
  const clientOf = (network: string): PublicClient => {
    const chain = chains.get(network);
    if (chain === undefined) throw new Error(`no chain ${network} is configured`);
    let client = clients.get(network);
    if (client === undefined) clients.set(network, (client = connect(chain, send)));
    return client;
  };
  const reader: ChainReader = {
    outcomeOf: async (awaited) => {
      const client = clientOf(awaited.network);
      if (!(await isUsed(client, awaited))) return { state: "unused" };
      const step = BigInt(chains.get(awaited.network)?.logBlocks ?? 1);
      return lookBack(client, { since: awaited.since, step }, (blocks) =>
        awaited.method === "eip3009"
          ? usedAuthorization(client, awaited, blocks)
          : usedPermit(client, awaited, blocks),
      );
    },
    wouldMove: ({ network, asset }, transfer) => wouldMove(clientOf(network), asset, transfer),
    isCovered: async ({ network, asset, payer, amount }) => {
      const balance = { address: hex(asset), abi: ABI, functionName: "balanceOf" } as const;
      return (await clientOf(network).readContract({ ...balance, args: [hex(payer)] })) >= amount;
    },
    paidBy: async (awaited, transaction) => {
      const receipt = await receiptOf(clientOf(awaited.network), transaction);
      if (receipt === undefined) return undefined;
      if (awaited.method === "eip3009") return transferIn(receipt, awaited);
      const client = clientOf(awaited.network);
      return (await namesNonce(client, awaited, receipt))
        ? transferIn(receipt, awaited)
        : undefined;
    },
    blockOf: async (network, transaction) => {
      const receipt = await receiptOf(clientOf(network), transaction);
      return receipt?.status === "success" ? Number(receipt.blockNumber) : undefined;
    },
    newestBlock: async (network) =>
      Number(await clientOf(network).getBlockNumber({ cacheTime: 0 })),
    timeOf: async (network) => timeMs(await clientOf(network).getBlock({ blockTag: "latest" })),
    faultsOf: async ({ assets }) => {
      const faults: string[] = [];
      for (const { network, chainId } of chains.values()) {
        const actual = await clientOf(network).getChainId();
        if (actual !== chainId)
          faults.push(`networks.rpcUrl: the node of ${network} is on eip155:${actual}`);
      }
      for (const asset of assets)
        faults.push(...(await assetFaults(clientOf(asset.network), asset)));
      return faults;
    },
  };
  return reader;
}

const hex = (text: string): `0x${string}` => text as `0x${string}`;

async function isUsed(client: PublicClient, awaited: Awaited): Promise<boolean> {
  const { method, payer, nonce, asset } = awaited;
  if (method === "eip3009") {
    return client.readContract({
      address: hex(asset),
      abi: ABI,
      functionName: "authorizationState",
      args: [hex(payer), hex(nonce)],
    });
  }
  const number = BigInt(nonce);
  const bitmap = await client.readContract({
    address: PERMIT2,
    abi: ABI,
    functionName: "nonceBitmap",
    args: [hex(payer), number >> 8n],
  });
  return ((bitmap >> (number & 255n)) & 1n) === 1n;
}

/** Blocks whose logs are asked for at once: nodes allow only so many. */
interface Blocks {
  readonly fromBlock: bigint;
  readonly toBlock: bigint;
}

const timeMs = ({ timestamp }: { readonly timestamp: bigint }): number => Number(timestamp) * 1_000;

/** Blocks are dated by whoever makes them. */
const BLOCK_CLOCK_MS = 60_000;

/**
 * Looks for what was done with an authorization in the newest blocks, and in those before them as far
 * as the moment when it was still good: the gateway may have been away since.
 */
async function lookBack(
  client: PublicClient,
  { since, step }: { readonly since: number; readonly step: bigint },
  look: (blocks: Blocks) => Promise<Outcome | undefined>,
): Promise<Outcome> {
  let toBlock = await client.getBlockNumber({ cacheTime: 0 });
  for (;;) {
    const fromBlock = toBlock >= step ? toBlock - step + 1n : 0n;
    const found = await look({ fromBlock, toBlock });
    if (found !== undefined) return found;
    if (fromBlock === 0n) return { state: "untraced" };
    const first = await client.getBlock({ blockNumber: fromBlock });
    if (timeMs(first) < since - BLOCK_CLOCK_MS) return { state: "untraced" };
    toBlock = fromBlock - 1n;
  }
}

async function usedAuthorization(
  client: PublicClient,
  awaited: Awaited,
  blocks: Blocks,
): Promise<Outcome | undefined> {
  const args = { authorizer: hex(awaited.payer), nonce: hex(awaited.nonce) };
  const address = hex(awaited.asset);
  const used = await client.getLogs({ address, event: ABI[1], args, ...blocks });
  for (const { transactionHash } of used) {
    const receipt = await receiptOf(client, transactionHash);
    if (receipt === undefined) return { state: "untraced" };
    const paid = transferIn(receipt, awaited);
    if (paid !== undefined) return paid;
  }
  const cancelled = await client.getLogs({ address, event: ABI[2], args, ...blocks });
  return used.length + cancelled.length > 0 ? { state: "elsewhere" } : undefined;
}

async function usedPermit(
  client: PublicClient,
  awaited: Awaited,
  blocks: Blocks,
): Promise<Outcome | undefined> {
  const transfers = await client.getLogs({
    address: hex(awaited.asset),
    event: ABI[0],
    args: { from: hex(awaited.payer), to: hex(awaited.payTo) },
    ...blocks,
  });
  for (const { transactionHash, args } of transfers) {
    if (!isAmount(awaited, args.value)) continue;
    const receipt = await receiptOf(client, transactionHash);
    if (receipt === undefined || !(await namesNonce(client, awaited, receipt))) continue;
    const paid = transferIn(receipt, awaited);
    if (paid !== undefined) return paid;
  }
  const owner = hex(awaited.payer);
  const cancelled = await client.getLogs({
    address: PERMIT2,
    event: ABI[3],
    args: { owner },
    ...blocks,
  });
  const nonce = BigInt(awaited.nonce);
  const isCancelled = cancelled.some(
    ({ args: { word, mask = 0n } }) =>
      word === nonce >> 8n && ((mask >> (nonce & 255n)) & 1n) === 1n,
  );
  return isCancelled ? { state: "elsewhere" } : undefined;
}

/** `0x` and the function's four bytes. */
const SELECTOR_DIGITS = 10;
const WORD_DIGITS = 64;

/** A permit leaves no event: the transaction's own words have its number. */
async function namesNonce(
  client: PublicClient,
  { nonce }: Awaited,
  { transactionHash }: TransactionReceipt,
): Promise<boolean> {
  const { input } = await client.getTransaction({ hash: transactionHash });
  const words = input.slice(SELECTOR_DIGITS).toLowerCase();
  const wanted = BigInt(nonce).toString(16).padStart(WORD_DIGITS, "0");
  for (let at = words.indexOf(wanted); at !== -1; at = words.indexOf(wanted, at + 1)) {
    if (at % WORD_DIGITS === 0) return true;
  }
  return false;
}

async function receiptOf(
  client: PublicClient,
  transaction: string,
): Promise<TransactionReceipt | undefined> {
  try {
    return await client.getTransactionReceipt({ hash: hex(transaction) });
  } catch (error) {
    if ((error as Error).name === "TransactionReceiptNotFoundError") return undefined;
    throw error;
  }
}

/** The transfer of a payment among all that a transaction did: it stands beside its authorization. */
function transferIn(receipt: TransactionReceipt, awaited: Awaited): Paid | undefined {
  if (receipt.status !== "success") return undefined;
  const own = receipt.logs.filter(({ address }) => address.toLowerCase() === awaited.asset);
  const events = parseEventLogs({ abi: ABI, logs: own });
  const transfers = events.flatMap((event): Transfer[] => {
    if (event.eventName !== "Transfer") return [];
    const { from, to, value } = event.args;
    const isOurs = from.toLowerCase() === awaited.payer && to.toLowerCase() === awaited.payTo;
    return isOurs && isAmount(awaited, value) ? [{ logIndex: event.logIndex, value }] : [];
  });
  if (awaited.method === "permit2") return paidBy(receipt, awaited, transfers[0]);
  const used = events.find(
    (event) =>
      event.eventName === "AuthorizationUsed" &&
      event.args.authorizer.toLowerCase() === awaited.payer &&
      event.args.nonce.toLowerCase() === awaited.nonce,
  );
  if (used === undefined) return undefined;
  const beside = [used.logIndex + 1, used.logIndex - 1];
  const paying = beside.flatMap(
    (index) => transfers.find(({ logIndex }) => logIndex === index) ?? [],
  );
  return paidBy(receipt, awaited, paying[0]);
}

interface Transfer {
  readonly logIndex: number;
  readonly value: bigint;
}

const isAmount = ({ amount, isUpTo }: Awaited, value: bigint | undefined): boolean =>
  isUpTo ? value !== undefined && value > 0n && value <= amount : value === amount;

const paidBy = (
  { transactionHash, blockNumber }: TransactionReceipt,
  { network }: Awaited,
  transfer: Transfer | undefined,
): Paid | undefined =>
  transfer === undefined
    ? undefined
    : {
        state: "paid",
        amount: transfer.value,
        transaction: transactionHash.toLowerCase(),
        transferRef: `${network}:${transactionHash.toLowerCase()}:${transfer.logIndex}`,
        block: Number(blockNumber),
      };

async function assetFaults(client: PublicClient, asset: X402Asset): Promise<readonly string[]> {
  const { address, network, symbol, decimals, method, name, version } = asset;
  const at = `${symbol} ${address} on ${network}`;
  const ask = async (
    functionName: "decimals" | "name" | "version",
  ): Promise<string | number | undefined> => {
    try {
      return await client.readContract({ address, abi: ABI, functionName });
    } catch (error) {
      if (/reverted|returned no data|zero data/i.test(String(error))) return undefined;
      throw error;
    }
  };
  const faults: string[] = [];
  const actual = await ask("decimals");
  if (actual === undefined) return [`assets.address: there is no token ${at}`];
  if (actual !== decimals) faults.push(`assets.decimals: ${at} has ${actual}, not ${decimals}`);
  if (method === "permit2") return faults;
  const [actualName, actualVersion] = [await ask("name"), await ask("version")];
  if (actualName !== name)
    faults.push(`assets.name: ${at} is named ${JSON.stringify(actualName)}, not ${name}`);
  if (actualVersion !== undefined && actualVersion !== version) {
    faults.push(`assets.version: ${at} has ${JSON.stringify(actualVersion)}, not ${version}`);
  }
  return faults;
}
