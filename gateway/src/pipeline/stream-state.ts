import type { FinishReason } from "#canonical/chat-response.ts";
import type { Failure } from "#canonical/failure.ts";
import { isContent, type StreamEvent } from "#canonical/stream-event.ts";
import type { Usage } from "#canonical/usage.ts";

/** What is known of a streamed answer so far. Lanes write it, the relay and the meter read it. */
export interface StreamState {
  /** Something that a user sees has come: from now on no other route can take over. */
  content: boolean;
  finish: FinishReason | undefined;
  usage: Usage | undefined;
  failure: Failure | undefined;
  upstreamId: string | undefined;
  /** About how many tokens of content have come, for when the provider's own count does not. */
  deliveredTokens: number;
}

export const newStreamState = (): StreamState => ({
  content: false,
  finish: undefined,
  usage: undefined,
  failure: undefined,
  upstreamId: undefined,
  deliveredTokens: 0,
});

/** Takes in one event. */
export function noteEvent(state: StreamState, event: StreamEvent): void {
  if (!state.content && isContent(event)) state.content = true;
  switch (event.type) {
    case "response-start":
      state.upstreamId = event.id ?? state.upstreamId;
      return;
    case "usage":
      state.usage = event.usage;
      return;
    case "finish":
      state.finish ??= event.reason;
      return;
    case "error":
      state.failure = event.failure;
      return;
    default:
  }
}

/** One direction of a stream: the provider's bytes in, the client's bytes out. Never throws on wire data. */
export interface StreamLane {
  readonly state: StreamState;
  /** Takes a read of the socket. Throws `RangeError` on bytes that are no such stream. */
  push(chunk: Buffer): string | Buffer | undefined;
  /** The provider closed after a finish: what ends the client's stream properly. */
  end(): string;
  /** The failure as the in-band end of what has been sent. Absent: as that of a stream just begun. */
  fail?(failure: Failure): string | undefined;
}
