import { createPublicClient, custom, type PublicClient } from "viem";

import { callJson } from "#payments/json-call.ts";
import type { X402Chain } from "#payments/x402-settings.ts";
import type { Send } from "#upstream/answer.ts";

const RPC_TIMEOUT_MS = 10_000;

/** By the guarded dialer, as every connection. */
export function connect({ rpcUrl }: X402Chain, send: Send): PublicClient {
  let id = 0;
  const request = async ({ method, params }: { method: string; params?: unknown }) => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: ++id, method, params: params ?? [] });
    const answer = await callJson(send, { url: rpcUrl, body, timeoutMs: RPC_TIMEOUT_MS });
    const { result, error } = (answer.body ?? {}) as {
      readonly result?: unknown;
      readonly error?: { readonly code?: number; readonly message?: string };
    };
    // The address of a node may have its key in it: it is in no message.
    if (error !== undefined) throw new RpcFault(error.message ?? "error", error.code ?? 0);
    if (result === undefined) throw new RpcFault(`status ${answer.status}`, 0);
    return result;
  };
  return createPublicClient({
    transport: custom({ request }, { retryCount: 0 }),
    cacheTime: 0,
  });
}

class RpcFault extends Error {
  readonly code: number;
  constructor(message: string, code: number) {
    super(`the chain's node: ${message.slice(0, 200)}`);
    this.code = code;
  }
}
