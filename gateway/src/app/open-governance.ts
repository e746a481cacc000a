import type { AuthSection } from "@turnpike/contract/config-auth.ts";

import { openSignIn, type SignIn } from "#app/open-sign-in.ts";
import { openDirectory, type Directory } from "#governance/directory.ts";
import { openKeyRing, type KeyRing } from "#governance/key-ring.ts";
import type { MasterKey } from "#privacy/master-key.ts";
import { noteKeysUsed } from "#store/keys.ts";
import type { Store } from "#store/store.ts";
import type { Log } from "#telemetry/log.ts";

/** Who may, in memory. */
export interface Governance {
  readonly directory: Directory;
  readonly keys: KeyRing;
  readonly signIn: SignIn;
}

interface Opened {
  readonly store: Pick<Store, "core">;
  readonly master: MasterKey;
  readonly auth: AuthSection | undefined;
  readonly log: Log;
  /** Takes what ends it. */
  readonly closers: (() => void | Promise<void>)[];
}

/** Reads the directory and keeps it up to date. */
export async function openGovernance(opened: Opened): Promise<Governance> {
  const { store, master, auth = {}, closers } = opened;
  const { core } = store;
  const { keyPepper: pepper } = master;
  const now = Date.now;
  const directory = await openDirectory(core);
  const noteUsed = (ids: readonly string[], usedAt: number): Promise<void> =>
    noteKeysUsed(core, ids, usedAt);
  const keys = openKeyRing({ directory, pepper, now, noteUsed });
  closers.push(async () => {
    directory.close();
    await keys.close();
  });
  const signIn = await openSignIn({ ...opened, auth });
  return { directory, keys, signIn };
}
