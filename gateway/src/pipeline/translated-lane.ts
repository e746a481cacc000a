import { estimateTokens } from "#canonical/estimate-tokens.ts";
import type { Failure } from "#canonical/failure.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import { parseSseFrame, SseFramer, type SseEvent } from "#lib/sse.ts";
import type { StreamParser, StreamRenderer } from "#protocols/codec.ts";
import type { StreamGuard } from "#pipeline/guardrails/stream-guard.ts";
import { newStreamState, noteEvent, type StreamLane } from "#pipeline/stream-state.ts";

/** Cuts a provider's bytes into events: server-sent events, or AWS's binary frames. */
export interface EventFramer {
  push(chunk: Buffer): readonly SseEvent[];
  end(): readonly SseEvent[];
}

/** Server-sent events as events instead of frames. */
export function sseEventFramer(): EventFramer {
  const framer = new SseFramer();
  const events = (frames: readonly Buffer[]): readonly SseEvent[] => {
    const found: SseEvent[] = [];
    for (const frame of frames) {
      const event = parseSseFrame(frame.toString("utf8"));
      if (event !== undefined) found.push(event);
    }
    return found;
  };
  return {
    push: (chunk) => events(framer.push(chunk)),
    end: () => {
      const rest = framer.end();
      return rest === undefined ? [] : events([rest]);
    },
  };
}

interface TranslatedLaneOptions {
  readonly framer: EventFramer;
  readonly parser: StreamParser;
  readonly renderer: StreamRenderer;
  /** Looks at every event before the client gets it. */
  readonly guard?: StreamGuard | undefined;
}

/** The lane between protocols: wire events to canonical events to the client's wire events. */
export class TranslatedLane implements StreamLane {
  readonly state = newStreamState();
  readonly #options: TranslatedLaneOptions;

  constructor(options: TranslatedLaneOptions) {
    this.#options = options;
  }

  push(chunk: Buffer): string | undefined {
    let out = "";
    for (const event of this.#options.framer.push(chunk)) {
      out += this.#take(this.#options.parser.push(event));
    }
    this.state.complete ||= this.#options.parser.finished?.() === true;
    return out === "" ? undefined : out;
  }

  end(): string {
    let out = "";
    for (const event of this.#options.framer.end())
      out += this.#take(this.#options.parser.push(event));
    out += this.#take(this.#options.parser.end());
    return this.state.finish === undefined || this.state.failure !== undefined || this.#withholds()
      ? out
      : out + this.#options.renderer.end();
  }

  fail(failure: Failure): string {
    return this.#options.renderer.fail(failure);
  }

  /** All of it is rendered at once, by the guard. */
  #withholds(): boolean {
    return this.#options.guard?.release !== undefined;
  }

  /** Renders events; after an error nothing more: the relay ends the stream in the client's dialect. */
  #take(events: readonly StreamEvent[]): string {
    let out = "";
    for (const event of events) {
      if (this.state.failure !== undefined) return out;
      noteEvent(this.state, event);
      if (event.type === "error") return out;
      if (
        event.type === "text-delta" ||
        event.type === "reasoning-delta" ||
        event.type === "tool-call-delta"
      ) {
        this.state.deliveredTokens += estimateTokens(event.text);
      }
      out += this.#render(event);
    }
    return out;
  }

  #render(event: StreamEvent): string {
    const { guard, renderer } = this.#options;
    if (guard === undefined) return renderer.push(event);
    let out = "";
    for (const allowed of guard.push(event)) out += renderer.push(allowed);
    if (guard.failure !== undefined) this.state.failure = guard.failure;
    return out;
  }
}
