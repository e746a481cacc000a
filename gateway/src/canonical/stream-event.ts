import type { FinishReason } from "#canonical/chat-response.ts";
import type { Failure } from "#canonical/failure.ts";
import type { JsonObject } from "#lib/json.ts";
import type { Citation, Part } from "#canonical/message.ts";
import type { Signature } from "#canonical/signature.ts";
import type { Usage } from "#canonical/usage.ts";

/** A block of the answer; `index` counts up over all blocks of the stream and never comes back. */
interface Block {
  readonly index: number;
  /** Which answer it belongs to when the client asked for several; absent = 0. */
  readonly candidate?: number;
}

/**
 * What happens in a streamed answer. Every block is `*-start`, `*-delta`*, `*-end`; blocks of
 * different kinds may overlap (parallel tool calls), a block's own events are in order. Several
 * `usage` events may come: each replaces the one before. `finish` comes once a candidate; a stream
 * that ends without it was cut. Whatever arrives whole is one `part`.
 */
export type StreamEvent =
  | {
      readonly type: "response-start";
      readonly id?: string;
      readonly model?: string;
      readonly created?: number;
    }
  | ({ readonly type: "text-start" } & Block)
  | ({
      readonly type: "text-delta";
      readonly text: string;
      readonly logprobs?: readonly JsonObject[];
    } & Block)
  | ({ readonly type: "citation"; readonly citation: Citation } & Block)
  | ({ readonly type: "text-end"; readonly signature?: Signature } & Block)
  | ({ readonly type: "refusal-start" } & Block)
  | ({ readonly type: "refusal-delta"; readonly text: string } & Block)
  | ({ readonly type: "refusal-end" } & Block)
  | ({ readonly type: "reasoning-start"; readonly summary?: boolean } & Block)
  | ({ readonly type: "reasoning-delta"; readonly text: string } & Block)
  /** The signature comes last, also where the wire sends it earlier (OpenAI repeats it: the last counts). */
  | ({ readonly type: "reasoning-end"; readonly signature?: Signature } & Block)
  | ({
      readonly type: "tool-call-start";
      readonly id: string;
      readonly name: string;
      readonly namespace?: string;
      readonly kind: "function" | "custom";
      /** Where it is known before the end, which repeats it (Gemini's calls arrive whole). */
      readonly signature?: Signature;
    } & Block)
  | ({ readonly type: "tool-call-delta"; readonly text: string } & Block)
  | ({ readonly type: "tool-call-end"; readonly signature?: Signature } & Block)
  | ({ readonly type: "part"; readonly part: Part } & Block)
  | { readonly type: "usage"; readonly usage: Usage }
  | {
      readonly type: "finish";
      readonly reason: FinishReason;
      readonly stopSequence?: string;
      readonly candidate?: number;
    }
  | { readonly type: "error"; readonly failure: Failure };

/** Whether the event is something that a user would see: what opens the first-content gate. */
export function isContent(event: StreamEvent): boolean {
  switch (event.type) {
    case "text-delta":
    case "refusal-delta":
    case "reasoning-delta":
      return event.text !== "";
    case "tool-call-start":
    case "part":
      return true;
    case "reasoning-end":
      return event.signature !== undefined;
    default:
      return false;
  }
}
