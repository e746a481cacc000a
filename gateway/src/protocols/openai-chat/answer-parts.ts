import { mediaFromUrl } from "#canonical/media-source.ts";
import type {
  AudioPart,
  Citation,
  ImagePart,
  ReasoningPart,
  ToolCallPart,
} from "#canonical/message.ts";
import type { Signature } from "#canonical/signature.ts";
import { asArray, asNumber, asObject, asObjects, asString, compact, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";

/** A part of an answer's content list, read: Mistral mixes `thinking` and `text`. */
export interface ContentPiece {
  readonly kind: "text" | "thinking";
  readonly text: string;
}

/** Content of an answer: a string, or (Mistral) a list of pieces. */
export function contentPieces(content: unknown): ContentPiece[] {
  if (typeof content === "string") return content === "" ? [] : [{ kind: "text", text: content }];
  return asArray(content).flatMap((value): ContentPiece[] => {
    if (typeof value === "string") return [{ kind: "text", text: value }];
    if (!isObject(value)) return [];
    if (value["type"] === "thinking") {
      const text = thinkingText(value["thinking"]);
      return text === "" ? [] : [{ kind: "thinking", text }];
    }
    const text = asString(value["text"]) ?? "";
    return text === "" ? [] : [{ kind: "text", text }];
  });
}

/** Mistral: `thinking` is a string or a list of text chunks. */
export function thinkingText(value: unknown): string {
  if (typeof value === "string") return value;
  return asObjects(value)
    .map((chunk) => asString(chunk["text"]) ?? "")
    .join("");
}

/** Reasoning text in whichever plain field the provider uses. */
export function plainReasoning(message: JsonObject): string {
  for (const key of ["reasoning_content", "reasoning", "thinking"]) {
    const value = message[key];
    if (typeof value === "string" && value !== "") return value;
    // Some send it as an object: `reasoning: {content: "…"}`.
    const nested = asString(asObject(value)["content"]) ?? asString(asObject(value)["text"]);
    if (nested !== undefined && nested !== "") return nested;
  }
  return "";
}

/** `url_citation` annotations; others (files) stay the provider's own. */
export function parseAnnotations(value: unknown): Citation[] {
  return asObjects(value).map((annotation) => {
    const cited = annotation["url_citation"];
    if (!isObject(cited)) {
      return { native: { protocol: "openai-chat", value: annotation } };
    }
    return citation(cited);
  });
}

function citation(cited: JsonObject): Citation {
  const start = asNumber(cited["start_index"]);
  const end = asNumber(cited["end_index"]);
  return compact({
    url: asString(cited["url"]),
    title: asString(cited["title"]),
    citedText: asString(cited["content"]),
    start,
    end,
  });
}

/** Perplexity and xAI list their sources at the top of the body: `search_results`, or bare `citations`. */
export function topLevelCitations(body: JsonObject): Citation[] {
  const results = asObjects(body["search_results"]).filter((result) => asString(result["url"]));
  if (results.length > 0) {
    return results.map((result) =>
      compact({
        url: asString(result["url"]),
        title: asString(result["title"]),
        citedText: asString(result["snippet"]) || undefined,
      }),
    );
  }
  return asArray(body["citations"]).flatMap((url) => (typeof url === "string" ? [{ url }] : []));
}

/** Images in answers, as OpenRouter has them: `images: [{type:"image_url", image_url:{url}}]`. */
export function parseImages(value: unknown): ImagePart[] {
  return asObjects(value).flatMap((image): ImagePart[] => {
    const url = asString(asObject(image["image_url"])["url"]);
    return url === undefined || url === "" ? [] : [{ type: "image", source: mediaFromUrl(url) }];
  });
}

/** A spoken answer. The wire does not name the format; streams are always 16-bit PCM. */
export function spokenPart(data: string, transcript: string, mediaType: string): AudioPart {
  return {
    type: "audio",
    source: { type: "base64", mediaType, data },
    ...(transcript !== "" && { transcript }),
  };
}

/** Arguments as text: some providers send `null`, or the object itself. */
export function argumentsText(value: unknown): string {
  if (typeof value === "string") return value;
  return isObject(value) ? JSON.stringify(value) : "";
}

/**
 * An id for a call that came without one (Gemini's compatible surface sends ""), made from the
 * response's id and the call's place so that it is unique in a conversation; at most 40 characters,
 * which is OpenAI's limit.
 */
export function madeUpCallId(responseId: string, position: number): string {
  const tail = responseId.replace(/[^A-Za-z0-9]/g, "").slice(-24);
  return tail === "" ? `call_${position}` : `call_${tail}_${position}`;
}

/** The plain text repeats the details' text; it counts where they hold only tokens. */
export function withPlainText(
  details: readonly ReasoningPart[],
  text: string,
): readonly ReasoningPart[] {
  if (text === "" || details.some((part) => part.text !== "")) return details;
  const [first, ...rest] = details;
  return [{ ...(first ?? { type: "reasoning" }), text }, ...rest];
}

/** The call with a token that was found elsewhere in the message; its own comes first. */
export const withSignature = (call: ToolCallPart, signature: Signature | undefined): ToolCallPart =>
  call.signature !== undefined || signature === undefined ? call : { ...call, signature };
