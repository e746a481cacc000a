import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";

import type { Post } from "../../gateway/src/ledger/commands.ts";
import { openLedger, type Ledger } from "../../gateway/src/ledger/open-ledger.ts";
import { openChainReader, type ChainReader } from "../../gateway/src/payments/chain-reader.ts";
import { collectPayment } from "../../gateway/src/payments/collect-payment.ts";
import { openFacilitators, type Facilitators } from "../../gateway/src/payments/facilitators.ts";
import { readPayment } from "../../gateway/src/payments/presented-payment.ts";
import { x402Settings } from "../../gateway/src/payments/x402-settings.ts";
import { createLedgerStore } from "../../gateway/src/store/ledger.ts";
import { openStore, type Store } from "../../gateway/src/store/store.ts";
import { createLog } from "../../gateway/src/telemetry/log.ts";
import { createDialer } from "../../gateway/src/upstream/dialer.ts";
import { makePayer, signInHeader } from "../../gateway/test/chain/payer.ts";
import { startChain } from "../../gateway/test/chain/start-chain.ts";
import { startProcess } from "../../gateway/test/money/gateway-process.ts";
import { agentOf, paidBy, SMALL } from "../../gateway/test/payments/paying-agent.ts";
import {
  freePort,
  PAY_TO,
  paymentsConfig,
} from "../../gateway/test/payments/start-paid-gateway.ts";
import { TEST_KEY } from "../../gateway/test/start-gateway.ts";
import { describeMachine } from "./harness/machine.ts";
import { figureRows, renderTable, type Figure, type Row } from "./harness/report.ts";
import { median } from "./harness/statistics.ts";
import { writeSection } from "./harness/readme-section.ts";
import { startPart } from "./payments/start-part.ts";
import { RESULTS } from "./write-readme.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "100" },
    "write-readme": { type: "boolean", default: false },
  },
});
const ROUNDS = Number(values.rounds);
/** Each opens its connections, and compiles its code when it has run often enough. */
const WARM_UP = 50;
/** What a request before has left to write is not in the time of the next one. */
const PUT_AWAY_MS = 25;

const PARTS = ["try the transfer", "claim", "settle", "receipt", "book"] as const;
type Part = (typeof PARTS)[number];
type Times = Record<string, number[]>;

const BODY = { ...SMALL, stream: true };
const chain = await startChain();
const facilitator = await startPart("facilitator", [chain.url, String(chain.id)]);
const provider = await startPart("provider");
const payer = await makePayer([chain]);
const home = mkdtempSync(join(tmpdir(), "turnpike-bench-payments-"));
const port = await freePort();
const origin = `http://127.0.0.1:${port}`;
const more = ["limits", "strangers"]
  .map((whose) => `    ${whose}: { requestsPerMinute: 1000000 }`)
  .join("\n");
const text = paymentsConfig({ origin, chain, facilitators: [facilitator], more });
writeFileSync(join(home, "turnpike.yaml"), text);
const gateway = await startProcess({
  home,
  databaseUrl: "",
  origin: provider.url,
  env: { TURNPIKE_PORT: String(port) },
});
const agent = agentOf({ url: origin, payer });

/** Milliseconds to the first byte of an answer, read to its end. */
async function firstByte(headers: Record<string, string>): Promise<number> {
  await pause(PUT_AWAY_MS);
  const began = performance.now();
  const answer = await agent.post(BODY, headers);
  const reader = answer.body?.getReader();
  await reader?.read();
  const ms = performance.now() - began;
  while ((await reader?.read())?.done === false);
  if (answer.status !== 200) throw new Error(`status ${answer.status}`);
  return ms;
}

/** The steps of one payment in this process: the gateway's own code with a clock around each. */
function openParts(store: Store) {
  const { usdc } = chain.tokens;
  const { network } = chain;
  const x402 = {
    facilitators: [{ url: facilitator.url }],
    networks: [{ id: network, rpcUrl: chain.url, payTo: PAY_TO }],
    assets: [{ network, ...usdc, symbol: "USDC" as const }],
  };
  const settings = x402Settings({ origin, x402 }, x402);
  const dialer = createDialer(() => new Set([facilitator.url, chain.url]));
  const { send } = dialer;
  const log = createLog("fatal");
  const tick = (): number => performance.now();
  return {
    settings,
    ledger: openLedger({ store: createLedgerStore(store) }),
    facilitators: openFacilitators({ settings, send, log, tick }),
    chain: openChainReader(settings.chains, send),
    close: () => dialer.close(),
  };
}
type Parts = ReturnType<typeof openParts>;

/** Marks when a step of an object begins and ends. */
const clocked = <Kind extends object>(on: Kind, step: keyof Kind, marks: number[]): Kind => {
  const work = on[step] as (...given: unknown[]) => Promise<unknown>;
  const timed = async (...given: unknown[]): Promise<unknown> => {
    marks.push(performance.now());
    try {
      return await work(...given);
    } finally {
      marks.push(performance.now());
    }
  };
  return { ...on, [step]: timed };
};

async function takeApart(store: Store, parts: Parts, at: number): Promise<Record<Part, number>> {
  const { settings, ledger } = parts;
  const quote = await agent.quote(BODY, chain.tokens.usdc);
  const presented = readPayment(await agent.sign({ body: BODY, token: chain.tokens.usdc }));
  const marks: number[] = [];
  await pause(PUT_AWAY_MS);
  const facilitators: Facilitators = clocked(parts.facilitators, "settle", marks);
  const reader: ChainReader = clocked(clocked(parts.chain, "wouldMove", marks), "paidBy", marks);
  const taken = await collectPayment(
    { core: store.core, facilitators, chain: reader, settings, now: Date.now, pause },
    {
      presented,
      offers: quote.accepts,
      requestDigest: "bench",
      kind: "request",
      owner: presented.payer,
      organizationId: "org_default",
      projectId: "proj_default",
      requestId: `bench-${at}`,
      gateway: "bench",
    },
  );
  if ("settle" in taken) throw new Error("it is paid before");
  const { deposit } = taken;
  const collected = performance.now();
  await book(ledger, at, deposit);
  const ended = performance.now();
  const [tried = 0, moves = 0, settle = 0, settled = 0, receipt = 0, read = 0] = marks;
  return {
    "try the transfer": moves - tried,
    claim: settle - moves,
    settle: settled - settle,
    receipt: read - receipt,
    book: ended - collected,
  };
}

/** Payment, deposit and hold in one transaction. */
const book = (ledger: Ledger, at: number, deposit: Post): Promise<unknown> =>
  ledger.run({
    type: "reserve",
    id: `bench-${at}`,
    at: Date.now(),
    organizationId: "org_default",
    owner: "bench",
    deadline: Date.now() + 900_000,
    wallet: { id: deposit.creditAccount, lowest: 0n },
    counters: [],
    lines: [{ basePicoUsd: 1_000_000n, outputPicoUsd: 600_000n, inputTokens: 10 }],
    answers: 1,
    wantedTokens: 100,
    leastTokens: 100,
    deposit,
    fallback: {
      walletId: deposit.creditAccount,
      projectId: "proj_default",
      chargeNanoUsd: 0n,
      tokens: 0,
      counters: [],
    },
  });

const load = loadavg()[0] ?? 0;
const whole: Times = { key: [], credit: [], payment: [] };
const apart: Times = Object.fromEntries(PARTS.map((part) => [part, []]));
const store = await openStore({ home: join(home, "parts") });
const parts = openParts(store);
for (let at = 0; at < WARM_UP + ROUNDS; at++) {
  const signed = await agent.sign({ body: BODY, token: chain.tokens.usdc });
  const proved = await signInHeader(payer, await agent.quote(BODY));
  const round = {
    payment: await firstByte(paidBy(signed)),
    key: await firstByte({ authorization: `Bearer ${TEST_KEY}` }),
    credit: await firstByte({ "sign-in-with-x": proved }),
  };
  const steps = await takeApart(store, parts, at);
  if (at < WARM_UP) continue;
  for (const [name, ms] of Object.entries(round)) whole[name]?.push(ms);
  for (const [name, ms] of Object.entries(steps)) apart[name]?.push(ms);
}
await parts.close();
await store.close();
await gateway.kill();
await provider.stop();
await facilitator.stop();
await chain.stop();
rmSync(home, { recursive: true, force: true });

const of = (times: Times, name: string): number => median(times[name] ?? []);
/** What a busy machine says least wrongly. */
const least = (times: Times, name: string): number => Math.min(...(times[name] ?? []));
const row = (step: string, times: Times, name: string) => ({
  step,
  "p50 ms": of(times, name),
  "least ms": least(times, name),
});
const steps = PARTS.map((part) => row(part, apart, part));
const added = of(whole, "payment") - of(whole, "key");
const known = steps.reduce((sum, step) => sum + step["p50 ms"], 0);
const rows: Row[] = [
  ...steps,
  { step: "rest (header, price, what the sum of medians is off)", "p50 ms": added - known },
  row("first byte with a key", whole, "key"),
  row("first byte from credit (SIGN-IN-WITH-X)", whole, "credit"),
  row("first byte with a payment", whole, "payment"),
];
const figures: Figure[] = [
  {
    name: "a payment adds to the first byte, p50, on a chain that mines at once",
    measured: added,
    unit: "ms",
    target: { limit: 25, kind: "at most" },
  },
  {
    name: "a request from credit takes longer than one with a key, p50",
    measured: of(whole, "credit") - of(whole, "key"),
    unit: "ms",
    target: { limit: 3, kind: "at most" },
  },
];
const { processor, cores, node, commit, date } = describeMachine();
const machine = `${processor}, ${cores} cores, Node ${node}, commit ${commit}, ${date.slice(0, 10)}; ${ROUNDS} rounds; load average ${load.toFixed(1)} at the start and ${(loadavg()[0] ?? 0).toFixed(1)} at the end`;
const body = [machine, renderTable(rows), renderTable(figureRows(figures))].join("\n\n");
console.log(body);
mkdirSync(RESULTS, { recursive: true });
const result = { part: "payments", machine: describeMachine(), load, rows, figures };
writeFileSync(join(RESULTS, "payments.json"), `${JSON.stringify(result, undefined, 2)}\n`);
if (values["write-readme"]) writeSection("payments", body);
