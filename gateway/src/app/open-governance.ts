import { openSignIn, type SignIn } from "#app/open-sign-in.ts";
import { openDirectory, type Directory } from "#governance/directory.ts";
import { openKeyRing, type KeyRing } from "#governance/key-ring.ts";
import type { MasterKey } from "#privacy/master-key.ts";
import { noteKeysUsed } from "#store/keys.ts";
import type { Store } from "#store/store.ts";

/** Who may, in memory. */
export interface Governance {
  readonly directory: Directory;
  readonly keys: KeyRing;
  readonly signIn: SignIn;
}

interface Opened {
  readonly store: Pick<Store, "core">;
  readonly master: Pick<MasterKey, "keyPepper">;
  /** Takes what ends it. */
  readonly closers: (() => void | Promise<void>)[];
}

/** Reads the directory and keeps it up to date. */
export async function openGovernance({ store, master, closers }: Opened): Promise<Governance> {
  const { core } = store;
  const { keyPepper: pepper } = master;
  const now = Date.now;
  const directory = await openDirectory(core, now);
  const noteUsed = (ids: readonly string[], usedAt: number): Promise<void> =>
    noteKeysUsed(core, ids, usedAt);
  const keys = openKeyRing({ directory, pepper, now, noteUsed });
  closers.push(async () => {
    directory.close();
    await keys.close();
  });
  const signIn = await openSignIn({ store, master, publicUrl: undefined, closers });
  return { directory, keys, signIn };
}
