import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as immediate, setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { monotonicMs } from "#lib/monotonic-ms.ts";
import { openSqlite, type Sqlite } from "#store/sqlite.ts";

/** Notes each input, and tells how many calls were done with it; waits where it is given a gate. */
const NOTING = `
export const procedure = (database, calls) => {
  for (const [first] of calls) {
    if (first instanceof Int32Array) {
      Atomics.store(first, 1, 1);
      Atomics.wait(first, 0, 0);
    } else if (first === "fault") throw new TypeError("a fault of its own");
    else database.run("INSERT INTO notes (text) VALUES (?)", [first]);
  }
  return calls.map(() => calls.length);
};
`;

describe("call", () => {
  let folder: string;
  let sqlite: Sqlite;
  let noting: URL;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "turnpike-calls-"));
    const path = join(folder, "noting.ts");
    writeFileSync(path, NOTING);
    noting = pathToFileURL(path);
    sqlite = openSqlite([{ name: "core", path: join(folder, "a.db"), synchronous: "FULL" }]);
    await run("CREATE TABLE notes (text TEXT NOT NULL)");
  });
  afterEach(async () => {
    await sqlite.close();
    rmSync(folder, { recursive: true });
  });

  const run = (sql: string) => sqlite.run("core", { sql, parameters: [] });
  const note = (text: unknown, until?: number) =>
    sqlite.call("core", noting, { input: [text], until });
  const notes = async (): Promise<unknown[]> =>
    (await run("SELECT text FROM notes ORDER BY rowid")).rows.map(({ text }) => text);

  /** Keeps the thread busy with a call until all that is asked for meanwhile has gone to it. */
  async function whileBusy<Result>(work: () => Promise<Result>[]): Promise<Result[]> {
    const gate = new Int32Array(new SharedArrayBuffer(8));
    const first = note(gate);
    while (Atomics.load(gate, 1) === 0) await sleep(1);
    const asked = work();
    for (let turns = 0; turns < 3; turns++) await immediate();
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
    await first;
    return Promise.all(asked);
  }

  test("those that have come while the thread was busy are done together", async () => {
    const texts = Array.from({ length: 20 }, (_none, at) => `note ${at}`);
    const together = await whileBusy(() => texts.map((text) => note(text)));
    expect(together).toEqual(texts.map(() => texts.length));
    expect(await notes()).toEqual(texts);
  });

  test("a fault fails the one that has it, whoever it was done with", async () => {
    const told = await whileBusy(() =>
      ["a", "fault", "b"].map((text) => note(text).catch((error: Error) => error.message)),
    );
    expect(told).toEqual([1, "a fault of its own", 1]);
    expect(await notes()).toEqual(["a", "b"]);
  });

  test("statements between them see what was before, and not what comes after", async () => {
    const [, between] = await whileBusy<unknown>(() => [note("before"), notes(), note("after")]);
    expect(between).toEqual(["before"]);
    expect(await notes()).toEqual(["before", "after"]);
  });

  test("one for which nobody waits any more is not begun", async () => {
    const until = monotonicMs() + 1;
    const [late] = await whileBusy(() => {
      while (monotonicMs() < until) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      return [note("late", until).catch(() => "refused"), note("in time")];
    });
    expect(late).toBe("refused");
    expect(await notes()).toEqual(["in time"]);
  });

  test("a module that cannot be imported fails its own calls", async () => {
    const broken = join(folder, "broken.ts");
    writeFileSync(broken, 'throw new Error("not today");');
    const call = () => sqlite.call("core", pathToFileURL(broken), { input: [1] });
    const told = await Promise.allSettled([call(), note("a"), call()]);
    expect(told.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "rejected"]);
    await expect(call()).rejects.toThrow("not today");
  });

  test("what is asked for while it closes is told, whenever that is", async () => {
    const progress = { isClosed: false };
    const closed = sqlite.close().then(() => (progress.isClosed = true));
    const told: Promise<unknown>[] = [];
    while (!progress.isClosed) {
      told.push(run("SELECT 1"));
      await Promise.race([told.at(-1), closed]).catch(() => undefined);
      await immediate();
    }
    await closed;
    const waiting = new Promise((resolve) => setTimeout(resolve, 1_000, "untold"));
    expect(await Promise.race([Promise.allSettled(told), waiting])).not.toBe("untold");
  });
});
