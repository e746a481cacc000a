import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { startApp, type App } from "#app.ts";
import { startChain, type TestChain } from "#test/chain/start-chain.ts";
import {
  NO_FAULTS,
  startFacilitator,
  type TestFacilitator,
} from "#test/chain/start-facilitator.ts";
import { freePort, paymentsConfig } from "#test/payments/start-paid-gateway.ts";

const KEY = "test-key-0123456789-0123456789-0123456789";
const MAIN = resolve(import.meta.dirname, "../../src/main.ts");
const SECRET = "Bearer canary-4711-of-the-facilitator";

describe("what is compared before money is taken", () => {
  let chain: TestChain;
  let facilitator: TestFacilitator;
  let home: string;
  let config: string;
  let port: number;
  beforeAll(async () => {
    chain = await startChain();
    facilitator = await startFacilitator([chain], { authorization: SECRET });
    port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    config = paymentsConfig({ origin, chain, facilitators: [facilitator] }).replace(
      `- url: ${facilitator.url}`,
      `- { url: "${facilitator.url}", headers: { authorization: "\${FACILITATOR_TOKEN}" } }`,
    );
  });
  afterAll(async () => {
    await facilitator.stop();
    await chain.stop();
  });

  const start = async (text: string, faults: object = {}): Promise<App> => {
    Object.assign(facilitator.faults, NO_FAULTS, { down: facilitator.faults.down }, faults);
    home = mkdtempSync(join(tmpdir(), "turnpike-checks-"));
    writeFileSync(join(home, "turnpike.yaml"), text);
    const env = { TURNPIKE_KEY: KEY, FACILITATOR_TOKEN: SECRET };
    return startApp({ home, port, env, recheckMs: 50 });
  };
  const refusal = async (text: string, faults: object = {}): Promise<string> => {
    try {
      await (await start(text, faults)).close();
      return "it starts";
    } catch (error) {
      return (error as Error).message;
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  };
  const ask = (headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ model: "demo/echo", messages: [{ role: "user", content: "Hi" }] }),
    });

  test.for([
    [
      "decimals",
      "decimals: 18, method: permit2",
      "decimals: 8, method: permit2",
      "assets.decimals",
    ],
    ["EIP-712 name", 'name: "USD Coin"', 'name: "USDC"', "assets.name"],
    ["EIP-712 version", 'version: "2"', 'version: "1"', "assets.version"],
    [
      "address of a token",
      /address: "0x\w{40}"/,
      `address: "0x${"1".repeat(40)}"`,
      "assets.address",
    ],
    ["project", "  x402:", "  project: proj_none\n  x402:", "payments.project"],
  ] as const)("a wrong %s is refused, and named", async ([, right, wrong, field]) => {
    expect(config.replace(right, wrong)).not.toBe(config);
    expect(await refusal(config.replace(right, wrong))).toContain(field);
  });

  test("a node of another chain is refused", async () => {
    const other = config.replaceAll(chain.network, "eip155:84532");
    expect(await refusal(other)).toMatch(
      /networks\.rpcUrl: the node of eip155:84532 is on eip155:/,
    );
  });

  test("a network that no facilitator settles on is refused", async () => {
    const elsewhere = config.replace("headers: {", 'networks: ["eip155:1"], headers: {');
    expect(await refusal(elsewhere)).toContain(`facilitators: none settles "exact" on`);
  });

  test("upto is refused where no facilitator says who settles it, with what to do", async () => {
    const upto = `${config}\n    upto: true\n`;
    expect(await refusal(upto)).toBe("it starts");
    const kinds = { knowsNoUpto: true };
    expect(await refusal(upto, kinds)).toMatch(
      /upto: no facilitator settles "upto" on .* or set upto: false/,
    );
  });

  test("the public test facilitator is refused for real money, before anybody is asked", async () => {
    const real = config
      .replaceAll(chain.network, "eip155:8453")
      .replace(facilitator.url, "https://x402.org/facilitator");
    expect(await refusal(real)).toContain("facilitators.url: x402.org is for test networks");
  });

  test("while a facilitator is down keys are served, and payments are on once it answers", async () => {
    facilitator.faults.down = true;
    const app = await start(config);
    expect((await ask()).status).toBe(401);
    expect((await fetch(`${app.url}/.well-known/x402`)).status).toBe(404);
    expect((await ask({ authorization: `Bearer ${KEY}` })).status).toBe(200);
    facilitator.faults.down = false;
    await vi.waitUntil(async () => (await ask()).status === 402, { timeout: 10_000 });
    await app.close();
    rmSync(home, { recursive: true, force: true });
  });

  test("why payments are off is in the log, and no header of a facilitator is", async () => {
    home = mkdtempSync(join(tmpdir(), "turnpike-checks-"));
    writeFileSync(join(home, "turnpike.yaml"), config);
    const wrong = "Bearer canary-4711-of-nobody";
    const env = { ...process.env, TURNPIKE_HOME: home, FACILITATOR_TOKEN: wrong };
    const gateway = spawn(process.execPath, [MAIN, "--port", `${port}`], { cwd: home, env });
    let printed = "";
    for (const stream of [gateway.stdout, gateway.stderr]) {
      stream.on("data", (bytes: Buffer) => (printed += bytes.toString()));
    }
    await vi.waitUntil(() => printed.includes("payments are off until"), { timeout: 20_000 });
    expect(printed).toContain("answers 401 to GET /supported");
    const status = (): Promise<number> =>
      ask().then(
        (answer) => answer.status,
        () => 0,
      );
    await vi.waitUntil(async () => (await status()) === 401, { timeout: 20_000 });
    gateway.kill();
    await once(gateway, "exit");
    expect(printed).not.toContain("canary-4711");
    rmSync(home, { recursive: true, force: true });
  });
});
