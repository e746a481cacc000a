import type { CliIo } from "#cli/cli-io.ts";
import { withStore } from "#cli/with-store.ts";
import { OPERATOR } from "#governance/actor.ts";
import type { Deed } from "#governance/deed.ts";
import type { Store } from "#store/store.ts";

/**
 * Does something as the operator of this machine, straight in the store: it works while the gateway
 * is down, and a running one knows within a second.
 */
export const asOperator = <Result>(
  io: CliIo,
  act: (deed: Deed, store: Store) => Promise<Result>,
): Promise<Result> =>
  withStore(io, (store) =>
    act({ core: store.core, actor: OPERATOR, now: io.now(), ip: null, requestId: null }, store),
  );
