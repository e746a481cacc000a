import type { JsonObject } from "#lib/json.ts";

/** A message item that is being written; text blocks that follow each other share it. */
export interface OpenMessage {
  readonly at: number;
  readonly id: string;
  readonly content: JsonObject[];
  openBlocks: number;
}

/** One block of the answer and the place in `output` that it is written to. */
export type OpenBlock =
  | {
      readonly type: "content";
      readonly message: OpenMessage;
      readonly place: number;
      readonly isRefusal: boolean;
      readonly text: string[];
      readonly annotations: JsonObject[];
      readonly logprobs: JsonObject[];
    }
  | {
      readonly type: "reasoning";
      readonly at: number;
      readonly id: string;
      readonly isSummary: boolean;
      readonly text: string[];
    }
  | {
      readonly type: "call";
      readonly at: number;
      readonly item: JsonObject;
      /** The client's free-text tool was called as a function: its input is known at the end. */
      readonly isWrapped: boolean;
      readonly text: string[];
    };

export const added = (at: number, item: JsonObject): JsonObject => ({
  type: "response.output_item.added",
  output_index: at,
  item,
});

export const done = (at: number, item: JsonObject): JsonObject => ({
  type: "response.output_item.done",
  output_index: at,
  item,
});

export const spot = (message: OpenMessage, place: number): JsonObject => ({
  item_id: message.id,
  output_index: message.at,
  content_index: place,
});

export const callSpot = ({
  item,
  at,
}: {
  readonly item: JsonObject;
  readonly at: number;
}): JsonObject => ({
  item_id: item["id"],
  output_index: at,
});

export type OpenReasoning = Extract<OpenBlock, { type: "reasoning" }>;

export const reasoningSpot = ({ id, at, isSummary }: OpenReasoning): JsonObject => ({
  item_id: id,
  output_index: at,
  [isSummary ? "summary_index" : "content_index"]: 0,
});

export const reasoningPartAdded = (block: OpenReasoning): JsonObject => ({
  type: block.isSummary ? "response.reasoning_summary_part.added" : "response.content_part.added",
  ...reasoningSpot(block),
  part: { type: block.isSummary ? "summary_text" : "reasoning_text", text: "" },
});

export const outputText = (
  text: string,
  annotations: readonly JsonObject[],
  logprobs: readonly JsonObject[],
): JsonObject => ({ type: "output_text", text, annotations, logprobs });

export const messageItem = ({ id, content }: OpenMessage, status: string): JsonObject => ({
  id,
  type: "message",
  status,
  role: "assistant",
  content: status === "completed" ? content : [],
});

export const inputEvent = (item: JsonObject): string =>
  item["type"] === "custom_tool_call"
    ? "response.custom_tool_call_input"
    : "response.function_call_arguments";
