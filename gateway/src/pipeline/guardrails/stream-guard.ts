import type { Guardrail } from "@turnpike/contract/governance.ts";

import type { Failure } from "#canonical/failure.ts";
import { foldEvents } from "#canonical/fold-events.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import { unfoldResponse } from "#canonical/unfold-response.ts";
import { isObject } from "#lib/json.ts";
import type { Call } from "#pipeline/call.ts";
import {
  applyGuardrails,
  blocked,
  guardrailsOf,
  tooLong,
} from "#pipeline/guardrails/apply-guardrails.ts";
import { answerTextsOf } from "#pipeline/guardrails/answer-texts.ts";
import type { PersonalData } from "#privacy/detect/match.ts";
import { PERSONAL_DATA } from "#privacy/detect/match.ts";
import { checkKeywords, checkPersonalData } from "#privacy/guardrails/check-text.ts";
import { mapJsonTexts } from "#privacy/guardrails/json-texts.ts";
import { TextWindow } from "#privacy/guardrails/text-window.ts";
import type { StreamRenderer } from "#protocols/codec.ts";

type DeltaEvent = Extract<StreamEvent, { readonly type: `${string}-delta` }>;
type EndEvent = Extract<StreamEvent, { readonly type: `${string}-end` }>;

/** What stands between a provider's stream and its client, event by event. */
export interface StreamGuard {
  /** The events that may go on now. After a failure none. */
  push(event: StreamEvent): readonly StreamEvent[];
  readonly failure: Failure | undefined;
  /**
   * Some checks need the whole answer: nothing goes on until it is there, and `release` then gives
   * all of it at once, or says why not.
   */
  readonly release?: (renderer: StreamRenderer) => Promise<string | Failure>;
}

/** A guard for one stream; `undefined` where the policy does not look at answers: then nothing changes. */
export function streamGuardOf(call: Call): StreamGuard | undefined {
  const guardrails = guardrailsOf(call, "answer");
  if (guardrails.length === 0) return undefined;
  const needsAll = guardrails.some(({ kind }) => kind === "http" || kind === "json-schema");
  return needsAll ? new WithholdingGuard(call, guardrails) : new PassingGuard(guardrails);
}

/** For what needs the whole answer: a schema, an operator's own check. */
class WithholdingGuard implements StreamGuard {
  readonly failure = undefined;
  readonly #call: Call;
  readonly #guardrails: readonly Guardrail[];
  readonly #events: StreamEvent[] = [];

  constructor(call: Call, guardrails: readonly Guardrail[]) {
    this.#call = call;
    this.#guardrails = guardrails;
  }

  push(event: StreamEvent): readonly StreamEvent[] {
    this.#events.push(event);
    return [];
  }

  readonly release = async (renderer: StreamRenderer): Promise<string | Failure> => {
    const response = foldEvents(this.#events);
    const applied = await applyGuardrails(JSON.stringify(response.candidates), this.#guardrails, {
      call: this.#call,
      phase: "answer",
      answers: answerTextsOf(response),
    });
    if ("failure" in applied) return applied.failure;
    const candidates = JSON.parse(applied.json) as typeof response.candidates;
    let text = "";
    for (const event of unfoldResponse({ ...response, candidates })) text += renderer.push(event);
    return text + renderer.end();
  };
}

/** For what knows by a few words: they go on a little behind. */
class PassingGuard implements StreamGuard {
  failure: Failure | undefined;
  readonly #guardrails: readonly Guardrail[];
  readonly #redact: readonly PersonalData[] | undefined;
  readonly #reach: number;
  readonly #windows = new Map<number, TextWindow>();
  readonly #calls = new Map<number, string>();
  #length = 0;

  constructor(guardrails: readonly Guardrail[]) {
    this.#guardrails = guardrails;
    const redacting = guardrails.filter((one) => one.kind === "pii" && one.action === "redact");
    this.#redact =
      redacting.length === 0
        ? undefined
        : redacting.flatMap((one) => (one.kind === "pii" && one.types) || PERSONAL_DATA);
    this.#reach = Math.max(0, ...guardrails.map(reachOf));
  }

  push(event: StreamEvent): readonly StreamEvent[] {
    if (this.failure !== undefined) return [];
    const events = this.#pass(event);
    return this.failure === undefined ? events : [];
  }

  #pass(event: StreamEvent): readonly StreamEvent[] {
    switch (event.type) {
      case "text-delta":
      case "refusal-delta":
      case "reasoning-delta":
      case "tool-call-delta":
        return this.#delta(event);
      case "text-end":
      case "refusal-end":
      case "reasoning-end":
      case "tool-call-end":
        return this.#end(event);
      case "part":
      case "citation":
        return [this.#whole(event)];
      default:
        return [event];
    }
  }

  #delta(event: DeltaEvent): readonly StreamEvent[] {
    this.#count(event.text.length);
    if (event.type === "tool-call-delta") {
      this.#calls.set(event.index, (this.#calls.get(event.index) ?? "") + event.text);
      return [];
    }
    const window = this.#window(event.index);
    const text = window.push(event.text);
    if (window.isBlocked) this.#stop();
    return text === "" ? [] : [deltaOf(event, text)];
  }

  #end(event: EndEvent): readonly StreamEvent[] {
    const { index } = event;
    const block = "candidate" in event ? { index, candidate: event.candidate ?? 0 } : { index };
    if (event.type === "tool-call-end") {
      const written = this.#calls.get(index) ?? "";
      this.#calls.delete(index);
      if (written === "") return [event];
      return [{ type: "tool-call-delta", ...block, text: this.#arguments(written) }, event];
    }
    const rest = this.#windows.get(index)?.end() ?? "";
    this.#windows.delete(index);
    if (rest === "") return [event];
    const type = event.type.replace("-end", "-delta") as "text-delta";
    return [{ type, ...block, text: rest }, event];
  }

  /** Arguments are JSON: their texts are looked at one by one, and they stay JSON. */
  #arguments(written: string): string {
    const wrapped = this.#mapped(JSON.stringify({ arguments: written }));
    const { arguments: mapped } = JSON.parse(wrapped) as { readonly arguments: string };
    return mapped;
  }

  #whole(event: Extract<StreamEvent, { readonly type: "part" | "citation" }>): StreamEvent {
    const before = JSON.stringify(event);
    const after = this.#mapped(before);
    if (event.type === "part") this.#count(textLength(event.part));
    return before === after ? event : (JSON.parse(after) as StreamEvent);
  }

  #mapped(json: string): string {
    return mapJsonTexts(json, ({ value, kind }) => {
      if (this.#isBlocked(value, kind === "name")) this.#stop();
      if (this.#redact === undefined) return value;
      const verdict = checkPersonalData(value, { action: "redact", types: this.#redact });
      return verdict.action === "redact" ? verdict.text : value;
    });
  }

  #window(index: number): TextWindow {
    const known = this.#windows.get(index);
    if (known !== undefined) return known;
    const window = new TextWindow({
      redact: this.#redact,
      reach: this.#reach,
      wholeWords: this.#guardrails.some(({ kind }) => kind === "pii"),
      isBlocked: (text) => this.#isBlocked(text),
    });
    this.#windows.set(index, window);
    return window;
  }

  #blocking: Failure | undefined;

  #isBlocked(text: string, isName = false): boolean {
    for (const guardrail of this.#guardrails) {
      const reason = reasonToBlock(guardrail, text, isName);
      if (reason === undefined) continue;
      this.#blocking = blocked(guardrail, { phase: "answer", reason });
      return true;
    }
    return false;
  }

  #stop(): void {
    this.failure ??= this.#blocking;
  }

  #count(length: number): void {
    this.#length += length;
    for (const guardrail of this.#guardrails) {
      if (guardrail.kind === "max-length" && this.#length > guardrail.characters) {
        this.failure ??= blocked(guardrail, {
          phase: "answer",
          reason: tooLong(guardrail.characters),
        });
      }
    }
  }
}

/** Characters that a guardrail has to see together. */
function reachOf(guardrail: Guardrail): number {
  if (guardrail.kind === "pii") return guardrail.action === "block" ? BLOCK_REACH : 0;
  return guardrail.kind === "keywords"
    ? Math.max(...guardrail.words.map(({ length }) => length)) + 1
    : 0;
}

/** Longer than what a person writes as one number or address. */
const BLOCK_REACH = 320;

function reasonToBlock(guardrail: Guardrail, text: string, isName: boolean): string | undefined {
  if (guardrail.kind === "pii" && guardrail.action === "block") {
    const verdict = checkPersonalData(text, guardrail);
    return verdict.action === "block" ? verdict.reason : undefined;
  }
  if (guardrail.kind !== "keywords" || isName) return undefined;
  const verdict = checkKeywords(text, guardrail.words);
  return verdict.action === "block" ? verdict.reason : undefined;
}

/** Probabilities are of the text as it was: they would tell it. */
function deltaOf(event: DeltaEvent, text: string): StreamEvent {
  const { type, index, candidate } = event;
  return { type, index, ...(candidate !== undefined && { candidate }), text };
}

const textLength = (part: object): number =>
  Object.values(part).reduce(
    (sum: number, value: unknown) =>
      sum + (typeof value === "string" ? value.length : isObject(value) ? textLength(value) : 0),
    0,
  );

/** What a stream's answer has of a guard that withholds it. */
export function released(
  guard: StreamGuard | undefined,
  renderer: StreamRenderer,
): { readonly release?: () => Promise<string | Failure> } {
  const { release } = guard ?? {};
  return release === undefined ? {} : { release: () => release(renderer) };
}
