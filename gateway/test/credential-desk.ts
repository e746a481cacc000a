import type { AdminParts } from "#http/admin/admin-route.ts";
import { createEnvelope } from "#privacy/envelope.ts";
import type { MasterKey } from "#privacy/master-key.ts";
import { rowInEnvironment } from "#providers/configured-providers.ts";
import type { Store } from "#store/store.ts";
import type { Send } from "#upstream/answer.ts";

const unreachable: Send = async () => {
  throw new Error("no provider is there");
};

/** What the admin API needs for provider credentials, over a real store. */
export const credentialDesk = (
  core: Store["core"],
  master: MasterKey,
  { env = {}, send = unreachable }: { readonly env?: NodeJS.ProcessEnv; readonly send?: Send },
): AdminParts["credentials"] => ({
  envelope: createEnvelope({ core, master, now: Date.now }),
  placeOf: (id) => rowInEnvironment(id, { env, ownOrigins: [] }),
  send,
  faultOf: () => undefined,
});
