import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";

import { OPERATOR } from "#governance/actor.ts";
import { changeAudited } from "#governance/audit.ts";
import type { Deed } from "#governance/deed.ts";
import { verifyAudit } from "#governance/verify-audit.ts";
import { listAuditEntries } from "#store/audit.ts";
import type { Store } from "#store/store.ts";
import { describeOnEach, type TestDatabase } from "#test/databases.ts";

describeOnEach("audit chain", (make, dialect) => {
  let database: TestDatabase;
  let store: Store;
  let deed: Deed;
  beforeEach(async () => {
    database = await make();
    store = await database.open();
    deed = { core: store.core, actor: OPERATOR, now: 1_000, ip: "10.0.0.1", requestId: "req_1" };
  });
  afterEach(async () => {
    await store.close();
    await database.remove();
  });

  const write = (name: string): Promise<void> =>
    changeAudited(deed, ({ audit }) =>
      audit({
        action: "teams.update",
        target: { kind: "team", id: `team_${name}` },
        organizationId: "org_default",
        before: { name: "old", digest: "secret-digest" },
        after: { name },
      }),
    );

  /** Whoever has the file can take the triggers away; the chain has to tell. */
  const tamper = async (statement: string): Promise<void> => {
    if (dialect === "sqlite") {
      for (const what of ["update", "delete"]) {
        await sql.raw(`DROP TRIGGER audit_entries_no_${what}`).execute(store.core);
      }
    } else {
      await sql.raw("ALTER TABLE audit_entries DISABLE TRIGGER ALL").execute(store.core);
    }
    await sql.raw(statement).execute(store.core);
  };

  test("an untouched chain is intact, also after writers at once", async () => {
    await Promise.all(Array.from({ length: 20 }, (_, at) => write(`t${at}`)));
    const verdict = await verifyAudit(store.core);
    expect(verdict).toMatchObject({ intact: true, entries: 20 });
    const [entry] = await listAuditEntries(store.core, { limit: 1 });
    expect(entry).toMatchObject({ seq: 20, ip: "10.0.0.1", request_id: "req_1", via: "cli:cli" });
    expect(JSON.stringify(entry)).not.toContain("secret-digest");
  });

  test("entries are neither changed nor removed while the triggers are there", async () => {
    await write("a");
    await expect(
      store.core.updateTable("audit_entries").set({ ip: "x" }).execute(),
    ).rejects.toThrow(/append-only|P0001/);
    await expect(store.core.deleteFrom("audit_entries").execute()).rejects.toThrow();
  });

  const COLUMNS = {
    id: "'aud_x'",
    at: "7",
    organization_id: "'org_x'",
    actor_kind: "'person'",
    actor_id: "'user_x'",
    actor_name: "'x'",
    via: "'session:x'",
    action: "'teams.read'",
    target_kind: "'key'",
    target_id: "'team_x'",
    before_state: "NULL",
    after_state: "'{}'",
    ip: "NULL",
    request_id: "NULL",
    previous_hash: "'x'",
    hash: "'x'",
  };
  test.each(Object.entries(COLUMNS))("a changed %s is found", async (column, value) => {
    for (const name of ["a", "b", "c"]) await write(name);
    await tamper(`UPDATE audit_entries SET ${column} = ${value} WHERE seq = 2`);
    expect(await verifyAudit(store.core)).toMatchObject({ intact: false, broken: { seq: 2 } });
  });

  test("a removed entry is found, at the beginning, in the middle and at the end", async () => {
    for (const name of ["a", "b", "c"]) await write(name);
    await tamper("SELECT 1");
    for (const seq of [3, 2, 1]) {
      await sql.raw(`DELETE FROM audit_entries WHERE seq = ${seq}`).execute(store.core);
      const verdict = await verifyAudit(store.core);
      expect(verdict).toMatchObject({ intact: false, broken: { seq } });
    }
  });

  test("entries that changed places are found", async () => {
    for (const name of ["a", "b", "c"]) await write(name);
    await tamper("UPDATE audit_entries SET seq = 9 WHERE seq = 2");
    await sql.raw("UPDATE audit_entries SET seq = 2 WHERE seq = 3").execute(store.core);
    await sql.raw("UPDATE audit_entries SET seq = 3 WHERE seq = 9").execute(store.core);
    expect(await verifyAudit(store.core)).toMatchObject({ intact: false, broken: { seq: 2 } });
  });

  test("the end cut off is found by the head, and by an anchor when the head is forged, too", async () => {
    for (const name of ["a", "b", "c"]) await write(name);
    const before = await verifyAudit(store.core);
    if (!before.intact) throw new Error("not intact");
    await tamper("DELETE FROM audit_entries WHERE seq = 3");
    expect(await verifyAudit(store.core)).toMatchObject({ intact: false, broken: { seq: 3 } });
    const [last] = await listAuditEntries(store.core, { limit: 1 });
    await sql.raw(`UPDATE audit_head SET seq = 2, hash = '${last?.hash}'`).execute(store.core);
    expect(await verifyAudit(store.core)).toMatchObject({ intact: true });
    expect(await verifyAudit(store.core, before.head)).toMatchObject({ intact: false });
  });

  test("an entry put behind the end is found", async () => {
    await write("a");
    await tamper(
      "INSERT INTO audit_entries SELECT seq + 1, 'aud_f', at, organization_id, actor_kind, actor_id, actor_name, via, action, target_kind, target_id, before_state, after_state, ip, request_id, hash, 'x' FROM audit_entries",
    );
    expect(await verifyAudit(store.core)).toMatchObject({ intact: false, broken: { seq: 2 } });
  });

  test("actions are filtered by their beginning, and % stands for itself", async () => {
    await write("a");
    const found = (action: string) => listAuditEntries(store.core, { action, limit: 5 });
    expect(await found("teams.")).toHaveLength(1);
    expect(await found("%.")).toHaveLength(0);
    expect(await found("teams.read")).toHaveLength(0);
  });
});
