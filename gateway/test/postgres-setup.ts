import type { TestProject } from "vitest/node";

import { startPostgres } from "#test/postgres-server.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Empty: this machine has no Postgres. */
    readonly postgresUrl: string;
  }
}

/** One Postgres server for all suites of a run. In CI its absence is an error, elsewhere it is told. */
// eslint-disable-next-line import/no-default-export -- vitest wants it so
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres();
  if (server === undefined && process.env["CI"] !== undefined) {
    throw new Error("CI must have Postgres: apt-get install postgresql");
  }
  if (server === undefined) {
    console.warn(
      "\nNo Postgres on this machine: the suites on it are skipped (apt-get install postgresql).\n",
    );
  }
  project.provide("postgresUrl", server?.url ?? "");
  return async () => server?.stop();
}
