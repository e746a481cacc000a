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

/** A copy of one on Postgres as it is now, as a backup is; whoever has it open loses it. */
export async function copyOnPostgres({ url, home }: TestDatabase): Promise<TestDatabase> {
  const server = inject("postgresUrl");
  const name = `test_${process.pid}_${made++}`;
  const of = url.slice(url.lastIndexOf("/") + 1);
  const others = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${of}'`;
  await administer(server, others);
  await administer(server, `CREATE DATABASE ${name} TEMPLATE ${of}`);
  const copied = server.replace(/\/postgres$/, `/${name}`);
  return {
    home,
    url: copied,
    open: () => openStore({ home, databaseUrl: copied }),
    remove: () => administer(server, `DROP DATABASE ${name} WITH (FORCE)`),
  };
}

/** Whether any row of any table of Postgres has a text in it, in bytes too. */
export async function rowsHold({ url }: TestDatabase, text: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      "SELECT tablename AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
    );
    for (const { name } of rows) {
      const found = await client.query(`SELECT * FROM "${name}"`);
      const values = found.rows.flatMap((row: object) => Object.values(row) as unknown[]);
      const isIn = (value: unknown): boolean =>
        Buffer.isBuffer(value) ? value.includes(text) : String(value).includes(text);
      if (values.some(isIn)) return true;
    }
    return false;
  } finally {
    await client.end();
  }
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
