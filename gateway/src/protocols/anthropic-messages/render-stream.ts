import type { FinishReason } from "#canonical/chat-response.ts";
import type { Failure } from "#canonical/failure.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import type { Usage } from "#canonical/usage.ts";
import type { JsonObject } from "#lib/json.ts";
import { renderSse } from "#lib/sse.ts";
import type { AnswerContext, StreamRenderer } from "#protocols/codec.ts";
import { renderStopReason } from "./finish-reason.ts";
import { renderError } from "./render-error.ts";
import { messageId } from "./render-response.ts";
import { NO_USAGE, renderUsage } from "./render-usage.ts";
import { createBlockWriter } from "./render-stream-block.ts";
import type { BlockEvent, BlockWriter } from "./render-stream-block.ts";

interface StreamState {
  readonly context: AnswerContext;
  readonly blocks: Map<number, BlockWriter>;
  /** The block whose events go out at once; those of others wait, for blocks must not overlap. */
  current: number | undefined;
  /** Indexes of blocks that wait, in the order of their starts, with their events. */
  readonly waiting: Map<number, BlockEvent[]>;
  nextWireIndex: number;
  started: boolean;
  id: string | undefined;
  usage: Usage | undefined;
  finish: { readonly reason: FinishReason; readonly stopSequence?: string } | undefined;
  lostCandidates: boolean;
}

export function createStreamRenderer(context: AnswerContext): StreamRenderer {
  const state: StreamState = {
    context,
    blocks: new Map(),
    current: undefined,
    waiting: new Map(),
    nextWireIndex: 0,
    started: false,
    id: undefined,
    usage: undefined,
    finish: undefined,
    lostCandidates: false,
  };
  return {
    push: (event) => push(event, state),
    end: () => end(state),
    fail: (failure) => fail(failure, context.requestId),
  };
}

const sse = (type: string, members: JsonObject): string =>
  renderSse(JSON.stringify({ type, ...members }), type);

function push(event: StreamEvent, state: StreamState): string {
  if (event.type === "error") return fail(event.failure, state.context.requestId);
  if ("index" in event) return pushBlockEvent(event, state);
  // Written with the first block: the usage of the prompt, which belongs there, comes between.
  if (event.type === "response-start") state.id = event.id;
  if (event.type === "usage") state.usage = event.usage;
  if (event.type === "finish" && (event.candidate ?? 0) === 0) state.finish = event;
  return "";
}

const fail = (failure: Failure, requestId: string): string =>
  renderSse(JSON.stringify(renderError(failure, requestId)), "error");

function pushBlockEvent(event: BlockEvent, state: StreamState): string {
  if ((event.candidate ?? 0) > 0) {
    if (!state.lostCandidates) {
      state.context.reportLoss("candidates", "only the first answer can be said");
    }
    state.lostCandidates = true;
    return "";
  }
  return start(state) + writeOrWait(event, state);
}

/** `message_start`, once. Its output count is a placeholder: the last event has the real one. */
function start(state: StreamState): string {
  if (state.started) return "";
  state.started = true;
  const { context, usage } = state;
  const { cost: _, ...known } = usage === undefined ? NO_USAGE : renderUsage(usage, null);
  const message = {
    id: messageId(state.id, context),
    type: "message",
    role: "assistant",
    model: context.model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: known,
  };
  return sse("message_start", { message });
}

function writeOrWait(event: BlockEvent, state: StreamState): string {
  if (state.current === undefined) state.current = event.index;
  if (state.current === event.index) return write(event, state);
  // A text can be said in two blocks: calls and thoughts that come between need not wait for its end.
  const before = state.blocks.get(state.current)?.interrupt();
  if (before !== undefined) {
    state.current = event.index;
    return before + write(event, state);
  }
  const events = state.waiting.get(event.index) ?? [];
  events.push(event);
  state.waiting.set(event.index, events);
  return "";
}

/** Writes an event of the current block, and with its end whatever waited for that. */
function write(event: BlockEvent, state: StreamState): string {
  const written = writerOf(event.index, state).push(event);
  if (event.type !== "part" && !event.type.endsWith("-end")) return written;
  state.blocks.delete(event.index);
  state.current = undefined;
  return written + release(state);
}

function release(state: StreamState): string {
  const [next] = state.waiting;
  if (next === undefined) return "";
  const [index, events] = next;
  state.waiting.delete(index);
  return events.map((event) => writeOrWait(event, state)).join("");
}

function writerOf(index: number, state: StreamState): BlockWriter {
  const known = state.blocks.get(index);
  if (known !== undefined) return known;
  const writer = createBlockWriter(state.context, () => state.nextWireIndex++);
  state.blocks.set(index, writer);
  return writer;
}

function end(state: StreamState): string {
  const { context, usage, finish } = state;
  const delta = {
    stop_reason: renderStopReason(finish?.reason ?? "other"),
    stop_sequence: finish?.stopSequence ?? null,
  };
  const known = usage === undefined ? NO_USAGE : renderUsage(usage, context.costUsd(usage));
  return (
    start(state) +
    closeAll(state) +
    sse("message_delta", { delta, usage: known }) +
    sse("message_stop", {})
  );
}

/** Blocks that the provider left open: a message must not stop inside one. */
function closeAll(state: StreamState): string {
  let written = "";
  while (state.current !== undefined) {
    written += state.blocks.get(state.current)?.close() ?? "";
    state.current = undefined;
    written += release(state);
  }
  return written;
}
