import { dataFolder, type CliIo } from "#cli/cli-io.ts";
import { DATABASE_VARIABLE, openStore, type Store } from "#store/store.ts";

/** Opens the store of the data folder for one piece of work. A running gateway does not mind. */
export async function withStore<T>(io: CliIo, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore({
    home: dataFolder(io),
    databaseUrl: io.env[DATABASE_VARIABLE],
  });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}
