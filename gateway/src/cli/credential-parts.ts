import type { CredentialParts } from "#byok/manage-credentials.ts";
import { CliError, dataFolder, type CliIo } from "#cli/cli-io.ts";
import { withMarket } from "#cli/with-market.ts";
import { withStore } from "#cli/with-store.ts";
import { OPERATOR } from "#governance/actor.ts";
import type { Deed } from "#governance/deed.ts";
import { createEnvelope } from "#privacy/envelope.ts";
import { loadMasterKey } from "#privacy/master-key.ts";
import type { Store } from "#store/store.ts";

/** Never an argument: those are in the shell's history, and everybody on the machine sees them. */
export async function readSecret(io: CliIo, variable: string | undefined): Promise<string> {
  const secret = variable === undefined ? await io.readInput?.() : io.env[variable];
  const trimmed = secret?.trim() ?? "";
  if (trimmed !== "") return trimmed;
  throw new CliError(
    variable === undefined
      ? "pipe the provider's key to this command, or name a variable with --secret-env."
      : `${variable} is not set.`,
  );
}

export const deedOf = (io: CliIo, core: Store["core"]): Deed => ({
  core,
  actor: OPERATOR,
  now: io.now(),
  ip: null,
  requestId: null,
});

/** Does something with what credentials are sealed, found and tested by. */
export function withParts<T>(
  io: CliIo,
  work: (deed: Deed, parts: CredentialParts) => Promise<T>,
): Promise<T> {
  return withStore(io, ({ core }) =>
    withMarket(io, (market, send) => {
      const master = loadMasterKey(dataFolder(io), io.env["TURNPIKE_MASTER_KEY"]);
      const envelope = createEnvelope({ core, master, now: io.now });
      const placeOf = market.placeOf.bind(market);
      return work(deedOf(io, core), { envelope, placeOf, send });
    }),
  );
}
