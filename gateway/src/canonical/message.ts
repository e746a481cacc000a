import type { JsonObject } from "#lib/json.ts";
import type { WireProtocol } from "#canonical/protocol-name.ts";
import type { Signature } from "#canonical/signature.ts";

/** A prompt-cache breakpoint: everything up to and including the part that carries it. */
export interface CacheMarker {
  readonly ttl?: "5m" | "1h";
}

/** Where the bytes of an image, file, recording or film are. URLs are passed on, never fetched. */
export type MediaSource =
  | { readonly type: "base64"; readonly mediaType: string; readonly data: string }
  | { readonly type: "url"; readonly url: string; readonly mediaType?: string }
  /** A file uploaded to the provider earlier; only its own protocol understands it. */
  | { readonly type: "file-id"; readonly id: string; readonly mediaType?: string };

/** A source of a statement in an answer. `native` is the provider's own object. */
export interface Citation {
  readonly url?: string;
  readonly title?: string;
  readonly citedText?: string;
  /** Character range in the answer's text, where the provider gives it. */
  readonly start?: number;
  readonly end?: number;
  readonly native?: { readonly protocol: WireProtocol; readonly value: JsonObject };
}

export interface TextPart {
  readonly type: "text";
  readonly text: string;
  readonly cache?: CacheMarker;
  readonly citations?: readonly Citation[];
  /** Gemini puts thought signatures on text too. */
  readonly signature?: Signature;
}

export interface ImagePart {
  readonly type: "image";
  readonly source: MediaSource;
  readonly detail?: string;
  readonly cache?: CacheMarker;
}

/** A document: PDF, plain text, office file. */
export interface FilePart {
  readonly type: "file";
  readonly source: MediaSource;
  readonly filename?: string;
  /** Ask the model to cite from it (Anthropic, Bedrock). */
  readonly citations?: boolean;
  readonly cache?: CacheMarker;
}

export interface AudioPart {
  readonly type: "audio";
  readonly source: MediaSource;
  readonly transcript?: string;
}

export interface VideoPart {
  readonly type: "video";
  readonly source: MediaSource;
}

/** What a model thought. Its text may be empty while the signature matters: never drop it. */
export interface ReasoningPart {
  readonly type: "reasoning";
  readonly text: string;
  /** True when the text is a provider's summary and not the reasoning itself. */
  readonly summary?: boolean;
  readonly signature?: Signature;
}

export interface ToolCallPart {
  readonly type: "tool-call";
  readonly id: string;
  readonly name: string;
  /** Codex groups tools by namespace; see `tool.ts`. */
  readonly namespace?: string;
  /** `function`: `input` is JSON text exactly as the model wrote it; `custom`: free text. */
  readonly kind: "function" | "custom";
  readonly input: string;
  readonly signature?: Signature;
  readonly cache?: CacheMarker;
}

export interface ToolResultPart {
  readonly type: "tool-result";
  readonly toolCallId: string;
  readonly kind: "function" | "custom";
  /** The tool's name, where the dialect gives it (Gemini has no call ids). */
  readonly name?: string;
  readonly content: readonly Part[];
  readonly isError?: boolean;
  readonly cache?: CacheMarker;
}

export interface RefusalPart {
  readonly type: "refusal";
  readonly text: string;
}

/** A block that only its own protocol knows (server tools and their results, compaction, …). */
export interface NativePart {
  readonly type: "native";
  readonly protocol: WireProtocol;
  readonly value: JsonObject;
}

export type Part =
  | TextPart
  | ImagePart
  | FilePart
  | AudioPart
  | VideoPart
  | ReasoningPart
  | ToolCallPart
  | ToolResultPart
  | RefusalPart
  | NativePart;

/** System and developer messages may stand anywhere in a conversation (Claude Code and Codex do that). */
export interface Message {
  readonly role: "system" | "developer" | "user" | "assistant" | "tool";
  readonly content: readonly Part[];
  readonly name?: string;
}
