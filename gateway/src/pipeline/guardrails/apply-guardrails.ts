import type { Guardrail } from "@turnpike/contract/governance.ts";

import type { Failure } from "#canonical/failure.ts";
import type { Call } from "#pipeline/call.ts";
import { askHook, type HookAnswer } from "#pipeline/guardrails/http-hook.ts";
import { checkKeywords, checkPersonalData, type Verdict } from "#privacy/guardrails/check-text.ts";
import { obeysSchema } from "#privacy/guardrails/json-schema.ts";
import { mapJsonTexts, type JsonText } from "#privacy/guardrails/json-texts.ts";

export type Phase = "request" | "answer";

/** Those of a policy that look at one side, in their order. */
export function guardrailsOf(call: Pick<Call, "access">, phase: Phase): readonly Guardrail[] {
  const all = call.access?.policy.guardrails ?? NONE;
  if (all.length === 0) return NONE;
  return all.filter((one) => {
    if (one.kind === "json-schema") return phase === "answer";
    return one.on === phase || one.on === "both";
  });
}

const NONE: readonly Guardrail[] = [];

export interface Guarded {
  readonly call: Call;
  readonly phase: Phase;
  /** Texts of each answer, for what looks at an answer as a whole; absent: it has none. */
  readonly answers?: readonly AnswerText[] | undefined;
}

/** What one answer says. */
export interface AnswerText {
  readonly text: string;
  /** It calls tools: what it says besides is no answer yet. */
  readonly callsTools: boolean;
}

/** The JSON as it may go on, or why it may not. */
export type Applied = { readonly json: string } | { readonly failure: Failure };

/** Asks one guardrail after the other; each sees what those before have redacted. */
export async function applyGuardrails(
  json: string,
  guardrails: readonly Guardrail[],
  guarded: Guarded,
): Promise<Applied> {
  let applied: Applied = { json };
  for (const guardrail of guardrails) {
    applied =
      guardrail.kind === "http"
        ? await applyHook(applied.json, guardrail, guarded)
        : applyCheck(applied.json, guardrail, guarded);
    if ("failure" in applied) return applied;
  }
  return applied;
}

type Check = Exclude<Guardrail, { readonly kind: "http" }>;

function applyCheck(json: string, guardrail: Check, guarded: Guarded): Applied {
  switch (guardrail.kind) {
    case "pii":
      return eachText(json, guarded, {
        guardrail,
        check: (text) => checkPersonalData(text, guardrail),
      });
    case "keywords":
      return eachText(json, guarded, {
        guardrail,
        valuesOnly: true,
        check: (text) => checkKeywords(text, guardrail.words),
      });
    case "max-length":
      return lengthOf(json) > guardrail.characters
        ? {
            failure: blocked(guardrail, {
              phase: guarded.phase,
              reason: tooLong(guardrail.characters),
            }),
          }
        : { json };
    case "json-schema":
      return (guarded.answers ?? []).every((answer) => obeys(answer, guardrail.schema))
        ? { json }
        : { failure: blocked(guardrail, { phase: guarded.phase, reason: DISOBEYS }) };
  }
}

export const tooLong = (characters: number): string => `it is longer than ${characters} characters`;
const DISOBEYS = "it does not obey the JSON schema that is set for it";

/** Text beside tool calls is not the answer; the one that ends the turn must obey. */
function obeys({ text, callsTools }: AnswerText, schema: Record<string, unknown>): boolean {
  if (callsTools && text.trim() === "") return true;
  try {
    return obeysSchema(JSON.parse(text), schema);
  } catch {
    return false;
  }
}

interface TextCheck {
  readonly guardrail: Check;
  readonly valuesOnly?: true;
  readonly check: (text: string) => Verdict;
}

function eachText(
  json: string,
  { phase }: Guarded,
  { guardrail, check, valuesOnly }: TextCheck,
): Applied {
  let failure: Failure | undefined;
  const mapped = mapJsonTexts(json, ({ path, value, kind }) => {
    if (failure !== undefined || (valuesOnly === true && kind === "name")) return value;
    const verdict = check(value);
    if (verdict.action === "block")
      failure = blocked(guardrail, { phase, reason: verdict.reason, path });
    return verdict.action === "redact" ? verdict.text : value;
  });
  return failure === undefined ? { json: mapped } : { failure };
}

/** Characters of all texts together. */
function lengthOf(json: string): number {
  let length = 0;
  mapJsonTexts(json, ({ value, kind }) => {
    if (kind === "value") length += value.length;
    return value;
  });
  return length;
}

async function applyHook(
  json: string,
  guardrail: Extract<Guardrail, { readonly kind: "http" }>,
  { call, phase }: Guarded,
): Promise<Applied> {
  const texts: JsonText[] = [];
  mapJsonTexts(json, (text) => {
    if (text.kind === "value") texts.push(text);
    return text.value;
  });
  const answer = await askHook(call, guardrail, { phase, texts });
  if ("failure" in answer) return answer;
  if (answer.action === "allow") return { json };
  if (answer.action === "block") {
    return { failure: blocked(guardrail, { phase, reason: answer.reason ?? "its check says no" }) };
  }
  return { json: withParts(json, answer) };
}

function withParts(json: string, { parts }: Extract<HookAnswer, { action: "redact" }>): string {
  let at = 0;
  return mapJsonTexts(json, ({ value, kind }) =>
    kind === "value" ? (parts[at++] ?? value) : value,
  );
}

const MAX_PATH = 200;

interface Stopped {
  readonly phase: Phase;
  readonly reason: string;
  readonly path?: string;
}

/** Says which guardrail and where; never what stood there. */
export function blocked({ kind }: Guardrail, { phase, reason, path }: Stopped): Failure {
  const what = phase === "request" ? "The request" : "The answer";
  return {
    code: "guardrail_blocked",
    message: `${what} was stopped by the guardrail "${kind}" of this key's policy: ${reason}.`,
    ...(phase === "request" && path !== undefined && { field: path.slice(0, MAX_PATH) }),
  };
}
