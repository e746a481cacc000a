import type { StreamEvent } from "#canonical/stream-event.ts";

/** What the parts of the stream parser write to. */
export interface StreamSink {
  readonly emit: (event: StreamEvent) => void;
  /** The next free block index of the stream. */
  readonly nextIndex: () => number;
  readonly responseId: () => string;
  /** Index and candidate of a block, as events carry them. */
  readonly block: (index: number) => { readonly index: number; readonly candidate?: number };
}
