import { EventStreamCodec } from "@smithy/eventstream-codec";

import type { SseEvent } from "#lib/sse.ts";

/** A message that passes this without ending is not a model's: memory stays bounded. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** Total length, header length and their checksum, and the checksum at the end. */
const MIN_MESSAGE_BYTES = 16;

const toText = (input: Uint8Array | string): string =>
  typeof input === "string" ? input : Buffer.from(input).toString("utf8");

const codec = new EventStreamCodec(toText, (text) => Buffer.from(text, "utf8"));

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
  const { headers, body } = codec.decode(message);
  const header = (name: string): string | undefined => {
    const value = headers[name]?.value;
    return typeof value === "string" ? value : undefined;
  };
  const data = Buffer.from(body).toString("utf8");
  const type = header(":message-type");
  if (type === "exception") {
    return { event: `exception:${header(":exception-type") ?? "unknown"}`, data };
  }
  if (type === "error") {
    const text = JSON.stringify({ message: header(":error-message") ?? "" });
    return { event: `exception:${header(":error-code") ?? "unknown"}`, data: text };
  }
  return { event: header(":event-type") ?? "", data };
}
