import { urlFromMedia } from "#canonical/media-source.ts";
import type { CacheMarker, FilePart, ImagePart, MediaSource, Part } from "#canonical/message.ts";
import { compact } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { RenderTarget } from "#protocols/codec.ts";

import { audioFormat } from "./parse-parts.ts";

/** `cache_control` of a part, where the provider takes it. */
export function renderCache(cache: CacheMarker | undefined, target: RenderTarget): JsonObject {
  if (cache === undefined) return {};
  if (target.dialect.cacheControl !== true) {
    target.reportLoss("cache_control", "this provider has no cache breakpoints");
    return {};
  }
  return { cache_control: compact({ type: "ephemeral", ttl: cache.ttl }) };
}

/**
 * Content of a message: a string where one says all, else a list of parts. Empty content is the
 * empty string.
 */
export function renderContent(parts: readonly Part[], target: RenderTarget): string | JsonObject[] {
  const rendered = parts.flatMap((part): JsonObject[] => {
    const one = renderPart(part, target);
    return one === undefined ? [] : [one];
  });
  const texts = rendered.map((part) => part["text"]);
  const onlyText = rendered.every((part) => part["type"] === "text");
  const marked = rendered.some((part) => part["cache_control"] !== undefined);
  if (onlyText && !marked && (rendered.length <= 1 || target.dialect.plainContent === true)) {
    return texts.join("\n\n");
  }
  return rendered;
}

/** One content part; `undefined` when it cannot be said (reported). */
function renderPart(part: Part, target: RenderTarget): JsonObject | undefined {
  switch (part.type) {
    case "text":
      return { type: "text", text: part.text, ...renderCache(part.cache, target) };
    case "image":
      return renderImage(part, target);
    case "file":
      return renderFile(part, target);
    case "audio":
      return renderAudio(part.source, target);
    case "video":
      return renderUrlPart("video_url", part.source, target);
    case "refusal":
      return { type: "text", text: part.text };
    case "native":
      if (part.protocol === "openai-chat") return part.value;
      target.reportLoss(`content.${String(part.value["type"])}`, `only ${part.protocol} has it`);
      return undefined;
    default:
      target.reportLoss(`content.${part.type}`, "has no place in a message of this role");
      return undefined;
  }
}

function renderImage(part: ImagePart, target: RenderTarget): JsonObject | undefined {
  const rendered = renderUrlPart("image_url", part.source, target);
  if (rendered === undefined) return undefined;
  const url = urlFromMedia(part.source);
  return {
    type: "image_url",
    image_url: compact({ url, detail: part.detail }),
    ...renderCache(part.cache, target),
  };
}

function renderUrlPart(
  type: "image_url" | "video_url",
  source: MediaSource,
  target: RenderTarget,
): JsonObject | undefined {
  const url = urlFromMedia(source);
  if (url !== undefined) return { type, [type]: { url } };
  target.reportLoss(`content.${type}`, "files uploaded elsewhere cannot be named here");
  return undefined;
}

function renderFile(part: FilePart, target: RenderTarget): JsonObject {
  if (part.citations === true) {
    target.reportLoss("content.file.citations", "this protocol cannot ask for citations");
  }
  const { source, filename } = part;
  const cache = renderCache(part.cache, target);
  if (source.type === "base64" && source.mediaType.startsWith("text/")) {
    target.reportLoss("content.file", "changed: a text file is sent as text");
    return { type: "text", text: Buffer.from(source.data, "base64").toString("utf8"), ...cache };
  }
  if (source.type === "file-id") return { type: "file", file: { file_id: source.id }, ...cache };
  // OpenAI refuses `file_data` without a name.
  const file = { file_data: urlFromMedia(source), filename: filename ?? "document" };
  return { type: "file", file, ...cache };
}

function renderAudio(source: MediaSource, target: RenderTarget): JsonObject | undefined {
  switch (source.type) {
    case "base64": {
      const input = { data: source.data, format: audioFormat(source.mediaType) };
      return { type: "input_audio", input_audio: input };
    }
    case "url":
      return { type: "input_audio", input_audio: { data: source.url } };
    case "file-id":
      target.reportLoss("content.audio", "a recording made elsewhere cannot be named here");
      return undefined;
  }
}
