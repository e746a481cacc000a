import { crc32 } from "node:zlib";

import type { SseEvent } from "#lib/sse.ts";

/** A message that passes this without ending is not a model's: memory stays bounded. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** Total length, header length and their checksum, and the checksum at the end. */
const MIN_MESSAGE_BYTES = 16;
const PRELUDE_BYTES = 12;

/**
 * Cuts an AWS event stream (application/vnd.amazon.eventstream) into its messages, however the reads
 * split it. A message becomes an event named by its `:event-type`; exceptions are named
 * `exception:<type>`, so that one parser reads both.
 */
export class AwsEventFramer {
  #rest: Buffer = Buffer.alloc(0);

  /** Whole messages that the chunk completes. Throws on an impossible length or a wrong checksum. */
  push(chunk: Uint8Array): SseEvent[] {
    const part = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let rest = this.#rest.length === 0 ? part : Buffer.concat([this.#rest, part]);
    const events: SseEvent[] = [];
    for (let length = nextLength(rest); length !== undefined; length = nextLength(rest)) {
      events.push(decode(rest.subarray(0, length)));
      rest = rest.subarray(length);
    }
    this.#rest = rest;
    return events;
  }

  /** A message that the end of the stream cut off is dropped: the missing `messageStop` tells. */
  end(): SseEvent[] {
    this.#rest = Buffer.alloc(0);
    return [];
  }
}

/** Length of the first message if all of it is here. */
function nextLength(bytes: Buffer): number | undefined {
  if (bytes.length < 4) return undefined;
  const length = bytes.readUInt32BE(0);
  if (length < MIN_MESSAGE_BYTES || length > MAX_MESSAGE_BYTES) {
    throw new RangeError(`event stream message of ${length} bytes`);
  }
  return bytes.length < length ? undefined : length;
}

function decode(message: Buffer): SseEvent {
  const headerEnd = PRELUDE_BYTES + message.readUInt32BE(4);
  const bodyEnd = message.length - 4;
  if (headerEnd > bodyEnd) throw new RangeError("event stream headers longer than their message");
  checkSum(message, 8);
  checkSum(message, bodyEnd);
  const headers = readHeaders(message.subarray(PRELUDE_BYTES, headerEnd));
  const data = message.toString("utf8", headerEnd, bodyEnd);
  switch (headers.get(":message-type") ?? "event") {
    case "exception":
      return { event: `exception:${headers.get(":exception-type") ?? "unknown"}`, data };
    case "error": {
      const text = JSON.stringify({ message: headers.get(":error-message") ?? "" });
      return { event: `exception:${headers.get(":error-code") ?? "unknown"}`, data: text };
    }
    default:
      return { event: headers.get(":event-type") ?? "", data };
  }
}

/** Each checksum covers everything before it. */
function checkSum(message: Buffer, at: number): void {
  if (crc32(message.subarray(0, at)) !== message.readUInt32BE(at)) {
    throw new RangeError("event stream message with a wrong checksum");
  }
}

const STRING = 7;
const BYTES = 6;
/** Sizes of the other header types, by their number: true, false, byte, short, int, long, -, -, timestamp, uuid. */
const FIXED_SIZES = [0, 0, 1, 2, 4, 8, undefined, undefined, 8, 16];

/** The headers that are text; the others are passed over. */
function readHeaders(bytes: Buffer): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  let at = 0;
  while (at < bytes.length) {
    const nameEnd = at + 1 + bytes.readUInt8(at);
    const name = bytes.toString("utf8", at + 1, nameEnd);
    const type = bytes.readUInt8(nameEnd);
    at = nameEnd + 1;
    if (type === STRING || type === BYTES) {
      const end = at + 2 + bytes.readUInt16BE(at);
      if (type === STRING) headers.set(name, bytes.toString("utf8", at + 2, end));
      at = end;
    } else {
      const size = FIXED_SIZES[type];
      if (size === undefined) throw new RangeError(`event stream header of type ${type}`);
      at += size;
    }
  }
  return headers;
}
