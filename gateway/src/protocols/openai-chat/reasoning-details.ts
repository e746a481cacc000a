import type { ReasoningPart } from "#canonical/message.ts";
import { signatureText, unwrapSignature } from "#canonical/signature.ts";
import type { Signature, SignatureOrigin } from "#canonical/signature.ts";
import { asNumber, asString, compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";

/*
 * OpenRouter's `reasoning_details`: the one place in chat dialects that carries signatures. Entries
 * are `reasoning.text {text, signature}`, `reasoning.summary {summary}` and
 * `reasoning.encrypted {data, id}`; `format` names whose model made them.
 */

const FORMAT_ORIGINS: readonly (readonly [prefix: string, origin: SignatureOrigin])[] = [
  ["anthropic-", "anthropic"],
  ["openai-", "openai"],
  ["azure-openai-", "openai"],
  ["google-", "gemini"],
];

const ORIGIN_FORMATS: Readonly<Record<SignatureOrigin, string>> = {
  anthropic: "anthropic-claude-v1",
  openai: "openai-responses-v1",
  gemini: "google-gemini-v1",
  bedrock: "unknown",
  other: "unknown",
};

function originOf(format: unknown): SignatureOrigin {
  const name = asString(format) ?? "";
  return FORMAT_ORIGINS.find(([prefix]) => name.startsWith(prefix))?.[1] ?? "other";
}

/** One entry, read: text to add and the signature that it brings, if any. */
export interface ReasoningDetail {
  readonly kind: "text" | "summary" | "encrypted";
  readonly text: string;
  readonly signature?: Signature;
  /** Entries with the same key are fragments of one block. */
  readonly key: string;
  /** `reasoning.encrypted` of Gemini's tool calls: the id of the call that the token belongs to. */
  readonly id?: string;
}

export function parseReasoningDetail(entry: JsonObject): ReasoningDetail | undefined {
  const origin = originOf(entry["format"]);
  const id = asString(entry["id"]);
  const base = { key: String(asNumber(entry["index"]) ?? ""), ...(id !== undefined && { id }) };
  switch (entry["type"]) {
    case "reasoning.text": {
      const text = asString(entry["text"]) ?? "";
      const token = asString(entry["signature"]) ?? "";
      if (token === "") return { kind: "text", text, ...base };
      return { kind: "text", text, signature: unwrapSignature(token, origin), ...base };
    }
    case "reasoning.summary":
      return { kind: "summary", text: asString(entry["summary"]) ?? "", ...base };
    case "reasoning.encrypted": {
      const data = asString(entry["data"]) ?? "";
      if (data === "") return undefined;
      return { kind: "encrypted", text: "", signature: encrypted(data, origin, id), ...base };
    }
    default:
      return undefined;
  }
}

function encrypted(data: string, origin: SignatureOrigin, id: string | undefined): Signature {
  const signature = unwrapSignature(data, origin);
  if (signature.value !== data) return signature;
  if (origin === "anthropic") return { ...signature, redacted: true };
  return origin === "openai" && id !== undefined ? { ...signature, itemId: id } : signature;
}

/** Whether the entry goes on with a block: fragments share a key; a signed block is complete. */
export function continuesReasoning(block: OpenReasoning, detail: ReasoningDetail): boolean {
  if (block.signature !== undefined) return false;
  if (detail.kind === "encrypted") {
    // OpenAI and Gemini put the token of a thought after its text; Claude's is a block of its own.
    return detail.signature?.redacted !== true;
  }
  if (detail.kind === "summary") return block.summary === true && block.key === detail.key;
  return block.summary !== true && (block.key === detail.key || detail.text === "");
}

export interface OpenReasoning {
  readonly key: string;
  readonly summary?: boolean;
  signature?: Signature;
}

/** Reads a whole `reasoning_details` array; fragments that a client has not joined are joined. */
export function parseReasoningDetails(
  entries: readonly JsonObject[],
  toolCallIds: ReadonlySet<string>,
): {
  readonly parts: readonly ReasoningPart[];
  /** Tokens by the tool call that they belong to. */
  readonly toolSignatures: ReadonlyMap<string, Signature>;
} {
  const blocks: (OpenReasoning & { text: string })[] = [];
  const toolSignatures = new Map<string, Signature>();
  for (const entry of entries) {
    const detail = parseReasoningDetail(entry);
    if (detail === undefined) continue;
    if (detail.signature !== undefined && detail.id !== undefined && toolCallIds.has(detail.id)) {
      toolSignatures.set(detail.id, detail.signature);
      continue;
    }
    const last = blocks.at(-1);
    if (last !== undefined && continuesReasoning(last, detail)) {
      last.text += detail.text;
      if (detail.signature !== undefined) last.signature = detail.signature;
    } else blocks.push(openBlock(detail));
  }
  return { parts: blocks.map(closedBlock), toolSignatures };
}

const openBlock = (detail: ReasoningDetail): OpenReasoning & { text: string } => ({
  key: detail.key,
  text: detail.text,
  ...(detail.kind === "summary" && { summary: true }),
  ...(detail.signature !== undefined && { signature: detail.signature }),
});

const closedBlock = (block: OpenReasoning & { readonly text: string }): ReasoningPart => ({
  type: "reasoning",
  text: block.text,
  ...(block.summary === true && { summary: true }),
  ...(block.signature !== undefined && { signature: block.signature }),
});

/** The text entry of a block; streams send it once a delta. */
export function renderTextDetail(text: string, summary: boolean, index: number): JsonObject {
  return summary
    ? { type: "reasoning.summary", summary: text, format: "unknown", index }
    : { type: "reasoning.text", text, format: "unknown", index };
}

/** What closes a block: the entry that carries its signature. */
export function renderSignatureDetail(signature: Signature, index: number): JsonObject {
  const { origin, value, itemId, redacted } = signature;
  const format = ORIGIN_FORMATS[origin];
  if (origin === "openai" || origin === "gemini" || (origin === "anthropic" && redacted === true)) {
    return compact({ type: "reasoning.encrypted", data: value, id: itemId, format, index });
  }
  // Only `anthropic` has a name here; `unknown` needs the wrapping to be recognised on its way back.
  const token = origin === "other" ? value : signatureText(signature, "anthropic");
  return { type: "reasoning.text", signature: token, format, index };
}

/** A whole block as entries. Claude's text and signature are one entry, as OpenRouter has it. */
export function renderReasoningDetails(part: ReasoningPart, index: number): JsonObject[] {
  const { text, signature, summary = false } = part;
  if (signature === undefined) return [renderTextDetail(text, summary, index)];
  const token = renderSignatureDetail(signature, index);
  if (token["type"] === "reasoning.text") return [{ ...token, text }];
  const format = ORIGIN_FORMATS[signature.origin];
  return text === "" ? [token] : [{ ...renderTextDetail(text, summary, index), format }, token];
}
