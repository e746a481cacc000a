import type { ChatRequest } from "#canonical/chat-request.ts";
import { isObject, type JsonObject } from "#lib/json.ts";
import { renderSse, type SseEvent } from "#lib/sse.ts";

/**
 * How a stream is read while it passes through unchanged. Nearly all frames carry only text and are
 * forwarded unparsed; those with one of the marks are parsed, for usage, finish or an error.
 */
export interface NativeStream {
  /** Substrings, one of which stands in every frame that says more than content. */
  readonly marks: readonly string[];
  /** Which marked frames carry the final usage, into which the cost is written. */
  readonly usageIn: RegExp;
  /** The member that holds usage, and where it stands in the event. */
  readonly usagePath: readonly string[];
  /** What ends every such stream, for providers that finish an answer and close without it. */
  readonly end?: { is(event: SseEvent): boolean; readonly text: string };
  /** Frames that the gateway asked for and the client did not. */
  isUnasked?(data: JsonObject, request: ChatRequest): boolean;
  /** Fits the end of a failed stream, rendered as if nothing had been sent, to the last frame sent. */
  continueAfter?(failed: string, lastFrame: string): string;
}

/** A frame's text and what it says. */
export interface ReadFrame {
  readonly text: string;
  readonly event: SseEvent;
  readonly data: JsonObject;
}

/** Puts `cost` into the usage of a frame; the frame unchanged when it holds none. */
export function withCost(
  { text: frame, event, data }: ReadFrame,
  native: NativeStream,
  costUsd: number | null,
): string {
  let holder: unknown = data;
  for (const key of native.usagePath) holder = isObject(holder) ? holder[key] : undefined;
  if (!isObject(holder)) return frame;
  const key = native.usagePath.at(-1) ?? "usage";
  const last = [...frame.matchAll(new RegExp(`"${key}"\\s*:\\s*\\{`, "g"))].at(-1);
  if (last !== undefined && !("cost" in holder)) {
    return insertCost(frame, { at: last.index + last[0].length, usage: holder, costUsd });
  }
  holder["cost"] = costUsd;
  return renderSse(JSON.stringify(data), event.event);
}

/** Puts `cost` first into a usage object, by text: numbers and escapes stay as they were written. */
export function insertCost(
  text: string,
  to: { readonly at: number; readonly usage: JsonObject; readonly costUsd: number | null },
): string {
  const comma = Object.keys(to.usage).length > 0 ? "," : "";
  const cost = `"cost":${JSON.stringify(to.costUsd)}${comma}`;
  return text.slice(0, to.at) + cost + text.slice(to.at);
}
