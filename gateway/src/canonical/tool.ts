import type { JsonObject } from "#lib/json.ts";
import type { CacheMarker } from "#canonical/message.ts";
import type { WireProtocol } from "#canonical/protocol-name.ts";

export interface FunctionTool {
  readonly type: "function";
  readonly name: string;
  /**
   * Codex groups tools as `{type:"namespace", name, tools}`. Other protocols get one flat function,
   * `flatToolName`, and the answer carries both fields again.
   */
  readonly namespace?: string;
  readonly description?: string;
  /** JSON Schema of the arguments, as the client wrote it. */
  readonly parameters?: JsonObject;
  readonly strict?: boolean;
  readonly cache?: CacheMarker;
}

/** A tool whose input is free text, perhaps under a grammar (OpenAI's custom tools). */
export interface CustomTool {
  readonly type: "custom";
  readonly name: string;
  readonly description?: string;
  readonly format?: JsonObject;
}

/** A tool that the provider runs itself. */
export interface ServerTool {
  readonly type: "server";
  /** Kinds that several providers have can be translated; `other` only passes through. */
  readonly kind: "web-search" | "code-execution" | "web-fetch" | "other";
  readonly protocol: WireProtocol;
  readonly value: JsonObject;
}

export type Tool = FunctionTool | CustomTool | ServerTool;

export type ToolChoice =
  | { readonly type: "auto" }
  | { readonly type: "none" }
  /** Some tool must be called. */
  | { readonly type: "required" }
  | { readonly type: "tool"; readonly name: string; readonly namespace?: string };

/** The one name that a namespaced tool has where there are no namespaces. */
export const flatToolName = (tool: {
  readonly name: string;
  readonly namespace?: string;
}): string => (tool.namespace === undefined ? tool.name : `${tool.namespace}__${tool.name}`);
