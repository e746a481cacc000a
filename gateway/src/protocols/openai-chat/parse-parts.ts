import { invalidRequest } from "#canonical/failure.ts";
import { mediaFromUrl } from "#canonical/media-source.ts";
import type { CacheMarker, MediaSource, Part } from "#canonical/message.ts";
import { FieldReader } from "#canonical/field-reader.ts";
import { asObject, asString, compact, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";

import { thinkingText } from "./answer-parts.ts";

/** Content of a message: a string, a list of parts, or nothing. */
export function parseContent(content: unknown, field: string): Part[] {
  if (content === undefined || content === null) return [];
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
  if (!Array.isArray(content)) {
    throw invalidRequest(field, `${field} must be a string or an array of content parts`);
  }
  return content.flatMap((value: unknown, at) => {
    if (typeof value === "string") return [{ type: "text" as const, text: value }];
    if (!isObject(value)) {
      throw invalidRequest(`${field}[${at}]`, `${field}[${at}] must be an object with a type`);
    }
    return parsePart(new FieldReader(value, `${field}[${at}]`));
  });
}

/** Cache breakpoint of a part (OpenRouter and others take Anthropic's `cache_control`). */
export function parseCache(part: JsonObject): { cache?: CacheMarker } {
  const control = part["cache_control"];
  if (!isObject(control)) return {};
  const ttl = control["ttl"];
  return { cache: ttl === "5m" || ttl === "1h" ? { ttl } : {} };
}

function parsePart(part: FieldReader): Part[] {
  const type = part.requiredString("type");
  const cache = parseCache(part.object);
  switch (type) {
    case "text":
    case "input_text":
    case "output_text":
      return [{ type: "text", text: part.requiredString("text"), ...cache }];
    case "refusal":
      return [{ type: "refusal", text: part.requiredString("refusal") }];
    case "image_url":
      return [parseImage(part)];
    case "input_audio":
      return [parseAudio(part)];
    case "file":
      return [parseFile(part)];
    case "video_url":
      return [{ type: "video", source: mediaFromUrl(readUrl(part, "video_url")) }];
    case "thinking":
      return [{ type: "reasoning", text: thinkingText(part.object["thinking"]) }];
    default:
      return [{ type: "native", protocol: "openai-chat", value: part.object }];
  }
}

/** A member that must be an object. */
function requiredMember(part: FieldReader, key: string, content: string): FieldReader {
  const member = part.nested(key);
  if (member !== undefined) return member;
  const field = part.field(key);
  throw invalidRequest(field, `${field} is missing: it must be an object with ${content}`);
}

/** `image_url` is an object with a URL; Mistral also takes the bare URL. */
function readUrl(part: FieldReader, key: string): string {
  const value = part.object[key];
  return typeof value === "string"
    ? value
    : requiredMember(part, key, "a url").requiredString("url");
}

function parseImage(part: FieldReader): Part {
  const source = mediaFromUrl(readUrl(part, "image_url"));
  const detail = asString(asObject(part.object["image_url"])["detail"]);
  return {
    type: "image",
    source,
    ...(detail !== undefined && { detail }),
    ...parseCache(part.object),
  };
}

function parseAudio(part: FieldReader): Part {
  const audio = requiredMember(part, "input_audio", "data and format");
  const data = audio.requiredString("data");
  // DashScope takes a URL in `data`.
  if (/^https?:/.test(data)) return { type: "audio", source: { type: "url", url: data } };
  const url = mediaFromUrl(data);
  if (url.type === "base64") return { type: "audio", source: url };
  const mediaType = audioMediaType(audio.string("format") ?? "wav");
  return { type: "audio", source: { type: "base64", mediaType, data } };
}

const audioMediaType = (format: string): string =>
  format === "mp3" ? "audio/mpeg" : `audio/${format}`;

export function audioFormat(mediaType: string): string {
  const subtype = mediaType.slice(mediaType.indexOf("/") + 1).replace(/^x-/, "");
  return subtype === "mpeg" ? "mp3" : subtype;
}

function parseFile(part: FieldReader): Part {
  const file = requiredMember(part, "file", "file_data or file_id");
  const source = fileSource(file);
  const filename = file.string("filename");
  return {
    type: "file",
    source,
    ...(filename !== undefined && { filename }),
    ...parseCache(part.object),
  };
}

function fileSource(file: FieldReader): MediaSource {
  const data = file.string("file_data");
  const id = file.string("file_id");
  if (data !== undefined) {
    const source = mediaFromUrl(data);
    if (source.type === "base64" || /^https?:/.test(data)) return source;
    return { type: "base64", mediaType: "application/pdf", data };
  }
  if (id !== undefined) return { type: "file-id", id };
  throw invalidRequest(file.path, `${file.path} needs file_data (a data URL) or file_id`);
}

/** `extra_content.google.thought_signature`, as Gemini's OpenAI-compatible surface has it. */
export function googleSignature(object: JsonObject): string | undefined {
  const content = object["extra_content"];
  const google = isObject(content) ? content["google"] : undefined;
  const token = isObject(google) ? asString(google["thought_signature"]) : undefined;
  return token === "" ? undefined : token;
}

export const googleExtraContent = (token: string | undefined): JsonObject =>
  compact({
    extra_content: token === undefined ? undefined : { google: { thought_signature: token } },
  });
