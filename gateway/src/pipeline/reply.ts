import { failureKind, type Failure } from "#canonical/failure.ts";
import { answerHeaders, baseHeaders, overheadMs } from "#pipeline/answer-headers.ts";
import type { Answer, Call, ParsedCall, StreamAnswer, WholeAnswer } from "#pipeline/call.ts";
import { guardEnd, guardWhole } from "#pipeline/guardrails/guard-answer.ts";
import { isCodex } from "#pipeline/client-kind.ts";
import { meterStream } from "#pipeline/meter-stream.ts";
import { collectFor, settleAnswer, settleFailure, settleStream } from "#pipeline/settle.ts";

/** The way back to one client. Exactly one of `send` and `fail` is called. */
export interface Reply {
  send(answer: Answer): Promise<void>;
  fail(failure: Failure): Promise<void>;
}

const HEARTBEAT = ": keepalive\n\n";

/**
 * Opens the way back. A stream that waits long gets its 200 and comments meanwhile: they are no
 * content, so another route may still answer; only the HTTP status of a failure is lost to it.
 */
export function beginAnswer(call: Call, parsed: ParsedCall): Reply {
  const { sink, streamFormat } = call.exchange;
  let begun = false;
  const beat = (): void => {
    if (!begun) sink.startStream(baseHeaders(call));
    begun = true;
    sink.write(HEARTBEAT);
  };
  // A JSON array (Gemini without `alt=sse`) has no place for comments.
  const timer =
    parsed.stream && streamFormat === undefined
      ? setInterval(beat, call.gateway.timeouts().heartbeatMs)
      : undefined;

  const sendStream = async (answer: StreamAnswer): Promise<void> => {
    if (!begun) sink.startStream(answerHeaders(call, answer), streamFormat);
    begun = true;
    call.overheadToContentMs = overheadMs(call);
    meterStream(call, answer);
    const end = await guardEnd(answer, await answer.relay.relay(sink));
    clearInterval(timer);
    await settleStream(call, answer, end);
    if (end.stalled === true) return;
    for (const piece of end.tail) sink.write(piece);
    if (end.failure !== undefined) {
      const text = answer.relay.failureText(end.failure);
      sink.write(text ?? parsed.renderStreamFailure(end.failure));
    }
    sink.end();
  };

  const sendWhole = async (answer: WholeAnswer): Promise<void> => {
    const guarded = await guardWhole(call, answer);
    if ("code" in guarded) return settleFailure(call, guarded, { answer });
    const unpaid = await collectFor(call, guarded);
    if (unpaid !== undefined) return settleFailure(call, unpaid, { answer: guarded });
    const cost = await settleAnswer(call, guarded);
    return sink.json(200, answerHeaders(call, guarded, cost), guarded.body);
  };

  return {
    send: async (answer) => {
      // What is withheld until it was checked looks to its client like a stream that waits.
      if (answer.kind === "whole" || answer.release === undefined) clearInterval(timer);
      await (answer.kind === "stream" ? sendStream(answer) : sendWhole(answer));
    },
    fail: async (failure) => {
      clearInterval(timer);
      if (!begun && !staysUnread(call, parsed, failure)) return settleFailure(call, failure);
      await settleFailure(call, failure, { send: false });
      if (!begun) sink.startStream(baseHeaders(call));
      sink.write(parsed.renderStreamFailure(failure));
      return sink.end();
    },
  };
}

/**
 * Codex repeats a 402 six times, and shows words of its own at a 429: only as the end of a stream does
 * it show ours, and stop (its 0.107 to 0.112, seen 2026-11).
 */
const staysUnread = (call: Call, { stream }: ParsedCall, failure: Failure): boolean =>
  stream &&
  failureKind(failure).status === 402 &&
  failure.retryAfterMs === undefined &&
  call.exchange.protocol === "openai-responses" &&
  isCodex(call.exchange.headers);
