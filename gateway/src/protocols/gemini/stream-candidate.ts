import type { Signature } from "#canonical/signature.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import { asObjects, asString, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import { addPartialArguments } from "./partial-arguments.ts";
import { parsePart, signatureOf } from "./parse-part.ts";
import type { CallIds } from "./parse-part.ts";
import { camelKeys, camelObject } from "./wire-case.ts";

type Place = { readonly candidate?: number };

interface OpenBlock {
  readonly kind: "text" | "reasoning" | "tool-call";
  readonly index: number;
  readonly place: Place;
  signature?: Signature;
  /** Of a call whose arguments arrive piece by piece. */
  readonly args: JsonObject;
}

/** One of the answers of a stream. */
export interface StreamCandidate {
  readonly place: Place;
  readonly ids: CallIds;
  readonly nextIndex: () => number;
  block: OpenBlock | undefined;
  hasCalls: boolean;
  finished: boolean;
}

export const newCandidate = (
  number: number,
  { ids, nextIndex }: Pick<StreamCandidate, "ids" | "nextIndex">,
): StreamCandidate => ({
  place: number === 0 ? {} : { candidate: number },
  ids,
  nextIndex,
  block: undefined,
  hasCalls: false,
  finished: false,
});

/** Adds one part of a chunk. */
export function pushPart(wire: JsonObject, candidate: StreamCandidate): readonly StreamEvent[] {
  const part = camelKeys(wire);
  if (typeof part["text"] === "string") return pushText(part, part["text"], candidate);
  if (isObject(part["functionCall"])) {
    return pushCall(part, camelKeys(part["functionCall"]), candidate);
  }
  return pushWhole(part, candidate);
}

function pushText(
  part: JsonObject,
  text: string,
  candidate: StreamCandidate,
): readonly StreamEvent[] {
  const kind = part["thought"] === true ? "reasoning" : "text";
  const signature = signatureOf(part);
  // Most streams end with an empty text that says nothing.
  if (text === "" && signature === undefined) return [];
  const events: StreamEvent[] = [];
  // A signature belongs to what came before it.
  if (candidate.block?.kind !== kind || candidate.block.signature !== undefined) {
    events.push(...closeBlock(candidate), ...openText(kind, candidate));
  }
  const { block } = candidate;
  if (block === undefined) return events;
  if (signature !== undefined) block.signature = signature;
  const { index, place } = block;
  if (text !== "") events.push({ type: `${kind}-delta`, text, index, ...place });
  return events;
}

function openText(kind: "text" | "reasoning", candidate: StreamCandidate): readonly StreamEvent[] {
  const { place } = candidate;
  const index = candidate.nextIndex();
  candidate.block = { kind, index, place, args: {} };
  if (kind === "text") return [{ type: "text-start", index, ...place }];
  return [{ type: "reasoning-start", summary: true, index, ...place }];
}

/** Ends the open block. */
export function closeBlock(candidate: StreamCandidate): readonly StreamEvent[] {
  const { block } = candidate;
  if (block === undefined) return [];
  candidate.block = undefined;
  const { kind, index, place, signature, args } = block;
  const end: StreamEvent = {
    type: `${kind}-end`,
    index,
    ...place,
    ...(signature !== undefined && { signature }),
  };
  if (kind !== "tool-call") return [end];
  return [{ type: "tool-call-delta", text: JSON.stringify(args), index, ...place }, end];
}

function pushCall(
  part: JsonObject,
  call: JsonObject,
  candidate: StreamCandidate,
): readonly StreamEvent[] {
  // Vertex streams arguments on request: the first piece has the name, the last no `willContinue`.
  const continues = candidate.block?.kind === "tool-call" && !asString(call["name"]);
  const signature = signatureOf(part);
  const opened = continues ? [] : openCall(call, signature, candidate);
  const { block } = candidate;
  if (block === undefined) return opened;
  if (signature !== undefined) block.signature = signature;
  Object.assign(block.args, wholeArguments(call));
  for (const piece of asObjects(call["partialArgs"])) addPartialArguments(block.args, piece);
  return call["willContinue"] === true ? opened : [...opened, ...closeBlock(candidate)];
}

const wholeArguments = (call: JsonObject): JsonObject =>
  isObject(call["args"]) ? call["args"] : {};

function openCall(
  call: JsonObject,
  signature: Signature | undefined,
  candidate: StreamCandidate,
): readonly StreamEvent[] {
  const { place } = candidate;
  const closed = closeBlock(candidate);
  const index = candidate.nextIndex();
  candidate.block = { kind: "tool-call", index, place, args: {} };
  candidate.hasCalls = true;
  const id = candidate.ids.ofCall(call);
  const name = asString(call["name"]) ?? "";
  const signed = signature !== undefined && { signature };
  return [
    ...closed,
    { type: "tool-call-start", id, name, kind: "function", index, ...place, ...signed },
  ];
}

/** Media and blocks of this protocol's own arrive whole. */
function pushWhole(part: JsonObject, candidate: StreamCandidate): readonly StreamEvent[] {
  if (Object.keys(camelObject(part)).length === 0) return [];
  const events: StreamEvent[] = [...closeBlock(candidate)];
  for (const parsed of parsePart(part, candidate.ids)) {
    events.push({ type: "part", part: parsed, index: candidate.nextIndex(), ...candidate.place });
  }
  return events;
}
