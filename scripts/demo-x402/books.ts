import { formatUsd } from "../../gateway/src/lib/money.ts";
import { toNanoUsd } from "../../gateway/src/payments/amounts.ts";
import { PAY_TO } from "../../gateway/test/payments/start-paid-gateway.ts";
import type { Stand } from "./open-stand.ts";
import { say } from "./say.ts";

/** What was paid in, used and left, in nano-USD. */
export interface Books {
  readonly deposits: bigint;
  readonly charges: bigint;
  readonly credit: bigint;
  /** What the chain says that the operator has received. */
  readonly received: bigint;
}

/** Reads the wallet's entries in the gateway's ledger, and the operator's balance on the chain. */
export async function readBooks({ store, chain, agent }: Stand): Promise<Books> {
  const wallet = `wallet:${agent.address.toLowerCase()}`;
  const entries = await store.core
    .selectFrom("ledger_transfers")
    .select(["kind", "credit_account", "amount"])
    .where((build) =>
      build.or([build("credit_account", "=", wallet), build("debit_account", "=", wallet)]),
    )
    .execute();
  const sum = (isIn: boolean): bigint =>
    entries
      .filter(({ credit_account: account }) => (account === wallet) === isIn)
      .reduce((total, { amount }) => total + BigInt(amount), 0n);
  const account = await store.core
    .selectFrom("ledger_accounts")
    .select(["credits", "debits"])
    .where("id", "=", wallet)
    .executeTakeFirst();
  const { usdc } = chain.tokens;
  return {
    deposits: sum(true),
    charges: sum(false),
    credit: BigInt(account?.credits ?? 0) - BigInt(account?.debits ?? 0),
    received: toNanoUsd(await chain.balance(usdc, PAY_TO), usdc.decimals),
  };
}

/** Whether nothing is lost or made: on the chain, in the ledger, and between them. */
export const isBalanced = ({ deposits, charges, credit, received }: Books): boolean =>
  received === deposits && deposits === charges + credit;

export function sayBooks({ deposits, charges, credit, received }: Books): void {
  say(`  received on the chain  ${formatUsd(received)} USD`);
  say(`  deposits in the ledger ${formatUsd(deposits)} USD`);
  say(`  charged for answers    ${formatUsd(charges)} USD`);
  say(`  credit of the wallet   ${formatUsd(credit)} USD`);
}
