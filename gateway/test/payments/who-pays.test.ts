import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { PaymentRequired } from "@x402/core/types";
import type { SIWxExtensionInfo } from "@x402/extensions/sign-in-with-x";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

import { openStore, type Store } from "#store/store.ts";
import { makePayer, signInHeader } from "#test/chain/payer.ts";
import { json } from "#test/fake-upstream.ts";
import { agentOf, ANSWER, paidBy, SMALL, type Agent } from "#test/payments/paying-agent.ts";
import { expectBooksToMatch } from "#test/payments/payment-books.ts";
import { startPaidGateway, type PaidGateway } from "#test/payments/start-paid-gateway.ts";
import { TEST_KEY } from "#test/start-gateway.ts";

const proof = (header: string): Record<string, string> => ({ "sign-in-with-x": header });

describe("who pays", () => {
  let gateway: PaidGateway;
  let store: Store;
  let agent: Agent;
  beforeAll(async () => {
    gateway = await startPaidGateway();
    store = await openStore({ home: gateway.home });
    agent = agentOf(gateway);
    gateway.upstream.answer(json(ANSWER));
    // Credit to spend.
    expect((await agent.post(SMALL, paidBy(await agent.sign()))).status).toBe(200);
  });
  afterAll(async () => {
    await store.close();
    await gateway.close();
  });
  beforeEach(() => {
    gateway.upstream.requests.length = 0;
    gateway.facilitator.calls.verify = 0;
  });
  afterEach(async () => {
    await expectBooksToMatch(store, gateway.chain);
  });
  const signIn = async (changes: Partial<SIWxExtensionInfo> = {}): Promise<string> =>
    signInHeader(gateway.payer, await agent.quote(), changes);
  const nonceOf = ({ extensions = {} }: PaymentRequired): unknown =>
    (extensions["sign-in-with-x"] as { info: SIWxExtensionInfo }).info.nonce;

  /** 402 with a new challenge: official clients take anything else for the last word. */
  const expectChallenged = async (answer: Response, why: RegExp): Promise<void> => {
    const body = (await answer.json()) as { x402: PaymentRequired; error: { message: string } };
    expect({ status: answer.status, message: body.error.message }).toEqual({
      status: 402,
      message: expect.stringMatching(why),
    });
    expect(nonceOf(body.x402)).not.toBe(nonceOf(await agent.quote()));
    expect(gateway.upstream.requests).toHaveLength(0);
  };

  test("a wallet that has proved itself spends its credit", async () => {
    const answer = await agent.post(SMALL, proof(await signIn()));
    expect(answer.status).toBe(200);
    expect(answer.headers.get("payment-response")).toBeNull();
  });

  describe("proofs that do not do", () => {
    const cases: Record<string, [Partial<SIWxExtensionInfo>, RegExp]> = {
      "another site": [{ domain: "evil.example", uri: "http://evil.example/v1" }, /not valid/],
      "another port of the site": [
        { domain: "127.0.0.1", uri: "http://127.0.0.1/v1" },
        /not valid/,
      ],
      "a nonce of somebody else": [{ nonce: "a".repeat(68) }, /nonce that is not ours/],
      "a short nonce": [{ nonce: "12345678" }, /nonce that is not ours/],
      "an end that is over": [
        { expirationTime: new Date(Date.now() - 1_000).toISOString() },
        /not valid/,
      ],
      "from before its time": [
        { issuedAt: new Date(Date.now() - 3_600_000).toISOString() },
        /not valid/,
      ],
      "of the future": [{ issuedAt: new Date(Date.now() + 3_600_000).toISOString() }, /not valid/],
    };
    test.for(Object.keys(cases))("%s", async (name) => {
      const [changes, why] = cases[name] ?? [{}, /never/];
      await expectChallenged(await agent.post(SMALL, proof(await signIn(changes))), why);
    });

    test("one that was used", async () => {
      const header = await signIn();
      expect((await agent.post(SMALL, proof(header))).status).toBe(200);
      gateway.upstream.requests.length = 0;
      await expectChallenged(await agent.post(SMALL, proof(header)), /used before/);
    });

    test("20 copies of one at once: one is served", async () => {
      const header = await signIn();
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => agent.post(SMALL, proof(header))),
      );
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 402)).toHaveLength(19);
    });

    const changed = async (change: (proof: Record<string, string>) => void): Promise<string> => {
      const header = await signIn();
      const value = JSON.parse(Buffer.from(header, "base64").toString()) as Record<string, string>;
      change(value);
      return Buffer.from(JSON.stringify(value)).toString("base64");
    };
    const forged: Record<string, (proof: Record<string, string>) => void> = {
      "another wallet's name": (value) =>
        (value["address"] = "0x00000000000000000000000000000000000000b2"),
      "another signature": (value) => (value["signature"] = `0x${"11".repeat(65)}`),
      "a signature of a contract": (value) => (value["signature"] = `0x${"11".repeat(300)}`),
      "no signature": (value) => delete value["signature"],
      "another chain": (value) => (value["chainId"] = "eip155:1"),
      "another scheme": (value) => (value["signatureScheme"] = "eip1271"),
      "another statement": (value) => (value["statement"] = "Prove nothing."),
    };
    test.for(Object.keys(forged))("%s", async (name) => {
      const header = await changed(forged[name] ?? (() => undefined));
      await expectChallenged(await agent.post(SMALL, proof(header)), /SIGN-IN-WITH-X/);
    });

    test.for(["", "%%%", "bnVsbA==", "A".repeat(9_000)])(
      "what cannot be read: %s",
      async (text) => {
        const answer = await agent.post(SMALL, proof(text === "" ? " " : text));
        expect(answer.status).toBe(402);
        expect(gateway.upstream.requests).toHaveLength(0);
      },
    );

    test("a forged one uses no nonce up: the wallet's own is served after it", async () => {
      const header = await signIn();
      const value = JSON.parse(Buffer.from(header, "base64").toString()) as Record<string, string>;
      value["signature"] = `0x${"11".repeat(65)}`;
      const stolen = Buffer.from(JSON.stringify(value)).toString("base64");
      expect((await agent.post(SMALL, proof(stolen))).status).toBe(402);
      expect((await agent.post(SMALL, proof(header))).status).toBe(200);
    });
  });

  describe("several credentials: one of them pays", () => {
    const untouched = async (header: string): Promise<void> => {
      expect(gateway.facilitator.calls.verify).toBe(0);
      const answer = await agent.post(SMALL, paidBy(header));
      expect(answer.status).toBe(200);
      expect(answer.headers.get("payment-response")).toBeTruthy();
    };

    test("a proof and a payment: the credit is spent, and the payment is good later", async () => {
      const header = await agent.sign();
      const both = { ...proof(await signIn()), ...paidBy(header) };
      const answer = await agent.post(SMALL, both);
      expect(answer.status).toBe(200);
      expect(answer.headers.get("payment-response")).toBeNull();
      await untouched(header);
    });

    test("a key and a payment: the key is used, and the payment is good later", async () => {
      const header = await agent.sign();
      const answer = await gateway.post("/v1/chat/completions", SMALL, paidBy(header));
      expect(answer.status).toBe(200);
      expect(answer.headers.get("payment-response")).toBeNull();
      await untouched(header);
    });

    test("a key that is none and a payment: 401, and the payment is good later", async () => {
      const header = await agent.sign();
      const answer = await agent.post(SMALL, { ...paidBy(header), authorization: "Bearer no-key" });
      expect(answer.status).toBe(401);
      await untouched(header);
    });
  });

  test("a wallet without enough credit is told what it has, and pays", async () => {
    const poor = await makePayer([gateway.chain]);
    const header = await signInHeader(poor, await agent.quote());
    const answer = await agent.post(SMALL, proof(header));
    expect(answer.status).toBe(402);
    expect(await answer.json()).toMatchObject({ balance_usd: "0", price_usd: "0.001" });
  });

  test("credit is spent to its end, and never beyond it, by 40 requests at once", async () => {
    const body = { ...SMALL, max_tokens: 1_000 };
    const proofs = await Promise.all(Array.from({ length: 40 }, () => signIn()));
    const answers = await Promise.all(proofs.map((one) => agent.post(body, proof(one))));
    expect(new Set(answers.map(({ status }) => status))).not.toContain(500);
    expect(answers.some(({ status }) => status === 200)).toBe(true);
    const { balances } = await expectBooksToMatch(store, gateway.chain);
    expect(balances).toBeGreaterThanOrEqual(0n);
  });

  test("the same Idempotency-Key with a payment: refused before it is paid again", async () => {
    const key = { "idempotency-key": "key-1" };
    const first = await agent.post(SMALL, { ...key, ...paidBy(await agent.sign()) });
    expect(first.status).toBe(200);
    gateway.facilitator.calls.settle = 0;
    const again = await agent.post(SMALL, { ...key, ...paidBy(await agent.sign()) });
    expect(again.status).toBe(409);
    expect(gateway.facilitator.calls.settle).toBe(0);
  });
});

describe("limits of those who pay", () => {
  test("of an address without a proof, and of each wallet by itself", async () => {
    const gateway = await startPaidGateway({
      x402: "    limits: { requestsPerMinute: 2 }\n    strangers: { requestsPerMinute: 6 }",
    });
    try {
      gateway.upstream.answer(json(ANSWER));
      const agent = agentOf(gateway);
      const paid = await agent.post(SMALL, paidBy(await agent.sign()));
      expect(paid.status).toBe(200);
      const required = await agent.quote();
      const challenges = [required, await agent.quote(), await agent.quote()];
      const statuses = [];
      for (const one of challenges) {
        const header = await signInHeader(gateway.payer, one);
        statuses.push((await agent.post(SMALL, proof(header))).status);
      }
      expect(statuses).toEqual([200, 200, 429]);
      const header = await agent.sign();
      gateway.facilitator.calls.verify = 0;
      const limited = await agent.post(SMALL, paidBy(header));
      expect(limited.status).toBe(429);
      expect(gateway.facilitator.calls.verify).toBe(0);
    } finally {
      await gateway.close();
    }
  });
});

describe("counting tokens", () => {
  test("costs the operator a call of a provider: who has no key has limits there, too", async () => {
    const gateway = await startPaidGateway({
      x402: "    limits: { requestsPerMinute: 2 }\n    strangers: { requestsPerMinute: 4 }",
    });
    try {
      gateway.upstream.answer(json({ input_tokens: 5 }));
      const agent = agentOf(gateway, "/v1/messages/count_tokens");
      const body = { model: "anthropic/claude-haiku-4.5", messages: SMALL.messages };
      const challenges = [];
      for (let at = 0; at < 3; at++) challenges.push(await agent.quote(body));
      expect(challenges[0]?.resource.url).toBe(`${gateway.url}/v1/messages/count_tokens`);
      const statuses = [];
      for (const one of challenges) {
        const header = await signInHeader(gateway.payer, one);
        statuses.push((await agent.post(body, proof(header))).status);
      }
      expect(statuses).toEqual([200, 200, 429]);
      for (let at = 0; at < 2; at++) statuses.push((await agent.post(body)).status);
      expect(statuses.slice(3)).toEqual([402, 429]);
      expect(gateway.upstream.requests).toHaveLength(2);
    } finally {
      await gateway.close();
    }
  });
});

describe("what a payment's header is seen in", () => {
  test("no log, no record, no database and no error", async () => {
    const home = mkdtempSync(join(tmpdir(), "turnpike-header-"));
    const written: string[] = [];
    const output = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
      written.push(String(text));
      return true;
    });
    const gateway = await startPaidGateway({ home, env: { LOG_LEVEL: "trace" } });
    const agent = agentOf(gateway);
    const secrets: string[] = [];
    const answers: string[] = [];
    const remember = (header: string): string => {
      secrets.push(header);
      const inner = Buffer.from(header, "base64").toString();
      const signature = /"signature":"(0x[0-9a-f]+)"/i.exec(inner)?.[1];
      if (signature !== undefined) secrets.push(signature, signature.slice(2));
      return header;
    };
    const ask = async (headers: Record<string, string>, body: object = SMALL): Promise<void> => {
      const answer = await agent.post(body, headers);
      answers.push(`${JSON.stringify([...answer.headers])} ${await answer.text()}`);
    };
    try {
      gateway.upstream.answer(json(ANSWER));
      const header = remember(await agent.sign());
      await ask(paidBy(header));
      await ask(paidBy(header));
      await ask(paidBy(header), { ...SMALL, max_tokens: 7 });
      await ask(paidBy(remember(`${await agent.sign()}x`)));
      await ask(paidBy(remember(await agent.sign({ signed: { amount: "1" } }))));
      gateway.facilitator.faults.down = true;
      await ask(paidBy(remember(await agent.sign())));
      gateway.facilitator.faults.down = false;
      const signed = remember(await signInHeader(gateway.payer, await agent.quote()));
      await ask(proof(signed));
      await ask(proof(signed));
    } finally {
      output.mockRestore();
      await gateway.close();
    }
    const files = readdirSync(home, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name)).toString("latin1"));
    rmSync(home, { recursive: true, force: true });
    expect(answers).toHaveLength(8);
    expect(files.length).toBeGreaterThan(1);
    const all = [...written, ...files, ...answers, TEST_KEY].join("\n");
    expect(secrets.filter((secret) => all.includes(secret))).toEqual([]);
  });
});
