import type { Ended, ReplyOf, Command } from "#ledger/commands.ts";
import type { Gateway } from "#pipeline/gateway.ts";

const DONE: Ended = { outcome: "done", state: "settled", charged: 0n, excess: 0n, counted: [] };

/** A ledger for requests that nothing bounds: it takes what is charged, and keeps nothing of it. */
export const unboundMoney = (): Pick<Gateway, "ledger" | "holds" | "idempotencyKeys"> => ({
  idempotencyKeys: {
    claim: async () => ({
      as: "first",
      lease: { finish: async () => undefined, release: async () => undefined },
    }),
  },
  ledger: {
    run: async <Kind extends Command>() => DONE as ReplyOf<Kind>,
    waiting: 0,
    idle: async () => undefined,
  },
  holds: {
    owner: "gw_test",
    begin: async () => undefined,
    meter: () => undefined,
    end: () => undefined,
    doLater: () => undefined,
    sweep: async () => 0,
    close: async () => undefined,
  },
});
