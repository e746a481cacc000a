import { CliError, table, type CliIo } from "#cli/cli-io.ts";
import { readEnd } from "#cli/read-end.ts";
import { needed, verb, verbs, type Shown } from "#cli/verb.ts";
import { showCredits, transfersOf, transferView } from "#governance/credit-views.ts";
import { adjustCredits, grantCredits, refundCredits, type Booked } from "#governance/credits.ts";
import type { Deed } from "#governance/deed.ts";
import { getOrganization } from "#governance/organizations.ts";
import { newId } from "#lib/ids.ts";

const organization = {
  type: "string",
  description: "Id of the organization",
  default: "org_default",
} as const;

const ofBooking = {
  organization,
  key: {
    type: "string",
    description: "Idempotency key: the same one is booked once; a new one, unless it is named",
  },
} as const;
const memo = { type: "string", description: "Why; it stays in the ledger" } as const;
const amount = { type: "string", description: "USD, such as 12.50" } as const;

/** `turnpike credits …` */
export const creditsCommand = (io: CliIo) =>
  verbs("credits", "Show, give and correct prepaid credits", {
    show: verb(io, {
      name: "show",
      description: "Show what an organization has left, and what is held",
      args: { organization },
      run: async (args, deed) => {
        const view = await showCredits(deed, args.organization);
        const { organization_id: id, balance_usd: balance, held_usd: held, plan } = view;
        return { value: view, text: `${id} (${plan}): ${balance} USD, ${held} USD of it held` };
      },
    }),
    ledger: verb(io, {
      name: "ledger",
      description: "List what was booked, the newest first",
      args: {
        organization,
        limit: { type: "string", description: "How many", default: "50" },
      },
      run: async (args, deed) => {
        const { id } = await getOrganization(deed, args.organization);
        const found = await transfersOf(deed, { organizationId: id, limit: readLimit(args.limit) });
        const views = found.map(transferView);
        const heading = ["AT", "KIND", "FROM", "TO", "USD", "MEMO"];
        const cells = views.map((view) => [
          view.at,
          view.kind,
          view.debit_account,
          view.credit_account,
          view.amount_usd,
          [view.request_id, view.memo].filter((text) => text !== null).join(" "),
        ]);
        const text = views.length === 0 ? "There are none." : table([heading, ...cells], [4]);
        return { value: views, text };
      },
    }),
    ...bookings(io),
  });

const bookings = (io: CliIo) => ({
  grant: verb(io, {
    name: "grant",
    description: "Give credits",
    args: {
      ...ofBooking,
      amount,
      memo,
      expires: { type: "string", description: "When what is left is taken back: 30d, 2027-01-31" },
    },
    run: async (args, deed) => {
      const expiresAt = readEnd(args.expires, deed.now) ?? undefined;
      const booking = { ...(await bookingOf(deed, args)), memo: args.memo, expiresAt };
      const amountUsd = readAmount(needed("amount", args.amount));
      return booked("granted", await grantCredits(deed, { ...booking, amountUsd }));
    },
  }),
  adjust: verb(io, {
    name: "adjust",
    description: "Correct a balance",
    args: {
      ...ofBooking,
      amount,
      memo,
      direction: { type: "string", description: "up or down" },
    },
    run: async (args, deed) => {
      const { direction } = args;
      if (direction !== "up" && direction !== "down") throw new CliError("--direction: up or down");
      const booking = { ...(await bookingOf(deed, args)), memo: args.memo };
      const amountUsd = readAmount(needed("amount", args.amount));
      return booked(
        `adjusted ${direction}`,
        await adjustCredits(deed, { ...booking, amountUsd, direction }),
      );
    },
  }),
  refund: verb(io, {
    name: "refund",
    description: "Give back what a request was charged",
    args: {
      ...ofBooking,
      request: { type: "positional", required: true, description: "the request's id" },
      amount: { type: "string", description: "USD; all of it, unless given" },
    },
    run: async (args, deed) => {
      const booking = { ...(await bookingOf(deed, args)), requestId: args.request };
      const amountUsd = args.amount === undefined ? undefined : readAmount(args.amount);
      return booked("refunded", await refundCredits(deed, { ...booking, amountUsd }));
    },
  }),
});

async function bookingOf(
  deed: Deed,
  { organization: id, key }: { readonly organization: string; readonly key?: string | undefined },
): Promise<{ readonly organizationId: string; readonly idempotencyKey: string }> {
  const { id: organizationId } = await getOrganization(deed, id);
  return { organizationId, idempotencyKey: key ?? newId("cli_", deed.now) };
}

function readAmount(text: string): string {
  if (/^\d{1,9}(?:\.\d{1,9})?$/.test(text)) return text;
  throw new CliError(`--amount must be an amount such as 12.50, not "${text}".`);
}

function readLimit(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new CliError(`--limit must be a whole number from 1 to 99999, not "${text}".`);
}

const booked = (what: string, { amountUsd, alreadyBooked }: Booked): Shown => ({
  value: { amount_usd: amountUsd, already_booked: alreadyBooked },
  text: `${amountUsd} USD ${what}${alreadyBooked ? " before, by the same key: nothing is booked twice" : ""}.`,
});
