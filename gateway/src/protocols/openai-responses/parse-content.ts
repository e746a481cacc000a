import { asObjects, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import { FieldReader } from "#canonical/field-reader.ts";
import { invalidRequest } from "#canonical/failure.ts";
import { mediaFromUrl } from "#canonical/media-source.ts";
import type { MediaSource, Part, TextPart } from "#canonical/message.ts";
import { parseAnnotation } from "./citations.ts";

/** A message's or tool output's `content`: a string, or an array of typed parts. */
export function parseContent(content: unknown, field: string): Part[] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  if (!Array.isArray(content)) {
    throw invalidRequest(field, `\`${field}\` must be a string or an array of content parts.`);
  }
  return content.map((part: unknown, at) => parsePart(part, `${field}[${at}]`));
}

function parsePart(value: unknown, field: string): Part {
  if (!isObject(value)) {
    throw invalidRequest(field, `\`${field}\` must be an object with a \`type\`.`);
  }
  const part = new FieldReader(value, field);
  switch (part.requiredString("type")) {
    case "input_text":
    case "text":
      return { type: "text", text: part.requiredString("text") };
    case "output_text":
      return parseOutputText(value, part.requiredString("text"));
    case "refusal":
      return { type: "refusal", text: part.requiredString("refusal") };
    case "input_image":
      return parseImage(part);
    case "input_file":
      return parseFile(part);
    case "input_audio":
      return parseAudio(part);
    default:
      return { type: "native", protocol: "openai-responses", value };
  }
}

/** An `output_text` part with its citations; `text` is given apart because streams collect it. */
export function parseOutputText(part: JsonObject, text: string): TextPart {
  const citations = asObjects(part["annotations"]).map(parseAnnotation);
  return { type: "text", text, ...(citations.length > 0 && { citations }) };
}

function parseImage(part: FieldReader): Part {
  const url = part.string("image_url");
  const fileId = part.string("file_id");
  const detail = part.string("detail");
  if (url === undefined && fileId === undefined) {
    throw invalidRequest(part.path, `\`${part.path}\` needs an \`image_url\` or a \`file_id\`.`);
  }
  const source: MediaSource =
    url === undefined ? { type: "file-id", id: fileId ?? "" } : mediaFromUrl(url);
  return { type: "image", source, ...(detail !== undefined && { detail }) };
}

function parseFile(part: FieldReader): Part {
  const filename = part.string("filename");
  const source = fileSource(part);
  return { type: "file", source, ...(filename !== undefined && { filename }) };
}

function fileSource(part: FieldReader): MediaSource {
  const data = part.string("file_data");
  // Bare base64 without a `data:` prefix is sent too; the API takes it for a PDF.
  if (data !== undefined) {
    const source = mediaFromUrl(data);
    return source.type === "base64" || /^\w+:/.test(data)
      ? source
      : { type: "base64", mediaType: "application/pdf", data };
  }
  const url = part.string("file_url");
  if (url !== undefined) return mediaFromUrl(url);
  const id = part.string("file_id");
  if (id !== undefined) return { type: "file-id", id };
  throw invalidRequest(
    part.path,
    `\`${part.path}\` needs \`file_data\`, \`file_url\` or \`file_id\`.`,
  );
}

function parseAudio(part: FieldReader): Part {
  const audio = part.nested("input_audio") ?? new FieldReader({}, part.field("input_audio"));
  const data = audio.requiredString("data");
  const format = audio.string("format") ?? "wav";
  const mediaType = format === "mp3" ? "audio/mpeg" : `audio/${format}`;
  return { type: "audio", source: { type: "base64", mediaType, data } };
}
