import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";

import { changeDirectory, directoryVersion } from "#store/directory-version.ts";
import { isUnique } from "#store/store-error.ts";
import type { Store } from "#store/store.ts";
import { describeOnEach, type TestDatabase } from "#test/databases.ts";

describeOnEach("store", (make, dialect) => {
  let database: TestDatabase;
  let store: Store;
  beforeEach(async () => {
    database = await make();
    store = await database.open();
  });
  afterEach(async () => {
    await store.close();
    await database.remove();
  });

  const team = (id: string, name = id) => ({
    id,
    organization_id: "org_default",
    name,
    created_at: 1,
    version: 1,
  });
  const teams = async (): Promise<readonly string[]> =>
    (await store.core.selectFrom("teams").select("id").orderBy("id").execute()).map(({ id }) => id);

  test("a transaction is done whole or not at all", async () => {
    const failed = store.core.transaction().execute(async (transaction) => {
      await transaction.insertInto("teams").values(team("a")).execute();
      await transaction.insertInto("teams").values(team("a")).execute();
    });
    await expect(failed).rejects.toSatisfy(isUnique);
    expect(await teams()).toEqual([]);
    await store.core.transaction().execute(async (transaction) => {
      await transaction.insertInto("teams").values(team("a")).execute();
      await transaction.insertInto("teams").values(team("b")).execute();
    });
    expect(await teams()).toEqual(["a", "b"]);
  });

  test("a transaction that its own code gives up leaves nothing", async () => {
    const given = store.core.transaction().execute(async (transaction) => {
      await transaction.insertInto("teams").values(team("a")).execute();
      throw new Error("given up");
    });
    await expect(given).rejects.toThrow("given up");
    expect(await teams()).toEqual([]);
  });

  test("of several statements at once, none is done once one has failed", async () => {
    const failed = store.core
      .transaction()
      .execute((transaction) =>
        Promise.all(
          ["a", "a", "b", "c", "d"].map((id) =>
            transaction.insertInto("teams").values(team(id)).execute(),
          ),
        ),
      );
    await expect(failed).rejects.toSatisfy(isUnique);
    await store.core.transaction().execute(async (transaction) => {
      await transaction.insertInto("teams").values(team("z")).execute();
    });
    expect(await teams()).toEqual(["z"]);
  });

  test("transactions and plain statements at once lose no update", async () => {
    const before = await directoryVersion(store.core);
    const bump = (): Promise<number> =>
      changeDirectory(store.core, async (transaction, version) => {
        await transaction
          .insertInto("teams")
          .values(team(`t${version}`))
          .execute();
        return version;
      });
    const plain = (at: number) =>
      store.core
        .insertInto("teams")
        .values(team(`p${at}`))
        .execute();
    const versions = await Promise.all(
      Array.from({ length: 50 }, async (_, at) => {
        const [version] = await Promise.all([bump(), plain(at)]);
        return version;
      }),
    );
    expect(new Set(versions).size).toBe(50);
    expect(await directoryVersion(store.core)).toBe(before + 50);
    expect((await teams()).length).toBe(100);
  });

  test("integers are numbers while those are exact, and bigint beyond", async () => {
    const account = { id: "a", kind: "wallet", pending: 0, created_at: 1 };
    const large = 2n ** 62n + 1n;
    await store.core
      .insertInto("ledger_accounts")
      .values({ ...account, debits: large, credits: 7n })
      .execute();
    const row = await store.core
      .selectFrom("ledger_accounts")
      .selectAll()
      .executeTakeFirstOrThrow();
    expect([row.debits, row.credits]).toEqual([large, 7]);
    const { total } = await store.core
      .selectFrom("ledger_accounts")
      .select(({ fn }) => fn.sum<number | bigint>("credits").as("total"))
      .executeTakeFirstOrThrow();
    expect(total).toBe(7);
  });

  test("amounts below 0 are refused, and booked transfers cannot be changed or removed", async () => {
    const account = { kind: "wallet", debits: 0, credits: 0, pending: 0, created_at: 1 };
    const wrong = store.core
      .insertInto("ledger_accounts")
      .values({ ...account, id: "w", pending: -1 })
      .execute();
    await expect(wrong).rejects.toMatchObject({ fault: "constraint" });
    for (const id of ["a", "b"]) {
      await store.core
        .insertInto("ledger_accounts")
        .values({ ...account, id })
        .execute();
    }
    const transfer = { id: "t", at: 1, kind: "grant", debit_account: "a", credit_account: "b" };
    await store.core
      .insertInto("ledger_transfers")
      .values({ ...transfer, amount: 5 })
      .execute();
    await expect(
      store.core.updateTable("ledger_transfers").set({ amount: 6 }).execute(),
    ).rejects.toMatchObject({ fault: "constraint" });
    await expect(store.core.deleteFrom("ledger_transfers").execute()).rejects.toMatchObject({
      fault: "constraint",
    });
  });

  test("a copy of a file is for its owner alone; Postgres makes its own", async () => {
    if (store.copyTo === undefined) return expect(dialect).toBe("postgres");
    const folder = mkdtempSync(join(tmpdir(), "turnpike-copy-"));
    const file = join(folder, "copy.db");
    await store.copyTo("core", file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    return rmSync(folder, { recursive: true });
  });

  test("a second opening finds the schema as it is", async () => {
    await store.core.insertInto("teams").values(team("a")).execute();
    const second = await database.open();
    const count = await sql<{ count: number }>`select count(*) as count from teams`.execute(
      second.core,
    );
    await second.close();
    expect(count.rows[0]?.count).toBe(1);
    expect(second.dialect).toBe(dialect);
  });
});
