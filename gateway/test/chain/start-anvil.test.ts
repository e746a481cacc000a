import { execFileSync } from "node:child_process";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { startAnvil } from "#test/chain/start-anvil.ts";

const PROGRAM = `
  const { startAnvil } = await import(process.argv[1]);
  const { url } = await startAnvil(31337);
  console.log(url);
  process.exit(0);
`;

describe("startAnvil", () => {
  test("answers for the chain that it was started as", async () => {
    const anvil = await startAnvil(5);
    expect(anvil.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await chainIdAt(anvil.url)).toBe("0x5");
    await anvil.stop();
    await expect(chainIdAt(anvil.url)).rejects.toThrow("fetch failed");
  });

  test("ends with the process that forgot to stop it", async () => {
    const module = join(import.meta.dirname, "start-anvil.ts");
    const flags = ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", PROGRAM];
    const url = execFileSync(process.execPath, [...flags, module], { encoding: "utf8" }).trim();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    await expect.poll(() => chainIdAt(url).catch(String)).toContain("fetch failed");
  });
});

async function chainIdAt(url: string): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] });
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body });
  return ((await response.json()) as { result: unknown }).result;
}
