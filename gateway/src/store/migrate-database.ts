import { migrate, type Part } from "#store/migrations/migrate.ts";
import { openPostgres } from "#store/postgres.ts";

/** Brings a Postgres database up to date; resolves with how many steps each half was behind. */
export async function migrateDatabase(url: string): Promise<Readonly<Record<Part, number>>> {
  const { target, close } = openPostgres(url, { patient: true });
  try {
    const before = { core: await target.version("core"), records: await target.version("records") };
    await migrate(target, "core");
    await migrate(target, "records");
    return {
      core: (await target.version("core")) - before.core,
      records: (await target.version("records")) - before.records,
    };
  } finally {
    await close();
  }
}
