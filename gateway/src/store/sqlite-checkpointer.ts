/**
 * A thread that writes SQLite's log into its file while the thread that owns the file goes on: a
 * checkpoint waits for the disk, and everybody whose money comes then would wait with it. Told to
 * begin, it works as long as there is something to do, and ends by itself.
 */
import { DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { workerData } from "node:worker_threads";

const PAUSE_MS = 100;
/** So many turns without anything to write: nobody is in a hurry any more. */
const IDLE_TURNS = 50;

const database = new DatabaseSync(workerData as string, { timeout: 1_000 });
database.exec("PRAGMA synchronous=FULL");
const checkpoint = database.prepare("PRAGMA wal_checkpoint(PASSIVE)");
let last = -1;
for (let idle = 0; idle < IDLE_TURNS; idle++) {
  const { log } = checkpoint.get() as { readonly log: number };
  if (log !== last) idle = 0;
  last = log;
  await setTimeout(PAUSE_MS);
}
database.close();
