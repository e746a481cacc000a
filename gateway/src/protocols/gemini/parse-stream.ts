import type { Failure } from "#canonical/failure.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import { asNumber, asObjects, asString, isObject, parseObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { SseEvent } from "#lib/sse.ts";
import type { StreamParser } from "#protocols/codec.ts";
import { answerIds } from "./call-ids.ts";
import type { CallIds } from "./parse-part.ts";
import { parseCitations } from "./citations.ts";
import { parseFinishReason } from "./finish-reason.ts";
import { failureOf } from "./parse-error.ts";
import { blockedFailure, createdOf } from "./parse-response.ts";
import { parseUsage } from "./parse-usage.ts";
import { closeBlock, newCandidate, pushPart } from "./stream-candidate.ts";
import { parseLogprobs } from "./logprobs.ts";
import type { StreamCandidate } from "./stream-candidate.ts";
import { camelKeys, camelObject } from "./wire-case.ts";

interface StreamState {
  readonly candidates: Map<number, StreamCandidate>;
  readonly ids: CallIds;
  readonly nextIndex: () => number;
  responseId: string;
  started: boolean;
}

export function createStreamParser(): StreamParser {
  let blocks = 0;
  const state: StreamState = {
    candidates: new Map(),
    ids: answerIds(() => state.responseId),
    nextIndex: () => blocks++,
    responseId: "",
    started: false,
  };
  return {
    push: (event) => handle(event, state),
    end: () => [...state.candidates.values()].flatMap((candidate) => closeBlock(candidate)),
  };
}

const MALFORMED: Failure = {
  code: "upstream_malformed",
  message: "The provider sent an event that is not JSON.",
};

function handle({ data }: SseEvent, state: StreamState): readonly StreamEvent[] {
  const wire = parseObject(data);
  if (wire === undefined) {
    return data.trim() === "[DONE]" ? [] : [{ type: "error", failure: MALFORMED }];
  }
  const body = camelKeys(wire);
  if (isObject(body["error"])) {
    return [{ type: "error", failure: failureOf({ status: 200, headers: {}, body }) }];
  }
  const usage = parseUsage(camelObject(body["usageMetadata"]));
  return [
    ...start(body, state),
    ...asObjects(body["candidates"]).flatMap((candidate) => pushCandidate(candidate, state)),
    ...(usage === undefined ? [] : [{ type: "usage", usage } as const]),
    ...blocked(body, state),
  ];
}

function start(body: JsonObject, state: StreamState): readonly StreamEvent[] {
  if (state.started) return [];
  state.started = true;
  state.responseId = asString(body["responseId"]) ?? "";
  const model = asString(body["modelVersion"]);
  const created = createdOf(body);
  return [
    {
      type: "response-start",
      ...(state.responseId !== "" && { id: state.responseId }),
      ...(model !== undefined && { model }),
      ...(created !== undefined && { created }),
    },
  ];
}

/** A refused prompt has no candidates; after content the block only ends the answer. */
function blocked(body: JsonObject, state: StreamState): readonly StreamEvent[] {
  const failure = blockedFailure(body);
  if (failure === undefined) return [];
  if (state.candidates.size === 0) return [{ type: "error", failure }];
  return [...state.candidates.values()].flatMap((candidate) => finish(candidate, "SAFETY"));
}

function pushCandidate(wire: JsonObject, state: StreamState): readonly StreamEvent[] {
  const body = camelKeys(wire);
  const candidate = candidateOf(asNumber(body["index"]) ?? 0, state);
  const parts = asObjects(camelObject(body["content"])["parts"]);
  const logprobs = parseLogprobs(body["logprobsResult"]);
  const said = parts.flatMap((part) => pushPart(part, candidate));
  return [
    ...withLogprobs(said, logprobs),
    ...citations(body, candidate),
    ...finish(candidate, body["finishReason"]),
  ];
}

/** They stand beside the parts of a chunk: its first text has them. */
function withLogprobs(
  events: readonly StreamEvent[],
  logprobs: readonly JsonObject[],
): readonly StreamEvent[] {
  const at = logprobs.length === 0 ? -1 : events.findIndex(({ type }) => type === "text-delta");
  const first = events[at];
  return first?.type === "text-delta" ? events.with(at, { ...first, logprobs }) : events;
}

function candidateOf(number: number, state: StreamState): StreamCandidate {
  const known = state.candidates.get(number);
  if (known !== undefined) return known;
  const candidate = newCandidate(number, state);
  state.candidates.set(number, candidate);
  return candidate;
}

/** Sources come with the last chunks, for the whole text. */
function citations(body: JsonObject, candidate: StreamCandidate): readonly StreamEvent[] {
  const { block } = candidate;
  if (block?.kind !== "text") return [];
  const { index, place } = block;
  return parseCitations(body).map((citation) => ({ type: "citation", citation, index, ...place }));
}

/** The reason can come before the last chunk, and again in it: the first one counts. */
function finish(candidate: StreamCandidate, value: unknown): readonly StreamEvent[] {
  const reason = parseFinishReason(value, candidate.hasCalls);
  if (reason === undefined || candidate.finished) return [];
  candidate.finished = true;
  return [...closeBlock(candidate), { type: "finish", reason, ...candidate.place }];
}
