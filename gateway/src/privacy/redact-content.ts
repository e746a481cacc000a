import { findPersonalData, placeholderOf, redactText } from "#privacy/redact.ts";
import { mapJsonTexts } from "#privacy/guardrails/json-texts.ts";

/** Beyond this a text is not looked at, and so not kept either: what nobody checked is cut off. */
const MAX_TEXT = 256 * 1024;
const CUT = "[cut]";

/** A request or answer as it may be kept: JSON, a stream of events, or text. */
export function redactContent(text: string): string {
  const start = text.trimStart();
  if (/^(?:data:|event:|id:|:)/.test(start)) return redactStream(text);
  if (start.startsWith("[")) return redactArray(text);
  return isJson(start) ? mapJsonTexts(text, ({ value }) => bounded(value)) : bounded(text);
}

function bounded(text: string): string {
  return text.length <= MAX_TEXT ? redactText(text) : redactText(text.slice(0, MAX_TEXT)) + CUT;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Server-sent events: an address may be spread over many of them. */
function redactStream(text: string): string {
  const lines = text.split("\n");
  const places = new Map<number, number>();
  const documents: string[] = [];
  for (const [at, line] of lines.entries()) {
    const data = /^data: ?(\{.*)$/.exec(line)?.[1];
    if (data === undefined || !isJson(data)) continue;
    places.set(at, documents.length);
    documents.push(data);
  }
  const redacted = redactTogether(documents);
  const lineAt = (line: string, at: number): string => {
    const place = places.get(at);
    return place === undefined ? redactText(line) : `data: ${redacted[place] ?? ""}`;
  };
  return lines.map(lineAt).join("\n");
}

/** Gemini's streams without events. */
function redactArray(text: string): string {
  try {
    const items = JSON.parse(text) as readonly unknown[];
    return `[${redactTogether(items.map((item) => JSON.stringify(item))).join(",\n")}]`;
  } catch {
    return bounded(text);
  }
}

interface Piece {
  readonly document: number;
  readonly start: number;
  readonly value: string;
}

/** Texts of the same place in one document after the other are one text in pieces. */
function redactTogether(documents: readonly string[]): readonly string[] {
  const texts = new Map<string, Piece[]>();
  for (const [document, json] of documents.entries()) {
    mapJsonTexts(json, ({ path, value, kind }) => {
      const name = `${kind} ${path}`;
      const pieces = texts.get(name) ?? [];
      const last = pieces.at(-1);
      const start = last === undefined ? 0 : last.start + last.value.length;
      if (start + value.length <= MAX_TEXT) pieces.push({ document, start, value });
      else pieces.push({ document, start: MAX_TEXT, value: "" });
      texts.set(name, pieces);
      return value;
    });
  }
  const redacted = new Map<string, string[]>();
  for (const [name, pieces] of texts) redacted.set(name, redactPieces(pieces));
  const turns = new Map<string, number>();
  return documents.map((json) =>
    mapJsonTexts(json, ({ path, value, kind }) => {
      const name = `${kind} ${path}`;
      const turn = turns.get(name) ?? 0;
      turns.set(name, turn + 1);
      return redacted.get(name)?.[turn] ?? value;
    }),
  );
}

/** Each piece with its part of what is found in all together: the placeholder stands in the first. */
function redactPieces(pieces: readonly Piece[]): string[] {
  const text = pieces.map(({ value }) => value).join("");
  const matches = findPersonalData(text);
  return pieces.map(({ start, value }) => {
    const end = start + value.length;
    let out = "";
    let at = start;
    for (const match of matches) {
      if (match.end <= start || match.start >= end) continue;
      out += text.slice(at, Math.max(at, match.start));
      if (match.start >= start) out += placeholderOf(match);
      at = Math.min(end, match.end);
    }
    return out + text.slice(at, end);
  });
}
