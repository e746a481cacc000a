import { SseFramer, parseSseFrame } from "#lib/sse.ts";
import type { SseEvent } from "#lib/sse.ts";
import type { StreamParser } from "#protocols/codec.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";

/** Streams up to this size are cut at every byte; larger ones at a fixed sample of positions. */
const EVERY_BYTE_UP_TO = 20_000;
const EDGE_BYTES = 4_096;
const SAMPLES = 500;

/** The server-sent events of a body that arrives in these reads, as the upstream loop sees them. */
export function sseEvents(chunks: readonly Uint8Array[]): SseEvent[] {
  const framer = new SseFramer();
  const frames = chunks.flatMap((chunk) => framer.push(chunk));
  const rest = framer.end();
  if (rest !== undefined) frames.push(rest);
  return frames.flatMap((frame) => parseSseFrame(frame.toString("utf8")) ?? []);
}

/** Runs a parser over a whole body: all its canonical events. */
export function parseStream(chunks: readonly Uint8Array[], parser: StreamParser): StreamEvent[] {
  return [...sseEvents(chunks).flatMap((event) => parser.push(event)), ...parser.end()];
}

/** Where to cut a body of this size in two; the same positions on every run. */
export function splitPositions(size: number): number[] {
  const every = size <= EVERY_BYTE_UP_TO;
  const step = every ? 1 : Math.max(1, Math.floor((size - 2 * EDGE_BYTES) / SAMPLES));
  const positions: number[] = [];
  for (let at = 1; at < size;) {
    positions.push(at);
    const inside = !every && at >= EDGE_BYTES && at < size - EDGE_BYTES;
    at += inside ? Math.min(step, size - EDGE_BYTES - at) : 1;
  }
  return positions;
}

/**
 * Parses the bytes whole and once more for each way to cut them in two; throws at the first cut that
 * changes what `parse` gives. Returns the result of the whole. For any framing; `everySplitSse` is
 * the fast one for server-sent events.
 */
export function everySplit<Result>(
  bytes: Buffer,
  parse: (chunks: readonly Buffer[]) => Result,
): Result {
  const whole = parse([bytes]);
  const expected = JSON.stringify(whole);
  for (const at of splitPositions(bytes.length)) {
    if (JSON.stringify(parse([bytes.subarray(0, at), bytes.subarray(at)])) !== expected) {
      throw new Error(`other result when the stream is cut after byte ${at} of ${bytes.length}`);
    }
  }
  return whole;
}

/**
 * As `everySplit`, for a stream of server-sent events. Frames are the stream's own bytes in order, so
 * a cut that leaves their lengths as they are leaves the parser's input as it is: the parser itself
 * runs again only at a sample of cuts.
 */
export function everySplitSse(bytes: Buffer, createParser: () => StreamParser): StreamEvent[] {
  const whole = parseStream([bytes], createParser());
  const lengths = frameLengths([bytes]);
  const positions = splitPositions(bytes.length);
  const sampleStep = Math.ceil(positions.length / 50);
  const expected = JSON.stringify(whole);
  for (const [count, at] of positions.entries()) {
    const chunks = [bytes.subarray(0, at), bytes.subarray(at)];
    const sameFrames = frameLengths(chunks) === lengths;
    if (sameFrames && count % sampleStep !== 0) continue;
    if (JSON.stringify(parseStream(chunks, createParser())) !== expected) {
      throw new Error(`other events when the stream is cut after byte ${at} of ${bytes.length}`);
    }
  }
  return whole;
}

function frameLengths(chunks: readonly Buffer[]): string {
  const framer = new SseFramer();
  const lengths = chunks.flatMap((chunk) => framer.push(chunk).map((frame) => frame.length));
  return `${lengths.join(" ")} ${framer.end()?.length ?? 0}`;
}
