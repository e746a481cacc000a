import type { Call } from "#pipeline/call.ts";
import type { AttemptEnd, RunningAttempt } from "#pipeline/one-attempt.ts";

/** Until an endpoint has a history of its own. */
const USUAL_FIRST_CONTENT_MS = 3_000;
/** About the 95th percentile, in relation to the typical time to the first content. */
const LATE = 2;

/**
 * The end of an attempt, or of a second one beside it where the operator has opted in and the first
 * is late: whichever has content first. Off unless `routing.hedge` is set.
 */
export async function hedged(
  call: Call,
  first: RunningAttempt,
  startSecond: () => Promise<RunningAttempt | undefined>,
): Promise<AttemptEnd> {
  const { hedge } = call.gateway.market().policy;
  if (hedge === undefined || call.sideEffects) return first.end;
  call.hedges ??= call.gateway.random() * 100 < hedge.percent;
  if (!call.hedges) return first.end;
  const lateMs = hedge.afterMs ?? lateAfterMs(call, first);
  const early = await Promise.race([first.end, timer(lateMs)]);
  if (early !== "late") return early;
  const second = call.signal.aborted ? undefined : await startSecond();
  return second === undefined ? first.end : firstOf(first, second);
}

function lateAfterMs({ gateway }: Call, { route }: RunningAttempt): number {
  const known = gateway.health.view().of(route.key).firstContentMs;
  return LATE * (known ?? USUAL_FIRST_CONTENT_MS);
}

const timer = (ms: number): Promise<"late"> =>
  new Promise((resolve) => {
    setTimeout(() => resolve("late"), ms).unref();
  });

/** The one that answers first; of two failures the first attempt's. The other is ended. */
async function firstOf(first: RunningAttempt, second: RunningAttempt): Promise<AttemptEnd> {
  const named = (attempt: RunningAttempt) => attempt.end.then((end) => ({ attempt, end }));
  try {
    const sooner = await Promise.race([named(first), named(second)]);
    const other = sooner.attempt === first ? second : first;
    if ("failure" in sooner.end) {
      const end = await other.end;
      return "failure" in end ? await first.end : end;
    }
    await other.lose();
    return sooner.end;
  } catch (error) {
    await Promise.all([first.lose(), second.lose()]);
    throw error;
  }
}
