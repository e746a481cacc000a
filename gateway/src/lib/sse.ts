/** One server-sent event. `data` joins several `data:` lines by newline, as the HTML standard says. */
export interface SseEvent {
  readonly event?: string;
  readonly data: string;
}

const LF = 10;
const CR = 13;

/** An event that passes this without ending is not a model's: memory stays bounded. */
const MAX_EVENT_BYTES = 16 * 1024 * 1024;

/**
 * Cuts a byte stream at the blank lines between server-sent events. Works on bytes, so that a
 * character or a line ending split between two reads is no special case. Each frame keeps its own
 * trailing blank line: concatenated frames are the stream, byte for byte.
 */
export class SseFramer {
  /** The beginning of a frame, read by read: joined once, or a long event would be copied at each. */
  readonly #rest: Buffer[] = [];
  #restLength = 0;

  /** Whole frames that the chunk completes. Throws `RangeError` on an event over 16 MiB. */
  push(chunk: Uint8Array): Buffer[] {
    const part = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (this.#restLength > 0 && !this.#endsWith(part)) {
      this.#keep(part);
      return [];
    }
    const bytes = this.#restLength === 0 ? part : Buffer.concat([...this.#rest, part]);
    // A blank line may straddle the reads: look again at the last three bytes of what was left.
    let from = Math.max(0, this.#restLength - 3);
    const frames: Buffer[] = [];
    let start = 0;
    for (;;) {
      const end = endOfFrame(bytes, from);
      if (end === -1) break;
      frames.push(bytes.subarray(start, end));
      start = end;
      from = end;
    }
    this.#forget();
    if (start < bytes.length) this.#keep(bytes.subarray(start));
    return frames;
  }

  /** What came after the last blank line: some providers do not end their last event. */
  end(): Buffer | undefined {
    const rest = this.#restLength === 0 ? undefined : Buffer.concat(this.#rest);
    this.#forget();
    return rest;
  }

  /** Whether a read ends the frame whose beginning is kept. */
  #endsWith(part: Buffer): boolean {
    const last = this.#rest.slice(-3).map((piece) => piece.subarray(-3));
    return endOfFrame(Buffer.concat([...last, part]), 0) !== -1;
  }

  #keep(part: Buffer): void {
    this.#rest.push(part);
    this.#restLength += part.length;
    if (this.#restLength > MAX_EVENT_BYTES) throw new RangeError("server-sent event over 16 MiB");
  }

  #forget(): void {
    this.#rest.length = 0;
    this.#restLength = 0;
  }
}

/** Index after the next blank line (LF LF, CRLF CRLF or CR CR), or -1. */
function endOfFrame(bytes: Buffer, from: number): number {
  let at = bytes.indexOf(LF, from);
  while (at !== -1) {
    const next = bytes[at + 1];
    if (next === LF) return at + 2;
    if (next === CR && bytes[at + 2] === LF) return at + 3;
    at = bytes.indexOf(LF, at + 1);
  }
  return -1;
}

/** Reads a frame's fields; `undefined` for frames of comments or blank lines only. */
export function parseSseFrame(text: string): SseEvent | undefined {
  // Nearly all frames are one `data:` line: no split, no array.
  if (text.startsWith("data:")) {
    const end = text.indexOf("\n");
    const lineEnd = end === -1 ? text.length : end;
    if (end === -1 || isBlank(text, end)) return { data: fieldValue(text, 5, lineEnd) };
  }
  let event: string | undefined;
  let data: string | undefined;
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (line.startsWith("data:")) {
      const value = fieldValue(line, 5, line.length);
      data = data === undefined ? value : `${data}\n${value}`;
    } else if (line.startsWith("event:")) event = fieldValue(line, 6, line.length);
  }
  if (data === undefined) return undefined;
  return event === undefined ? { data } : { event, data };
}

function isBlank(text: string, from: number): boolean {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code !== LF && code !== CR) return false;
  }
  return true;
}

function fieldValue(text: string, from: number, to: number): string {
  const start = text.charCodeAt(from) === 32 ? from + 1 : from;
  const end = text.charCodeAt(to - 1) === CR ? to - 1 : to;
  return text.slice(start, end);
}

/** A whole event as text. `data` must not hold a raw newline (JSON never does). */
export const renderSse = (data: string, event?: string): string =>
  event === undefined ? `data: ${data}\n\n` : `event: ${event}\ndata: ${data}\n\n`;
