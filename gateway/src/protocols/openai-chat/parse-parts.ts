import { invalidRequest } from "#canonical/failure.ts";
import { mediaFromUrl } from "#canonical/media-source.ts";
import type { CacheMarker, MediaSource, Part } from "#canonical/message.ts";
import { FieldReader } from "#canonical/field-reader.ts";
import { asString, compact, isObject } from "#lib/json.ts";
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
    return parsePart(value, `${field}[${at}]`);
  });
}

/** Cache breakpoint of a part (OpenRouter and others take Anthropic's `cache_control`). */
export function parseCache(part: JsonObject): { cache?: CacheMarker } {
  const control = part["cache_control"];
  if (!isObject(control)) return {};
  const ttl = control["ttl"];
  return { cache: ttl === "5m" || ttl === "1h" ? { ttl } : {} };
}

function parsePart(part: JsonObject, field: string): Part[] {
  const type = new FieldReader(part, field).requiredString("type");
  switch (type) {
    case "text":
    case "input_text":
    case "output_text":
      return [
        {
          type: "text",
          text: new FieldReader(part, field).requiredString("text"),
          ...parseCache(part),
        },
      ];
    case "refusal":
      return [{ type: "refusal", text: new FieldReader(part, field).requiredString("refusal") }];
    case "image_url":
      return [parseImage(part, field)];
    case "input_audio":
      return [parseAudio(part, field)];
    case "file":
      return [parseFile(part, field)];
    case "video_url":
      return [{ type: "video", source: mediaFromUrl(readUrl(part, "video_url", field)) }];
    case "thinking":
      return [{ type: "reasoning", text: thinkingText(part["thinking"]) }];
    default:
      return [{ type: "native", protocol: "openai-chat", value: part }];
  }
}

/** `image_url` is an object with a URL; Mistral also takes the bare URL. */
function readUrl(part: JsonObject, key: string, field: string): string {
  const value = part[key];
  if (typeof value === "string") return value;
  if (!isObject(value)) {
    throw invalidRequest(`${field}.${key}`, `${field}.${key} must be an object with a url`);
  }
  return new FieldReader(value, `${field}.${key}`).requiredString("url");
}

function parseImage(part: JsonObject, field: string): Part {
  const source = mediaFromUrl(readUrl(part, "image_url", field));
  const detail = isObject(part["image_url"]) ? asString(part["image_url"]["detail"]) : undefined;
  return { type: "image", source, ...(detail !== undefined && { detail }), ...parseCache(part) };
}

function parseAudio(part: JsonObject, field: string): Part {
  const audio = new FieldReader(part, field).objectAt("input_audio") ?? {};
  const path = `${field}.input_audio`;
  const data = new FieldReader(audio, path).requiredString("data");
  // DashScope takes a URL in `data`.
  if (/^https?:/.test(data)) return { type: "audio", source: { type: "url", url: data } };
  const url = mediaFromUrl(data);
  if (url.type === "base64") return { type: "audio", source: url };
  const format = new FieldReader(audio, path).string("format") ?? "wav";
  return { type: "audio", source: { type: "base64", mediaType: audioMediaType(format), data } };
}

export const audioMediaType = (format: string): string =>
  format === "mp3" ? "audio/mpeg" : `audio/${format}`;

export function audioFormat(mediaType: string): string {
  const subtype = mediaType.slice(mediaType.indexOf("/") + 1).replace(/^x-/, "");
  return subtype === "mpeg" ? "mp3" : subtype;
}

function parseFile(part: JsonObject, field: string): Part {
  const file = new FieldReader(part, field).objectAt("file");
  if (file === undefined) {
    throw invalidRequest(
      `${field}.file`,
      `${field}.file must be an object with file_data or file_id`,
    );
  }
  const source = fileSource(file, `${field}.file`);
  const filename = new FieldReader(file, `${field}.file`).string("filename");
  return { type: "file", source, ...(filename !== undefined && { filename }), ...parseCache(part) };
}

function fileSource(file: JsonObject, field: string): MediaSource {
  const data = new FieldReader(file, field).string("file_data");
  const id = new FieldReader(file, field).string("file_id");
  if (data !== undefined) {
    const source = mediaFromUrl(data);
    if (source.type === "base64" || /^https?:/.test(data)) return source;
    return { type: "base64", mediaType: "application/pdf", data };
  }
  if (id !== undefined) return { type: "file-id", id };
  throw invalidRequest(field, `${field} needs file_data (a data URL) or file_id`);
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
