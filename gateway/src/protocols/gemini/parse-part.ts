import { unwrapSignature } from "#canonical/signature.ts";
import type { Signature } from "#canonical/signature.ts";
import type { Part } from "#canonical/message.ts";
import { asObjects, asString, isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import { mediaPart, sourceOfUri } from "./media.ts";
import { camelKeys, camelObject } from "./wire-case.ts";

/** What stands in for the signature of a call that Gemini did not make; it signs nothing. */
export const NO_SIGNATURE = "skip_thought_signature_validator";

/** Gives calls and their results ids, which this protocol mostly leaves out. */
export interface CallIds {
  ofCall(call: JsonObject): string;
  ofResult(result: JsonObject): string;
}

/** Members that change how a part of media is read; such a part stays whole. */
const NATIVE_MEMBERS = ["videoMetadata", "mediaResolution"];

/** Reads one part; mostly one canonical part comes of it. */
export function parsePart(wire: JsonObject, ids: CallIds): Part[] {
  const part = camelKeys(wire);
  const signature = signatureOf(part);
  if (NATIVE_MEMBERS.some((member) => isObject(part[member]))) return [native(part)];
  if (typeof part["text"] === "string") return [parseText(part, part["text"])];
  if (isObject(part["functionCall"])) {
    return [parseCall(camelKeys(part["functionCall"]), ids, signature)];
  }
  if (isObject(part["functionResponse"])) return [parseResult(part["functionResponse"], ids)];
  const media = parseMedia(part);
  if (media === undefined) return [native(part)];
  // No medium has a place for a signature; an empty text carries it, as Google's own answers do.
  return signature === undefined ? [media] : [media, { type: "text", text: "", signature }];
}

const native = (value: JsonObject): Part => ({ type: "native", protocol: "gemini", value });

export function signatureOf(part: JsonObject): Signature | undefined {
  const token = asString(part["thoughtSignature"]);
  if (token === undefined || token === "" || token === NO_SIGNATURE) return undefined;
  return unwrapSignature(token, "gemini");
}

function parseText(part: JsonObject, text: string): Part {
  const signature = signatureOf(part);
  const signed = signature === undefined ? {} : { signature };
  if (part["thought"] === true) return { type: "reasoning", text, summary: true, ...signed };
  return { type: "text", text, ...signed };
}

function parseCall(call: JsonObject, ids: CallIds, signature: Signature | undefined): Part {
  return {
    type: "tool-call",
    id: ids.ofCall(call),
    name: asString(call["name"]) ?? "",
    kind: "function",
    input: JSON.stringify(call["args"] ?? {}),
    ...(signature !== undefined && { signature }),
  };
}

function parseMedia(part: JsonObject): Part | undefined {
  const blob = camelObject(part["inlineData"]);
  const [data, mediaType] = [asString(blob["data"]), asString(blob["mimeType"])];
  if (data !== undefined && mediaType !== undefined) {
    const source = { type: "base64", mediaType, data } as const;
    return mediaPart(source, mediaType, asString(blob["displayName"]));
  }
  const file = camelObject(part["fileData"]);
  const uri = asString(file["fileUri"]);
  if (uri === undefined) return undefined;
  const fileType = asString(file["mimeType"]);
  const isFilm =
    fileType === undefined && /^https:\/\/(?:www\.)?(?:youtube\.com|youtu\.be)\//.test(uri);
  const kind = isFilm ? "video/*" : (fileType ?? sniff(uri));
  return mediaPart(sourceOfUri(uri, fileType), kind, asString(file["displayName"]));
}

const sniff = (uri: string): string | undefined =>
  /\.(?:png|jpe?g|gif|webp)(?:[?#]|$)/i.test(uri) ? "image/*" : undefined;

function parseResult(wire: JsonObject, ids: CallIds): Part {
  const result = camelKeys(wire);
  const name = asString(result["name"]);
  const { text, isError } = resultText(result["response"]);
  const media = asObjects(result["parts"]).flatMap((part) => parsePart(part, ids));
  return {
    type: "tool-result",
    toolCallId: ids.ofResult(result),
    kind: "function",
    ...(name !== undefined && { name }),
    content: [...(text === undefined ? [] : [{ type: "text", text } as const]), ...media],
    ...(isError && { isError }),
  };
}

/** Google documents `output` and `error` as the keys of a result; any other object is the result itself. */
function resultText(response: unknown): { text: string | undefined; isError: boolean } {
  if (!isObject(response)) return { text: asString(response), isError: false };
  const keys = Object.keys(response);
  const [only] = keys;
  if (keys.length === 1 && (only === "output" || only === "error")) {
    const value = response[only];
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return { text, isError: only === "error" };
  }
  return { text: JSON.stringify(response), isError: false };
}
