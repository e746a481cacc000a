/** Does it again and again, one after the other; what comes back ends it, and resolves once the last is over. */
export function repeat(work: () => Promise<unknown>, everyMs: number): () => Promise<void> {
  let running: Promise<unknown> | undefined;
  const timer = setInterval(() => {
    running ??= work()
      // What fails now is told by the work itself, and done by the next turn.
      .catch(() => undefined)
      .finally(() => (running = undefined));
  }, everyMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}
