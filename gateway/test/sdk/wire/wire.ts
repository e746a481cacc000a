import type { UpstreamProtocol } from "#canonical/protocol-name.ts";
import type { JsonObject } from "#lib/json.ts";
import { asString } from "#lib/json.ts";

/** A call of a tool with its arguments parsed. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly args: JsonObject;
}

/** One answer of a model, told without a protocol. */
export interface Turn {
  readonly reasoning?: { readonly text: string; readonly signature: string };
  readonly text?: string;
  readonly calls?: readonly ToolCall[];
  /** Absent: the end of the turn, or its tool calls. */
  readonly finish?: "length";
  readonly usage: { readonly input: number; readonly output: number };
}

/** What a provider was asked, read back from its own protocol. */
export interface Received {
  readonly system: string;
  readonly user: string;
  readonly tools: readonly string[];
  /** The tool that the model is made to call. */
  readonly forcedTool?: string;
  /** The calls of earlier turns. */
  readonly calls: readonly ToolCall[];
  readonly results: readonly { readonly id: string; readonly text: string }[];
  /** The schema of a structured answer, where the protocol has a field for it. */
  readonly schema?: JsonObject;
  /** The reasoning of earlier turns that goes with a token. */
  readonly thoughts: readonly string[];
  /** Opaque reasoning tokens of earlier turns, in order. */
  readonly signatures: readonly string[];
}

/** How the fake provider speaks one protocol: written by hand from the wire facts. */
export interface Wire {
  readonly protocol: UpstreamProtocol;
  readonly streamType: string;
  readonly wantsStream: (path: string, body: JsonObject) => boolean;
  body(turn: Turn): JsonObject;
  stream(turn: Turn): Buffer;
  error(status: number, message: string): JsonObject;
  received(body: JsonObject): Received;
}

/** The texts of a content member that is a string, a part or a list of parts. */
export function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (Array.isArray(content)) return content.map(textOf).join("");
  if (typeof content !== "object" || content === null) return "";
  const { text, content: inner, output } = content as JsonObject;
  return asString(text) ?? textOf(inner ?? output);
}

/** The tool that a choice leaves no way around: the named one, or the only one where one is required. */
export function forcedTool(
  tools: readonly string[],
  choice: { readonly named: string | undefined; readonly required: boolean },
): { readonly forcedTool?: string } {
  const only = choice.required && tools.length === 1 ? tools[0] : undefined;
  return optional("forcedTool", choice.named ?? only);
}

export const parseArgs = (text: unknown): JsonObject =>
  JSON.parse(asString(text) ?? "{}") as JsonObject;

/** The value without absent members. */
export const optional = <K extends string, V>(
  key: K,
  value: V | undefined,
): { readonly [key in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { readonly [key in K]?: V });
