import { PERMIT2_ADDRESS, x402ExactPermit2ProxyABI, x402ExactPermit2ProxyAddress } from "@x402/evm";
import { afterEach, describe, expect, test } from "vitest";

import { RECIPIENT } from "#test/chain/offer.ts";
import { startChain, type TestChain } from "#test/chain/start-chain.ts";
import { TOKEN_ABI } from "#test/chain/token-abi.ts";

describe("startChain", () => {
  const started: TestChain[] = [];
  const start = async (...options: Parameters<typeof startChain>): Promise<TestChain> => {
    const chain = await startChain(...options);
    started.push(chain);
    return chain;
  };
  afterEach(async () => {
    await Promise.all(started.splice(0).map((chain) => chain.stop()));
  });

  test("tokens say on the chain what their descriptions say", async () => {
    const { client, tokens } = await start();
    for (const token of Object.values(tokens)) {
      const contract = { address: token.address, abi: TOKEN_ABI } as const;
      expect(await client.readContract({ ...contract, functionName: "name" })).toBe(token.name);
      expect(await client.readContract({ ...contract, functionName: "decimals" })).toBe(
        token.decimals,
      );
      const version = client.readContract({ ...contract, functionName: "version" });
      if (token.method === "eip3009") expect(await version).toBe(token.version);
      else await expect(version).rejects.toThrow("reverted");
    }
  });

  test("minted coins can be sent", async () => {
    const chain = await start();
    const { client, tokens } = chain;
    await chain.mint(tokens.usdt18, client.account.address, 5n * 10n ** 18n);
    const hash = await client.writeContract({
      address: tokens.usdt18.address,
      abi: TOKEN_ABI,
      functionName: "transfer",
      args: [RECIPIENT, 10n ** 18n],
    });
    await client.waitForTransactionReceipt({ hash });
    expect(await chain.balance(tokens.usdt18, RECIPIENT)).toBe(10n ** 18n);
    expect(await chain.balance(tokens.usdt18, client.account.address)).toBe(4n * 10n ** 18n);
  });

  test("the proxies lie where x402 expects them, and know Permit2", async () => {
    const { client } = await start();
    const permit2 = await client.readContract({
      address: x402ExactPermit2ProxyAddress,
      abi: x402ExactPermit2ProxyABI,
      functionName: "PERMIT2",
    });
    expect(permit2).toBe(PERMIT2_ADDRESS);
  });

  test("several networks run beside each other", async () => {
    const [first, second] = await Promise.all([start(), start({ chainId: 31_338 })]);
    expect([first.network, second.network]).toEqual(["eip155:31337", "eip155:31338"]);
    await first.mint(first.tokens.usdc, RECIPIENT, 7n);
    expect(await first.balance(first.tokens.usdc, RECIPIENT)).toBe(7n);
    expect(await second.balance(second.tokens.usdc, RECIPIENT)).toBe(0n);
  });

  test("with a block time, a transaction waits for its block", async () => {
    const { client } = await start({ blockTimeSeconds: 1 });
    const hash = await client.sendTransaction({ to: RECIPIENT, value: 1n });
    await expect(client.getTransactionReceipt({ hash })).rejects.toThrow("not be found");
    expect((await client.waitForTransactionReceipt({ hash })).status).toBe("success");
  });

  test("a stopped node answers no more", async () => {
    const chain = await start();
    await chain.stop();
    await expect(chain.client.getBlockNumber()).rejects.toThrow("HTTP request failed");
  });
});
