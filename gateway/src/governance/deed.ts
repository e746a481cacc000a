import type { Kysely } from "kysely";

import type { Actor } from "#governance/actor.ts";
import type { Change } from "#governance/audit.ts";
import type { CoreTables } from "#store/schema.ts";

/** Somebody does something: what every use case of governance is given, by the admin API and the CLI alike. */
export interface Deed {
  readonly core: Kysely<CoreTables>;
  readonly actor: Actor;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Where it came from; `null`: from this machine's command line. */
  readonly ip: string | null;
  readonly requestId: string | null;
  /** A change that is under way: this is a part of it, done or undone with the rest. */
  readonly within?: Change;
}
