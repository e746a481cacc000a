import { asObject, asObjects, asString, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import { invalidRequest } from "#canonical/failure.ts";
import { mediaFromUrl } from "#canonical/media-source.ts";
import type { MediaSource, Part, TextPart } from "#canonical/message.ts";
import { parseAnnotation } from "./citations.ts";
import { optional, required } from "./optional-field.ts";

/** A message's or tool output's `content`: a string, or an array of typed parts. */
export function parseContent(content: unknown, field: string): Part[] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  if (!Array.isArray(content)) {
    throw invalidRequest(field, `\`${field}\` must be a string or an array of content parts.`);
  }
  return content.map((part: unknown, at) => parsePart(part, `${field}[${at}]`));
}

function parsePart(part: unknown, field: string): Part {
  if (!isObject(part)) {
    throw invalidRequest(field, `\`${field}\` must be an object with a \`type\`.`);
  }
  switch (required(part["type"], "string", `${field}.type`)) {
    case "input_text":
    case "text":
      return { type: "text", text: required(part["text"], "string", `${field}.text`) };
    case "output_text":
      return parseOutputText(part, required(part["text"], "string", `${field}.text`));
    case "refusal":
      return { type: "refusal", text: required(part["refusal"], "string", `${field}.refusal`) };
    case "input_image":
      return parseImage(part, field);
    case "input_file":
      return parseFile(part, field);
    case "input_audio":
      return parseAudio(part, field);
    default:
      return { type: "native", protocol: "openai-responses", value: part };
  }
}

/** An `output_text` part with its citations; `text` is given apart because streams collect it. */
export function parseOutputText(part: JsonObject, text: string): TextPart {
  const citations = asObjects(part["annotations"]).map(parseAnnotation);
  return { type: "text", text, ...(citations.length > 0 && { citations }) };
}

function parseImage(part: JsonObject, field: string): Part {
  const url = optional(part["image_url"], "string", `${field}.image_url`);
  const fileId = optional(part["file_id"], "string", `${field}.file_id`);
  const detail = optional(part["detail"], "string", `${field}.detail`);
  if (url === undefined && fileId === undefined) {
    throw invalidRequest(field, `\`${field}\` needs an \`image_url\` or a \`file_id\`.`);
  }
  const source: MediaSource =
    url === undefined ? { type: "file-id", id: fileId ?? "" } : mediaFromUrl(url);
  return { type: "image", source, ...(detail !== undefined && { detail }) };
}

function parseFile(part: JsonObject, field: string): Part {
  const filename = optional(part["filename"], "string", `${field}.filename`);
  const source = fileSource(part, field);
  return { type: "file", source, ...(filename !== undefined && { filename }) };
}

function fileSource(part: JsonObject, field: string): MediaSource {
  const data = optional(part["file_data"], "string", `${field}.file_data`);
  // Bare base64 without a `data:` prefix is sent too; the API takes it for a PDF.
  if (data !== undefined) {
    const source = mediaFromUrl(data);
    return source.type === "base64" || /^\w+:/.test(data)
      ? source
      : { type: "base64", mediaType: "application/pdf", data };
  }
  const url = optional(part["file_url"], "string", `${field}.file_url`);
  if (url !== undefined) return mediaFromUrl(url);
  const id = optional(part["file_id"], "string", `${field}.file_id`);
  if (id !== undefined) return { type: "file-id", id };
  throw invalidRequest(field, `\`${field}\` needs \`file_data\`, \`file_url\` or \`file_id\`.`);
}

function parseAudio(part: JsonObject, field: string): Part {
  const audio = asObject(part["input_audio"]);
  const data = required(audio["data"], "string", `${field}.input_audio.data`);
  const format = asString(audio["format"]) ?? "wav";
  const mediaType = format === "mp3" ? "audio/mpeg" : `audio/${format}`;
  return { type: "audio", source: { type: "base64", mediaType, data } };
}
