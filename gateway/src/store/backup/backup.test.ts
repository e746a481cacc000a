import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";

import { changeDirectory } from "#store/directory-version.ts";
import { backUp } from "#store/backup/back-up.ts";
import { restore } from "#store/backup/restore.ts";
import type { Store } from "#store/store.ts";
import { describeOnEach, makeDatabase, type TestDatabase } from "#test/databases.ts";

const TEAMS = 1_203;

/** More rows than a page has, a reference between them, bytes, and a number beyond 2^53. */
async function fillStore({ core }: Store): Promise<void> {
  await changeDirectory(core, async (transaction, version) => {
    const rows = Array.from({ length: TEAMS }, (_, at) => ({
      id: `team_${String(at).padStart(5, "0")}`,
      organization_id: "org_default",
      name: `Team ${at}`,
      created_at: at,
      version,
    }));
    for (let at = 0; at < rows.length; at += 400) {
      await transaction
        .insertInto("teams")
        .values(rows.slice(at, at + 400))
        .execute();
    }
  });
  const account = { kind: "wallet", debits: 2n ** 60n, credits: 1, pending: 0, created_at: 1 };
  await core
    .insertInto("ledger_accounts")
    .values([
      { ...account, id: "a" },
      { ...account, id: "b" },
    ])
    .execute();
  const transfer = { at: 1, kind: "grant", debit_account: "a", credit_account: "b", amount: 5 };
  await core
    .insertInto("ledger_transfers")
    .values([
      { ...transfer, id: "t1" },
      { ...transfer, id: "t2" },
    ])
    .execute();
  await core
    .insertInto("stored_responses")
    .values({
      id: "r",
      key_id: "k",
      created_at: 1,
      expires_at: 2,
      sealed: Buffer.from([0, 255, 7]),
    })
    .execute();
}

async function contentsOf({ core }: Store) {
  const [teams, accounts, transfers, responses, organizations] = await Promise.all([
    core.selectFrom("teams").selectAll().orderBy("id").execute(),
    core.selectFrom("ledger_accounts").selectAll().orderBy("id").execute(),
    core.selectFrom("ledger_transfers").selectAll().orderBy("seq").execute(),
    core.selectFrom("stored_responses").selectAll().execute(),
    core.selectFrom("organizations").selectAll().execute(),
  ]);
  const bytes = responses.map((row) => ({
    ...row,
    sealed: Buffer.from(row.sealed).toString("hex"),
  }));
  return { teams, accounts, transfers, responses: bytes, organizations };
}

describeOnEach("backUp and restore", (make, dialect) => {
  let source: TestDatabase;
  let store: Store;
  let folder: string;
  beforeEach(async () => {
    source = await make();
    store = await source.open();
    await fillStore(store);
    folder = join(source.home, "backup");
  });
  afterEach(async () => {
    await store.close();
    await source.remove();
  });

  const targets = (["sqlite", "postgres"] as const).filter(
    (target) => target === "sqlite" || inject("postgresUrl") !== "",
  );

  test.each(targets)("a backup goes into %s with every row as it was", async (kind) => {
    const before = await contentsOf(store);
    expect(before.teams.length).toBe(TEAMS);
    const manifest = await backUp(store, { folder, now: 0 });
    expect(manifest.from).toBe(dialect);
    const target = await makeDatabase(kind);
    const options = { from: folder, home: target.home, databaseUrl: target.url, now: 0 };
    const { store: restored } = await restore(options);
    expect(await contentsOf(restored)).toEqual(before);
    // Numbers go on behind those that were brought.
    await restored.core
      .insertInto("ledger_transfers")
      .values({
        id: "t3",
        at: 2,
        kind: "grant",
        debit_account: "a",
        credit_account: "b",
        amount: 1,
      })
      .execute();
    const { transfers } = await contentsOf(restored);
    expect(transfers.at(-1)?.id).toBe("t3");
    await restored.close();
    await target.remove();
  });

  test("a backup of which a byte is changed, or which is not complete, is refused", async () => {
    await backUp(store, { folder, now: 0 });
    writeFileSync(join(folder, "records.db"), "x", { flag: "a" });
    const options = { from: folder, home: join(source.home, "new"), now: 0 };
    await expect(restore(options)).rejects.toThrow(/records\.db is not what was backed up/);
    rmSync(join(folder, "backup.json"));
    await expect(restore(options)).rejects.toThrow(/no complete backup/);
    expect(existsSync(options.home)).toBe(false);
  });

  test("a folder that holds something is left alone", async () => {
    await backUp(store, { folder, now: 0 });
    await expect(backUp(store, { folder, now: 1 })).rejects.toThrow(/not empty/);
    expect(existsSync(join(folder, "backup.json"))).toBe(true);
  });
});

describe("restore into a folder", () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await makeDatabase("sqlite");
  });
  afterEach(() => database.remove());

  test("refuses while somebody has the data open; then keeps what was there", async () => {
    const store = await database.open();
    await fillStore(store);
    const folder = join(database.home, "backup");
    await backUp(store, { folder, now: 0 });
    const options = { from: folder, home: database.home, now: 1_000 };
    await expect(restore(options)).rejects.toThrow(/in use\. Stop the gateway first/);
    await changeDirectory(store.core, (transaction, version) =>
      transaction
        .updateTable("teams")
        .set({ name: "later", version })
        .where("id", "=", "team_00007")
        .execute(),
    );
    await store.close();
    const { store: restored } = await restore(options);
    const { teams } = await contentsOf(restored);
    expect(teams[7]?.name).toBe("Team 7");
    await restored.close();
    const kept = readdirSync(database.home).filter((name) => name.includes("before-restore"));
    expect(kept.toSorted()).toEqual([
      "records.db.before-restore-1970-01-01T00-00-01-000Z",
      "turnpike.db.before-restore-1970-01-01T00-00-01-000Z",
    ]);
  });
});
