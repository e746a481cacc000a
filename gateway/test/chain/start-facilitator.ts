import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";

import { x402Facilitator } from "@x402/core/facilitator";
import type { SettleRequest, SettleResponse, SupportedResponse } from "@x402/core/types";
import { toFacilitatorEvmSigner } from "@x402/evm";
import { ExactEvmScheme } from "@x402/evm/exact/facilitator";
import { UptoEvmScheme } from "@x402/evm/upto/facilitator";
import {
  bytesToHex,
  createWalletClient,
  http,
  parseGwei,
  publicActions,
  type Address,
  type Hex,
} from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";

import { giveEther, type TestChain } from "#test/chain/start-chain.ts";

/** What a facilitator does wrong from now on; a test sets what it wants. */
export interface FacilitatorFaults {
  /** Hangs up on every call. */
  down: boolean;
  /** Waits before it begins. */
  slowMs: number;
  /** Hangs up on `settle`, and carries nothing out. */
  ignoresSettle: boolean;
  /** `settle` is carried out, and the answer lost. */
  losesAnswer: boolean;
  /** `settle` says that it was paid, and nothing was transferred. */
  inventsSuccess: boolean;
  /** `settle` transfers, and says that it failed. */
  deniesSuccess: boolean;
  /** `settle` of a payment by `upto` transfers one unit only. */
  settlesLess: boolean;
  /** `settle` transfers, and says that it is not yet decided. */
  staysPending: boolean;
  /** `supported` names no kind of the scheme `upto`. */
  knowsNoUpto: boolean;
  /** `supported` names another network than those that it serves. */
  supportsElsewhere: boolean;
}

/** `Object.assign(facilitator.faults, NO_FAULTS)` repairs it. */
export const NO_FAULTS: Readonly<FacilitatorFaults> = {
  down: false,
  slowMs: 0,
  ignoresSettle: false,
  losesAnswer: false,
  inventsSuccess: false,
  deniesSuccess: false,
  settlesLess: false,
  staysPending: false,
  knowsNoUpto: false,
  supportsElsewhere: false,
};

export interface TestFacilitator {
  readonly url: string;
  /** Pays the gas, and is the one that a payment of the scheme `upto` names. */
  readonly address: Address;
  readonly faults: FacilitatorFaults;
  /** How often each path was called. */
  readonly calls: Record<"verify" | "settle" | "supported", number>;
  stop(): Promise<void>;
}

export interface FacilitatorOptions {
  /** How long `settle` waits for a block before it says that it is pending. */
  readonly confirmationTimeoutMs?: number;
  /**
   * As an operator sets one up that settles often: gas, fees and the number of the next transaction are
   * known, and not asked for before each. All that it sends is taken by the chain.
   */
  readonly isPrepared?: boolean;
  /** Whoever calls must say this in `Authorization`. */
  readonly authorization?: string;
}

type Path = keyof TestFacilitator["calls"];

const PATHS: Readonly<Record<string, Path>> = {
  "POST /verify": "verify",
  "POST /settle": "settle",
  "GET /supported": "supported",
};

/** The official facilitator behind HTTP, on its own account, for one or several chains. */
export async function startFacilitator(
  chains: readonly FacilitatedChain[],
  { confirmationTimeoutMs = 10_000, isPrepared = false, authorization }: FacilitatorOptions = {},
): Promise<TestFacilitator> {
  const key = generatePrivateKey();
  const { address } = privateKeyToAccount(key);
  const official = new x402Facilitator();
  for (const chain of chains) {
    await giveEther(chain, address);
    const signer = signerOn(chain, { key, confirmationTimeoutMs, isPrepared });
    official.register(chain.network, new ExactEvmScheme(signer));
    official.register(chain.network, new UptoEvmScheme(signer));
  }
  const faults: FacilitatorFaults = { ...NO_FAULTS };
  const calls = { verify: 0, settle: 0, supported: 0 };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = PATHS[`${request.method} ${request.url}`];
    if (path === undefined) return send(response, 404, { error: "not found" });
    calls[path] += 1;
    if (faults.down) return void request.socket.destroy();
    if (authorization !== undefined && request.headers.authorization !== authorization) {
      return send(response, 401, { error: "unauthorized" });
    }
    if (faults.slowMs > 0) await pause(faults.slowMs);
    if (path === "supported") return send(response, 200, supported(official, faults));
    const body = (await json(request)) as SettleRequest;
    const { paymentPayload, paymentRequirements } = body;
    if (path === "verify") {
      return send(response, 200, await official.verify(paymentPayload, paymentRequirements));
    }
    if (faults.ignoresSettle) return void request.socket.destroy();
    const settled = await settle(official, body, faults);
    if (faults.losesAnswer) return void request.socket.destroy();
    send(response, 200, settled);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) =>
      send(response, 500, { error: error instanceof Error ? error.message : String(error) }),
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    address,
    faults,
    calls,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

type FacilitatedChain = Pick<TestChain, "network" | "url" | "client">;

interface SignerOptions {
  readonly key: Hex;
  readonly confirmationTimeoutMs: number;
  readonly isPrepared: boolean;
}

/** A transfer by authorization takes half of this gas. */
const PREPARED = {
  type: "eip1559",
  gas: 200_000n,
  maxFeePerGas: parseGwei("10"),
  maxPriorityFeePerGas: parseGwei("1"),
} as const;

function signerOn(
  chain: FacilitatedChain,
  { key, confirmationTimeoutMs, isPrepared }: SignerOptions,
) {
  const client = createWalletClient({
    account: privateKeyToAccount(key),
    chain: chain.client.chain,
    transport: http(chain.url),
    pollingInterval: 10,
  }).extend(publicActions);
  const { chain: definition } = client;
  let nonce = 0;
  const writePrepared = (call: object): Promise<Hex> =>
    client.writeContract({
      ...call,
      ...PREPARED,
      chainId: definition.id,
      nonce: nonce++,
    } as never);
  const signer = {
    ...client,
    address: client.account.address,
    // Parallel transactions would take the same number. viem's own manager of numbers would do, but not
    // after a reorganization: it never goes back to a number that the chain has taken back.
    writeContract: inTurn(isPrepared ? writePrepared : client.writeContract),
  };
  // Their types differ in what may be undefined; the official examples pass such a client, too.
  return toFacilitatorEvmSigner(signer as never, { confirmationTimeoutMs });
}

/** The same function, one call after the other. */
function inTurn<Arguments extends unknown[], Result>(
  call: (...args: Arguments) => Promise<Result>,
): (...args: Arguments) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  return (...args) => {
    const result = last.then(() => call(...args));
    last = result.catch(() => {});
    return result;
  };
}

async function settle(
  official: x402Facilitator,
  { paymentPayload, paymentRequirements }: SettleRequest,
  faults: FacilitatorFaults,
): Promise<SettleResponse> {
  const { network } = paymentRequirements;
  if (faults.inventsSuccess) {
    return { success: true, transaction: bytesToHex(randomBytes(32)), network };
  }
  const settled = await official.settle(paymentPayload, {
    ...paymentRequirements,
    ...(faults.settlesLess && { amount: "1" }),
  });
  if (faults.staysPending) {
    return { ...settled, success: false, errorReason: "settlement_pending" };
  }
  if (faults.deniesSuccess) {
    const errorReason = "invalid_exact_evm_transaction_failed";
    return { ...settled, success: false, errorReason, transaction: "" };
  }
  return settled;
}

function supported(official: x402Facilitator, faults: FacilitatorFaults): SupportedResponse {
  const all = official.getSupported() as SupportedResponse;
  const kinds = all.kinds.filter(({ scheme }) => scheme === "exact" || !faults.knowsNoUpto);
  const answer = { ...all, kinds };
  if (!faults.supportsElsewhere) return answer;
  return { ...answer, kinds: answer.kinds.map((kind) => ({ ...kind, network: "eip155:1" })) };
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
