import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import pg from "pg";
import { describe, inject } from "vitest";

import { migrateDatabase } from "#store/migrate-database.ts";
import { openStore, type Store } from "#store/store.ts";

/** An empty database of one test, and ways to open it, also several times at once. */
export interface TestDatabase {
  readonly home: string;
  /** For `TURNPIKE_DATABASE_URL`; empty: SQLite. */
  readonly url: string;
  open(): Promise<Store>;
  /** Removes it; whoever has opened it has closed it. */
  remove(): Promise<void>;
}

let made = 0;

/** A database of its own, schema included unless told otherwise. */
export async function makeDatabase(
  dialect: "sqlite" | "postgres",
  { migrated = true } = {},
): Promise<TestDatabase> {
  const home = mkdtempSync(join(tmpdir(), "turnpike-store-"));
  const removeHome = (): void => rmSync(home, { recursive: true, force: true });
  if (dialect === "sqlite") {
    return { home, url: "", open: () => openStore({ home }), remove: async () => removeHome() };
  }
  const server = inject("postgresUrl");
  const name = `test_${process.pid}_${made++}`;
  await administer(server, `CREATE DATABASE ${name}`);
  const url = server.replace(/\/postgres$/, `/${name}`);
  if (migrated) await migrateDatabase(url);
  return {
    home,
    url,
    open: () => openStore({ home, databaseUrl: url }),
    remove: async () => {
      await administer(server, `DROP DATABASE ${name} WITH (FORCE)`);
      removeHome();
    },
  };
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(statement);
  await client.end();
}

/** The same suite on both databases: `describeOnEach("ledger", (make) => { … await make() … })`. */
export function describeOnEach(
  name: string,
  suite: (make: () => Promise<TestDatabase>, dialect: "sqlite" | "postgres") => void,
): void {
  describe(`${name} on SQLite`, () => suite(() => makeDatabase("sqlite"), "sqlite"));
  const missing = inject("postgresUrl") === "";
  describe.skipIf(missing)(`${name} on Postgres`, () =>
    suite(() => makeDatabase("postgres"), "postgres"),
  );
}
