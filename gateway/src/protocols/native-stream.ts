import type { ChatRequest } from "#canonical/chat-request.ts";
import { isObject, parseObject, type JsonObject } from "#lib/json.ts";
import { parseSseFrame, renderSse } from "#lib/sse.ts";

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
  /** Frames that the gateway asked for and the client did not. */
  isUnasked?(data: JsonObject, request: ChatRequest): boolean;
  /** Fits the end of a failed stream, rendered as if nothing had been sent, to the last frame sent. */
  continueAfter?(failed: string, lastFrame: string): string;
}

/** Puts `cost` into the usage of a frame; the frame unchanged when it holds none. */
export function withCost(frame: string, native: NativeStream, costUsd: number | null): string {
  const event = parseSseFrame(frame);
  const data = event && parseObject(event.data);
  if (event === undefined || data === undefined) return frame;
  let holder: unknown = data;
  for (const key of native.usagePath) holder = isObject(holder) ? holder[key] : undefined;
  if (!isObject(holder)) return frame;
  // In place and by text where there is no cost yet: numbers and escapes stay as they were written.
  if (!("cost" in holder)) {
    const key = native.usagePath.at(-1) ?? "usage";
    const at = new RegExp(`"${key}"\\s*:\\s*\\{`, "g");
    const last = [...frame.matchAll(at)].at(-1);
    if (last !== undefined) {
      const cut = last.index + last[0].length;
      const comma = Object.keys(holder).length > 0 ? "," : "";
      return `${frame.slice(0, cut)}"cost":${JSON.stringify(costUsd)}${comma}${frame.slice(cut)}`;
    }
  }
  holder["cost"] = costUsd;
  return renderSse(JSON.stringify(data), event.event);
}
