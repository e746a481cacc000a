import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { expect, test } from "vitest";

import { startPaidGateway } from "#test/payments/start-paid-gateway.ts";

const PACKAGE = resolve(import.meta.dirname, "../..");
const PAGE = resolve(PACKAGE, "../docs/agents-that-pay.md");

test("the example of the guide works as printed, but for address, model and token", async () => {
  const gateway = await startPaidGateway();
  const { chain } = gateway;
  const key = generatePrivateKey();
  await chain.mint(chain.tokens.usdc, privateKeyToAccount(key).address, 1_000_000n);
  const [, example = ""] = /```ts\n(.*?)```/s.exec(readFileSync(PAGE, "utf8")) ?? [];
  const code = example
    .replace("https://ai.example.com", gateway.url)
    .replaceAll('model: "auto"', 'model: "demo/echo"')
    // The client knows no token of a test chain.
    .replace(
      "  // Credit first",
      "  .setSpendControls({ allowedAssets: true })\n  // Credit first",
    );
  const out = await new Promise<string>((settle) => {
    const args = ["--input-type=module-typescript", "--disable-warning=ExperimentalWarning", "-e"];
    const options = { cwd: PACKAGE, env: { PATH: process.env["PATH"], WALLET_KEY: key } };
    execFile(process.execPath, [...args, code], options, (_error, text, err) => settle(text + err));
  });
  expect(out.match(/You said: Hello/g)).toHaveLength(2);
  // The second answer was paid from what the first one had left.
  expect(await chain.balance(chain.tokens.usdc, privateKeyToAccount(key).address)).toBe(999_000n);
  await gateway.close();
});
