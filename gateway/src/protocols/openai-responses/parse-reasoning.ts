import { asObjects, asString } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { ReasoningPart } from "#canonical/message.ts";
import { unwrapSignature } from "#canonical/signature.ts";
import type { Signature } from "#canonical/signature.ts";

/** Between the paragraphs that a reasoning item's summary consists of. */
export const SUMMARY_SEPARATOR = "\n\n";

/**
 * A reasoning item as a part; `undefined` when it says nothing: neither text nor an opaque token
 * (OpenAI's items without `include: ["reasoning.encrypted_content"]`).
 */
export function parseReasoning(item: JsonObject): ReasoningPart | undefined {
  const content = joined(item["content"], "");
  const text = content === "" ? joined(item["summary"], SUMMARY_SEPARATOR) : content;
  const signature = reasoningSignature(item);
  if (text === "" && signature === undefined) return undefined;
  return {
    type: "reasoning",
    text,
    ...(content === "" && text !== "" && { summary: true }),
    ...(signature !== undefined && { signature }),
  };
}

const joined = (parts: unknown, separator: string): string =>
  asObjects(parts)
    .map((part) => asString(part["text"]) ?? "")
    .join(separator);

/** The item's opaque token, with the item's id: OpenAI refuses a token under another item's id. */
export function reasoningSignature(item: JsonObject): Signature | undefined {
  const encrypted = asString(item["encrypted_content"]);
  if (encrypted === undefined || encrypted === "") return undefined;
  const signature = unwrapSignature(encrypted, "openai");
  if (signature.origin !== "openai" || signature.itemId !== undefined) return signature;
  // OpenRouter names the maker: tokens of `google-gemini-v1` are of no use to OpenAI.
  const format = asString(item["format"]);
  if (format !== undefined && !format.startsWith("openai"))
    return { ...signature, origin: "other" };
  const itemId = asString(item["id"]);
  return itemId === undefined ? signature : { ...signature, itemId };
}
