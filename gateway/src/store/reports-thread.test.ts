import { sql } from "kysely";
import { expect, test } from "vitest";

import { isUnavailable } from "#store/store-error.ts";
import { describeOnEach } from "#test/databases.ts";

describeOnEach("reading reports", (make) => {
  test("what takes long to read keeps nobody waiting who writes a record", async () => {
    const database = await make();
    const store = await database.open();
    let isOver = false;
    const long =
      sql`with recursive n(i) as (select 1 union all select i + 1 from n where i < 8000000) select count(*) as rows from n`
        .execute(store.reports)
        .then(() => (isOver = true));
    await store.records.insertInto("rollup_months").values({ month: 1 }).execute();
    expect(isOver).toBe(false);
    await long;
    const months = await store.reports.selectFrom("rollup_months").selectAll().execute();
    expect(months).toEqual([{ month: 1 }]);
    await store.close();
    await database.remove();
  });

  test("on SQLite nothing can be written there", async () => {
    const database = await make();
    const store = await database.open();
    if (store.dialect === "sqlite") {
      const written = store.reports.insertInto("rollup_months").values({ month: 1 }).execute();
      await expect(written).rejects.toSatisfy(isUnavailable);
    }
    await store.close();
    await database.remove();
  });
});
