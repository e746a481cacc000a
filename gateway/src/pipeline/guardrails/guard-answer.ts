import type { Failure } from "#canonical/failure.ts";
import { isObject } from "#lib/json.ts";
import type { Call, StreamAnswer, WholeAnswer } from "#pipeline/call.ts";
import { applyGuardrails, guardrailsOf } from "#pipeline/guardrails/apply-guardrails.ts";
import type { StreamEnd } from "#pipeline/relay-stream.ts";

/** A whole answer as the policy's guardrails let it through, or why they do not. */
export async function guardWhole(call: Call, answer: WholeAnswer): Promise<WholeAnswer | Failure> {
  const guardrails = guardrailsOf(call, "answer");
  if (guardrails.length === 0) return answer;
  const { body, texts } = answer;
  const applied = await applyGuardrails(body, guardrails, {
    call,
    phase: "answer",
    answers: texts?.(),
  });
  if ("failure" in applied) return applied.failure;
  if (applied.json === body) return answer;
  return { ...answer, body: withoutProbabilities(applied.json) };
}

/** The end of a stream that was withheld as a whole: all of it, or why not. */
export async function guardEnd(answer: StreamAnswer, end: StreamEnd): Promise<StreamEnd> {
  const { release } = answer;
  if (release === undefined || end.failure !== undefined) return end;
  const released = await release();
  return typeof released === "string"
    ? { ...end, tail: [released, ...end.tail] }
    : { ...end, failure: released, tail: [] };
}

const PROBABILITIES: ReadonlySet<string> = new Set(["logprobs", "logprobsResult"]);

/** They spell the answer token by token, as it was. */
function withoutProbabilities(json: string): string {
  if (!json.includes('"logprobs')) return json;
  return JSON.stringify(JSON.parse(json), (key, value: unknown) =>
    PROBABILITIES.has(key) && (isObject(value) || Array.isArray(value)) ? null : value,
  );
}
