import { PAYMENT_STATES } from "@turnpike/contract/api/payments.ts";

import { CliError, table, type CliIo } from "#cli/cli-io.ts";
import { reconcileByHand } from "#cli/reconcile-by-hand.ts";
import { verb, verbs, type Shown } from "#cli/verb.ts";
import { reconcileAudited } from "#payments/reconcile-audited.ts";
import { getPayment, paymentAdminView, searchPayments } from "#payments/search-payments.ts";

const payment = { type: "positional", required: true, description: "its id, pay_…" } as const;

const option = (description: string) => ({ type: "string", description }) as const;

type View = ReturnType<typeof paymentAdminView>;

/** `turnpike payments …` */
export const paymentsCommand = (io: CliIo) =>
  verbs("payments", "What was paid in from outside, and what became of it", {
    list: verb(io, {
      name: "list",
      description: "List payments, the newest first",
      args: {
        state: option(`Only those that are ${PAYMENT_STATES.join(", ")}`),
        payer: option("Only those of this address"),
        owner: option("Only those that are credit of this address or organization"),
        transaction: option("Only those of this transaction"),
        limit: { type: "string", description: "How many", default: "50" },
      },
      run: async ({ state, payer, owner, transaction, limit }, deed) => {
        const filter = { state: readState(state), payer, owner, transaction };
        const wanted = { ...filter, reach: "all", limit: readLimit(limit) } as const;
        const views = (await searchPayments(deed, wanted)).map(paymentAdminView);
        return { value: views, text: listText(views) };
      },
    }),
    show: verb(io, {
      name: "show",
      description: "Show a payment",
      args: { payment },
      run: async (args, deed) => shown(paymentAdminView(await getPayment(deed, args.payment))),
    }),
    reconcile: verb(io, {
      name: "reconcile",
      description: "Ask the chain about a payment now, and book what it says",
      args: {
        payment,
        config: option("The settings with payments.x402; turnpike.yaml unless given"),
      },
      run: async (args, deed, store) => {
        const row = await reconcileAudited(deed, args.payment, (found) =>
          reconcileByHand(io, { row: found, store, config: args.config }),
        );
        return shown(paymentAdminView(row));
      },
    }),
  });

function listText(views: readonly View[]): string {
  if (views.length === 0) return "There are none.";
  const heading = ["ID", "AT", "STATE", "USD", "NETWORK", "PAYER", "TRANSACTION"];
  const rows = views.map((view) => [
    view.id,
    view.created_at,
    view.state,
    view.amount_usd,
    view.network,
    view.payer,
    view.transaction ?? "",
  ]);
  return table([heading, ...rows], [3]);
}

const shown = (view: View): Shown => ({
  value: view,
  text: table(Object.entries(view).map(([name, value]) => [name, String(value ?? "")])),
});

function readState(text: string | undefined): View["state"] | undefined {
  const state = PAYMENT_STATES.find((known) => known === text);
  if (text === undefined || state !== undefined) return state;
  throw new CliError(`--state must be one of ${PAYMENT_STATES.join(", ")}, not "${text}".`);
}

function readLimit(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new CliError(`--limit must be a whole number from 1 to 99999, not "${text}".`);
}
