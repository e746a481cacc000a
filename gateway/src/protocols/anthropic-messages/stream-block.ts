import type { Signature } from "#canonical/signature.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import { asObject, asObjects, asString, isObject, parseObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import { parseCitation } from "./citations.ts";

/** A content block that has started and not stopped. */
export interface OpenBlock {
  readonly kind: "text" | "reasoning" | "tool-call" | "native";
  readonly index: number;
  /** The block as it started; natives are completed from it. */
  readonly value: JsonObject;
  /** Fragments of a native's or a call's input. */
  input: string;
  signature?: Signature;
}

interface Opened {
  readonly block: OpenBlock;
  readonly events: readonly StreamEvent[];
}

/** Starts a block; what stands in its start already counts as its first delta. */
export function openBlock(value: JsonObject, index: number): Opened {
  switch (value["type"]) {
    case "text":
      return openText(value, index);
    case "thinking":
    case "redacted_thinking":
      return openReasoning(value, index);
    case "tool_use":
      return openToolCall(value, index);
    default:
      return { block: { kind: "native", index, value, input: "" }, events: [] };
  }
}

function openText(value: JsonObject, index: number): Opened {
  const events: StreamEvent[] = [{ type: "text-start", index }];
  const text = asString(value["text"]) ?? "";
  if (text !== "") events.push({ type: "text-delta", index, text });
  for (const citation of asObjects(value["citations"])) {
    events.push({ type: "citation", index, citation: parseCitation(citation) });
  }
  return { block: { kind: "text", index, value, input: "" }, events };
}

function openReasoning(value: JsonObject, index: number): Opened {
  const events: StreamEvent[] = [{ type: "reasoning-start", index }];
  const text = asString(value["thinking"]) ?? "";
  if (text !== "") events.push({ type: "reasoning-delta", index, text });
  const block: OpenBlock = { kind: "reasoning", index, value, input: "" };
  const redacted = value["type"] === "redacted_thinking";
  const token = asString(redacted ? value["data"] : value["signature"]) ?? "";
  if (token !== "") {
    block.signature = { origin: "anthropic", value: token, ...(redacted && { redacted }) };
  }
  return { block, events };
}

function openToolCall(value: JsonObject, index: number): Opened {
  const id = asString(value["id"]) ?? `toolu_${index}`;
  const name = asString(value["name"]) ?? "";
  return {
    block: { kind: "tool-call", index, value, input: "" },
    events: [{ type: "tool-call-start", index, id, name, kind: "function" }],
  };
}

/** Adds a delta to its block. */
export function pushDelta(block: OpenBlock, delta: JsonObject): readonly StreamEvent[] {
  switch (delta["type"]) {
    case "text_delta":
      return textDelta(block, asString(delta["text"]) ?? "");
    case "thinking_delta":
      return textDelta(block, asString(delta["thinking"]) ?? "");
    case "signature_delta":
      return signatureDelta(block, asString(delta["signature"]) ?? "");
    case "input_json_delta":
      return inputDelta(block, asString(delta["partial_json"]) ?? "");
    case "citations_delta":
      return citationDelta(block, asObject(delta["citation"]));
    default:
      return nativeDelta(block, delta);
  }
}

function textDelta(block: OpenBlock, text: string): readonly StreamEvent[] {
  const { kind, index } = block;
  if (text === "" || (kind !== "text" && kind !== "reasoning")) return [];
  return [{ type: `${kind}-delta`, index, text }];
}

function signatureDelta(block: OpenBlock, signature: string): readonly StreamEvent[] {
  const value = (block.signature?.value ?? "") + signature;
  if (value !== "") block.signature = { origin: "anthropic", value };
  return [];
}

function inputDelta(block: OpenBlock, text: string): readonly StreamEvent[] {
  block.input += text;
  if (block.kind !== "tool-call" || text === "") return [];
  return [{ type: "tool-call-delta", index: block.index, text }];
}

function citationDelta(block: OpenBlock, citation: JsonObject): readonly StreamEvent[] {
  if (block.kind !== "text") return [];
  return [{ type: "citation", index: block.index, citation: parseCitation(citation) }];
}

/** Deltas of blocks that only this protocol has carry whole members (`compaction_delta.content`). */
function nativeDelta(block: OpenBlock, delta: JsonObject): readonly StreamEvent[] {
  if (block.kind !== "native") return [];
  for (const key in delta) {
    if (key === "type") continue;
    const [before, added] = [block.value[key], delta[key]];
    const both = typeof before === "string" && typeof added === "string";
    block.value[key] = both ? before + added : added;
  }
  return [];
}

/** Ends a block. One that was cut off has no end of its own: a native one is then no whole part. */
export function closeBlock(block: OpenBlock, cut?: "cut"): readonly StreamEvent[] {
  const { kind, index, signature } = block;
  const signed = signature === undefined ? {} : { signature };
  if (kind === "native") return cut === undefined ? [nativePart(block)] : [];
  if (kind === "text") return [{ type: "text-end", index }];
  if (kind === "reasoning") return [{ type: "reasoning-end", index, ...signed }];
  return [...wholeInput(block, cut), { type: "tool-call-end", index }];
}

/**
 * Calls without fragments: those made by a program hold their whole input in the start, those
 * without arguments hold nothing.
 */
function wholeInput({ index, input, value }: OpenBlock, cut?: "cut"): readonly StreamEvent[] {
  if (input !== "" || cut !== undefined) return [];
  return [{ type: "tool-call-delta", index, text: JSON.stringify(value["input"] ?? {}) }];
}

function nativePart({ index, input, value }: OpenBlock): StreamEvent {
  const parsed = input === "" ? undefined : parseObject(input);
  const whole = isObject(parsed) ? { ...value, input: parsed } : value;
  const part = { type: "native", protocol: "anthropic-messages", value: whole } as const;
  return { type: "part", index, part };
}
