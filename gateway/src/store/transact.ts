import type pg from "pg";

import { postgresError } from "#store/store-error.ts";

/** Runs one statement of a transaction. */
export type RunStatement = <Row>(
  text: string,
  parameters: readonly unknown[],
) => Promise<readonly Row[]>;

/**
 * A transaction whose statements need not wait for one another: what is asked for at once goes to
 * the database at once, the commit with the last of them. Kysely's own wait each for the one before,
 * and every wait is a round trip. Rejects when any statement has failed; then nothing was done.
 */
export type Transact = <Result>(work: (run: RunStatement) => Promise<Result>) => Promise<Result>;

export const postgresTransact =
  (pool: pg.Pool): Transact =>
  async (work) => {
    const client = await pool.connect().catch((error: unknown) => {
      throw postgresError(error);
    });
    let last: Promise<unknown> = Promise.resolve();
    const ask = (text: string, values: readonly unknown[] = []): Promise<pg.QueryResult> => {
      const query = () => client.query({ name: nameOf(text), text, values: [...values] });
      const answer = last.then(query, query);
      last = answer;
      return answer;
    };
    const asked: Promise<unknown>[] = [];
    let fault: unknown;
    const run: RunStatement = <Row>(text: string, parameters: readonly unknown[]) => {
      const rows = ask(text, parameters).then(
        (answer) => answer.rows as readonly Row[],
        (error: unknown) => {
          // Of those behind it Postgres only says that one before them has failed.
          fault ??= postgresError(error);
          throw postgresError(error);
        },
      );
      asked.push(rows.catch(() => undefined));
      return rows;
    };
    try {
      const begun = ask("BEGIN").catch((error: unknown) => {
        throw postgresError(error);
      });
      begun.catch(() => undefined);
      const result = await work(run);
      await begun;
      const committed = await ask("COMMIT");
      // After a statement that failed Postgres undoes the transaction, and does not call that an error.
      if (committed.command !== "COMMIT") {
        await Promise.all(asked);
        throw fault ?? postgresError({ message: "the transaction was undone" });
      }
      client.release();
      return result;
    } catch (error) {
      // The connection may be at fault, or still be busy with what took too long: it is not used again.
      const undone = await ask("ROLLBACK").then(
        () => true,
        () => false,
      );
      client.release(!undone);
      throw isOurs(error) ? error : postgresError(error);
    }
  };

const isOurs = (error: unknown): boolean =>
  error instanceof RangeError || error instanceof TypeError;

/** Statements are prepared once a connection; names are short and stand for their text. */
const names = new Map<string, string>();

function nameOf(text: string): string {
  let name = names.get(text);
  if (name === undefined) names.set(text, (name = `turnpike_${names.size}`));
  return name;
}
