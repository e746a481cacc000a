import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";

import { openLedger, type Ledger } from "#ledger/open-ledger.ts";
import { checkInvariants } from "#ledger/check-invariants.ts";
import type { Reserve } from "#ledger/commands.ts";
import { createLedgerStore } from "#store/ledger.ts";
import type { Store } from "#store/store.ts";
import { makeDatabase, type TestDatabase } from "#test/databases.ts";

let database: TestDatabase;
let store: Store;
let ledger: Ledger;

beforeEach(async () => {
  database = await makeDatabase("sqlite");
  store = await database.open();
  ledger = openLedger({ store: createLedgerStore(store) });
});
afterEach(async () => {
  expect(await checkInvariants(store.core)).toEqual([]);
  await store.close();
  await database.remove();
});

const charge = {
  walletId: "wallet:org_1",
  projectId: "proj_1",
  chargeNanoUsd: 100n,
  tokens: 1,
  counters: [],
};
const hold = (id: string): Reserve => ({
  type: "reserve",
  id,
  at: Date.now(),
  organizationId: "org_1",
  owner: "me",
  deadline: Date.now() + 60_000,
  wallet: { id: "wallet:org_1", lowest: -1_000_000_000n },
  counters: [],
  lines: [{ basePicoUsd: 100_000n, outputPicoUsd: 0n, inputTokens: 1 }],
  answers: 1,
  wantedTokens: 1,
  leastTokens: 1,
  fallback: charge,
});

/** SQLite's own words for a disk without room, at the size that the file has now. */
async function fillDisk(): Promise<void> {
  const { rows } = await sql<{ page_count: number }>`PRAGMA page_count`.execute(store.core);
  await sql.raw(`PRAGMA max_page_count = ${rows[0]?.page_count}`).execute(store.core);
}
const makeRoom = () => sql`PRAGMA max_page_count = 1000000`.execute(store.core);

test("on a full disk nothing is let through, nothing is charged, and all goes on once there is room", async () => {
  await ledger.run(hold("before"));
  await fillDisk();
  const refused: string[] = [];
  for (let at = 0; at < 200; at++) {
    // What fits into pages that are there is held; from the first one on that does not, none is lost.
    await ledger.run(hold(`full-${at}`)).catch((error: unknown) => {
      expect(error).toMatchObject({ failure: { code: "store_unavailable" } });
      refused.push(`full-${at}`);
    });
  }
  expect(refused.length).toBeGreaterThan(0);
  const held = await store.core.selectFrom("holds").select("id").execute();
  expect(held.filter(({ id }) => refused.includes(id))).toEqual([]);
  await makeRoom();
  const again = refused[0] ?? "";
  expect(await ledger.run(hold(again))).toMatchObject({ outputTokens: 1 });
  const settle = { type: "settle", at: Date.now(), organizationId: "org_1", held: true } as const;
  for (const { id } of [...held, { id: again }]) {
    expect(await ledger.run({ ...settle, id, charge })).toMatchObject({ outcome: "done" });
  }
});

test("what a full disk did not book is booked once", async () => {
  await ledger.run(hold("a"));
  await fillDisk();
  const settle = {
    type: "settle",
    id: "a",
    at: Date.now(),
    organizationId: "org_1",
    charge,
    held: true,
  } as const;
  let isBooked = false;
  // Each failed try is repeated, as the gateway does in the background.
  for (let tries = 0; tries < 3 && !isBooked; tries++) {
    isBooked = await ledger.run(settle).then(
      () => true,
      () => false,
    );
  }
  await makeRoom();
  const last = await ledger.run(settle);
  expect(last.outcome).toBe(isBooked ? "again" : "done");
  const transfers = await store.core
    .selectFrom("ledger_transfers")
    .select("id")
    .where("kind", "=", "charge")
    .execute();
  expect(transfers).toEqual([{ id: "a:charge" }]);
});
