import { parseArgs } from "node:util";

import { ask } from "./demo-x402/ask.ts";
import { isBalanced, readBooks, sayBooks } from "./demo-x402/books.ts";
import { openStand, type Stand } from "./demo-x402/open-stand.ts";
import { say } from "./demo-x402/say.ts";

const USAGE = `Shows an agent without an account or a key paying for a streamed answer by x402.

  npm run demo:x402

Everything runs on this machine, on a chain of its own: the coins are worth nothing, and nothing is
sent anywhere.`;

async function show(stand: Stand): Promise<boolean> {
  const { chain, facilitatorUrl, origin, agent } = stand;
  say(
    `A chain        ${chain.url} (anvil, ${chain.network}), with test coins called USDC and USDT`,
  );
  say(`A facilitator  ${facilitatorUrl} (it checks payments and brings them to the chain)`);
  say(`The gateway    ${origin} (its model is the built-in demo; it has no private key)`);
  say(`The agent      ${agent.address} (100 USDC, no account and no key at the gateway)`);

  say("\n1. The agent asks, is told the price, signs it, and gets its answer as it is made:");
  const paid = await ask(stand, "Good evening");
  say("\n2. It has paid for the worst case. What the answer did not cost is credit of its wallet:");
  const first = await readBooks(stand);
  sayBooks(first);

  say("\n3. It asks again, and proves its wallet: the credit pays, nothing is sent to the chain:");
  const fromCredit = await ask(stand, "And again");
  say("\n4. Nothing is lost on the way:");
  const last = await readBooks(stand);
  sayBooks(last);

  const isPaidOnce = paid.transaction !== undefined && fromCredit.transaction === undefined;
  const isStreamed = paid.pieces > 1 && fromCredit.pieces > 1;
  const isRight = isBalanced(first) && isBalanced(last) && last.received === first.received;
  const isDone = isPaidOnce && isStreamed && isRight && last.charges > first.charges;
  say(
    isDone
      ? "  On-chain receipts = deposits = charges + credit, after two answers and one transaction."
      : "  That is not as it should be: please report it.",
  );
  return isDone;
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { help: { type: "boolean", short: "h" } } });
  if (values.help === true) {
    say(USAGE);
    return 0;
  }
  const stand = await openStand();
  try {
    return (await show(stand)) ? 0 : 1;
  } finally {
    await stand.close();
  }
}

process.exitCode = await main();
