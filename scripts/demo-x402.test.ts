import { execFile } from "node:child_process";
import { resolve } from "node:path";

import { describe, expect, test } from "vitest";

const SCRIPT = resolve(import.meta.dirname, "demo-x402.ts");

const run = (...args: readonly string[]): Promise<{ code: number; out: string; err: string }> =>
  new Promise((settle) => {
    const flags = ["--disable-warning=ExperimentalWarning", SCRIPT, ...args];
    const options = { timeout: 55_000 };
    execFile(process.execPath, flags, options, (error, out, err) =>
      settle({ code: error === null ? 0 : Number(error.code ?? -1), out, err }),
    );
  });

describe("npm run demo:x402", () => {
  test("an agent pays once for two streamed answers, and the books are right", async () => {
    const { code, out, err } = await run();
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const lines = out.split("\n");
    expect(lines.filter((line) => line.includes("settled by transaction 0x"))).toHaveLength(1);
    expect(lines.filter((line) => line.includes("← 200"))).toHaveLength(2);
    expect(out).toContain("0.001 USDC (1000 units) on eip155:31337");
    expect(out).toContain("You said: Good evening");
    expect(out).toContain("You said: And again");
    expect(out).toContain("On-chain receipts = deposits = charges + credit");
  });

  test("says what it is", async () => {
    const { code, out } = await run("--help");
    expect(code).toBe(0);
    expect(out).toContain("npm run demo:x402");
  });
});
