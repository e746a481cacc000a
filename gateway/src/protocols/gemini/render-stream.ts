import type { FinishReason } from "#canonical/chat-response.ts";
import type { Citation } from "#canonical/message.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import type { Usage } from "#canonical/usage.ts";
import { compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import { renderSse } from "#lib/sse.ts";
import type { AnswerContext, StreamRenderer } from "#protocols/codec.ts";
import { renderGrounding } from "./citations.ts";
import { renderFinishReason } from "./finish-reason.ts";
import { renderAnswerPart, thoughtSignature } from "./render-answer-part.ts";
import { renderError } from "./render-error.ts";
import { renderLogprobs } from "./logprobs.ts";
import { renderUsage } from "./render-usage.ts";

type CallStart = Extract<StreamEvent, { type: "tool-call-start" }>;
type BlockEvent = Extract<StreamEvent, { index: number }>;

interface OpenCall {
  readonly start: CallStart;
  readonly input: string[];
}

interface StreamState {
  readonly context: AnswerContext;
  /** Calls are said whole: by index, until their end. */
  readonly calls: Map<number, OpenCall>;
  readonly finishes: Map<number, FinishReason>;
  readonly citations: Map<number, Citation[]>;
  usage: Usage | undefined;
}

/** Writes `streamGenerateContent?alt=sse`: an event a chunk, and no terminator. */
export const createStreamRenderer = (context: AnswerContext): StreamRenderer =>
  createRenderer(context, { chunk: (body) => renderSse(JSON.stringify(body)), close: () => "" });

/** Writes `streamGenerateContent` without `alt=sse`: one JSON array of the same chunks. */
export function createArrayStreamRenderer(context: AnswerContext): StreamRenderer {
  let separator = "[";
  return createRenderer(context, {
    chunk(body) {
      const text = `${separator}${JSON.stringify(body)}`;
      separator = ",\r\n";
      return text;
    },
    close: () => (separator === "[" ? "[]" : "]"),
  });
}

interface Framing {
  chunk(body: JsonObject): string;
  /** What ends the body. */
  close(): string;
}

function createRenderer(context: AnswerContext, framing: Framing): StreamRenderer {
  const state: StreamState = {
    context,
    calls: new Map(),
    finishes: new Map(),
    citations: new Map(),
    usage: undefined,
  };
  const fail: StreamRenderer["fail"] = (failure) =>
    framing.chunk(renderError(failure, context.requestId)) + framing.close();
  return {
    push(event) {
      if (event.type === "error") return fail(event.failure);
      const part = pushEvent(event, state);
      if (part === undefined) return "";
      return framing.chunk(partChunk(part, event as BlockEvent, context));
    },
    end: () => framing.chunk(lastChunk(state)) + framing.close(),
    fail,
  };
}

function partChunk(part: JsonObject, event: BlockEvent, context: AnswerContext): JsonObject {
  return {
    candidates: [
      compact({
        content: { parts: [part], role: "model" },
        index: event.candidate ?? 0,
        logprobsResult:
          event.type === "text-delta" ? renderLogprobs(event.logprobs ?? []) : undefined,
      }),
    ],
    modelVersion: context.model,
    responseId: context.requestId,
  };
}

type Handlers = {
  readonly [Type in StreamEvent["type"]]: (
    event: Extract<StreamEvent, { type: Type }>,
    state: StreamState,
  ) => JsonObject | undefined;
};

const nothing = (): undefined => undefined;

const HANDLERS: Handlers = {
  "response-start": nothing,
  error: nothing,
  usage({ usage }, state) {
    state.usage = usage;
    return undefined;
  },
  finish({ candidate = 0, reason }, { finishes }) {
    finishes.set(candidate, reason);
    return undefined;
  },
  citation({ candidate = 0, citation }, { citations }) {
    citations.set(candidate, [...(citations.get(candidate) ?? []), citation]);
    return undefined;
  },
  "tool-call-start": pushCall,
  "tool-call-delta": pushCall,
  "tool-call-end": pushCall,
  "text-start": nothing,
  "text-delta": textPart,
  "text-end": textPart,
  "refusal-start": nothing,
  "refusal-delta": textPart,
  "refusal-end": textPart,
  "reasoning-start": nothing,
  "reasoning-delta": textPart,
  "reasoning-end": textPart,
  part: ({ part }, { context }) => renderAnswerPart(part, context),
};

/** The part that an event brings, if it is one; the others only change the state. */
function pushEvent(event: StreamEvent, state: StreamState): JsonObject | undefined {
  const handle = HANDLERS[event.type] as (
    event: StreamEvent,
    state: StreamState,
  ) => JsonObject | undefined;
  return handle(event, state);
}

type TextEvent = Extract<StreamEvent, { type: `${"text" | "refusal" | "reasoning"}-${string}` }>;

/** A text's piece, or at its end an empty text with the signature. */
function textPart(event: TextEvent): JsonObject | undefined {
  const thought = event.type.startsWith("reasoning") ? true : undefined;
  if ("text" in event)
    return event.text === "" ? undefined : compact({ text: event.text, thought });
  if (!("signature" in event) || event.signature === undefined) return undefined;
  return compact({ text: "", thought, thoughtSignature: thoughtSignature(event.signature) });
}

type CallEvent = Extract<StreamEvent, { type: `tool-call-${string}` }>;

function pushCall(event: CallEvent, { calls, context }: StreamState): JsonObject | undefined {
  if (event.type === "tool-call-start") {
    calls.set(event.index, { start: event, input: [] });
    return undefined;
  }
  const call = calls.get(event.index);
  if (call === undefined) return undefined;
  if (event.type === "tool-call-delta") {
    call.input.push(event.text);
    return undefined;
  }
  calls.delete(event.index);
  const { id, name, namespace, kind } = call.start;
  const named = { id, name, kind, ...(namespace !== undefined && { namespace }) };
  const { signature } = event;
  const signed = signature === undefined ? {} : { signature };
  const part = { type: "tool-call", ...named, input: call.input.join(""), ...signed } as const;
  return renderAnswerPart(part, context);
}

/** The chunk with every candidate's reason to finish, its sources, and the usage with its cost. */
function lastChunk({ finishes, citations, usage, context }: StreamState): JsonObject {
  const reasons = finishes.size === 0 ? new Map([[0, "other" as const]]) : finishes;
  const candidates = [...reasons].map(([index, reason]) =>
    compact({
      content: { parts: [{ text: "" }], role: "model" },
      finishReason: renderFinishReason(reason),
      index,
      groundingMetadata: renderGrounding(citations.get(index) ?? []),
    }),
  );
  return compact({
    candidates,
    usageMetadata: usage === undefined ? undefined : renderUsage(usage, context.costUsd(usage)),
    modelVersion: context.model,
    responseId: context.requestId,
  });
}
