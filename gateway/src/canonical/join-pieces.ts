import type { Part, ReasoningPart, TextPart } from "#canonical/message.ts";

/**
 * Joins texts, and thoughts, that a provider or client cut into pieces (Gemini streams do, and its
 * SDKs send them back so). A signature belongs to all that stands before it and ends the piece.
 */
export function joinPieces(parts: readonly Part[]): Part[] {
  const result: Part[] = [];
  for (const part of parts) {
    const last = result.at(-1);
    if (last === undefined || !isPiece(part) || !continues(last, part)) result.push(part);
    else result[result.length - 1] = { ...part, text: last.text + part.text };
  }
  return result;
}

const isPiece = (part: Part): part is TextPart | ReasoningPart =>
  part.type === "text" || part.type === "reasoning";

const continues = (last: Part, part: TextPart | ReasoningPart): last is TextPart | ReasoningPart =>
  isPiece(last) && last.type === part.type && last.signature === undefined;
