import { join } from "node:path";

import type { EraseDeps } from "#privacy/erase.ts";
import { ERASURE_LIST } from "#privacy/erasure-list.ts";
import { createEnvelope, type Envelope } from "#privacy/envelope.ts";
import type { MasterKey } from "#privacy/master-key.ts";
import { createCompactor } from "#store/compact.ts";
import type { Store } from "#store/store.ts";

interface Around {
  readonly home: string;
  readonly store: Store;
  readonly master: MasterKey;
  /** Absent: one of its own. */
  readonly envelope?: Envelope;
}

/** What erasing works with, for a gateway and for the command line alike. */
export function openErasing({ home, store, master, envelope }: Around): EraseDeps {
  const { core, records } = store;
  return {
    core,
    records,
    master,
    envelope: envelope ?? createEnvelope({ core, master, now: Date.now }),
    now: Date.now,
    compact: createCompactor(store),
    listFile: join(home, ERASURE_LIST),
  };
}
