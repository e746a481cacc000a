import { fork } from "node:child_process";
import { once } from "node:events";

/** Somebody else of a payment, in a process of its own as in reality. */
export interface Part {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts a module of this folder, which tells its URL. */
export async function startPart(module: string, args: readonly string[] = []): Promise<Part> {
  const child = fork(new URL(`./${module}.ts`, import.meta.url), [...args]);
  const gone = once(child, "exit");
  const failed = gone.then(([code]) => {
    throw new Error(`the ${module} ended with ${String(code)} at its start`);
  });
  failed.catch(() => undefined);
  const [url] = (await Promise.race([once(child, "message"), failed])) as [string];
  return {
    url,
    stop: async () => {
      child.disconnect();
      await gone;
    },
  };
}
