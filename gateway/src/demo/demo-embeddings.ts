import { createHash } from "node:crypto";

import { estimateTokens } from "#canonical/estimate-tokens.ts";
import type { JsonObject } from "#lib/json.ts";

import { invalidField } from "./demo-request.ts";

const DEFAULT_DIMENSIONS = 256;
const MAX_DIMENSIONS = 4_096;
const MAX_INPUTS = 2_048;

/** Answers an embeddings request. @throws DemoError 400 naming the field */
export function embed(body: JsonObject): JsonObject {
  const inputs = readInputs(body["input"]);
  const dimensions = readDimensions(body["dimensions"]);
  const base64 = readEncoding(body["encoding_format"]);
  const tokens = inputs.reduce((sum, text) => sum + Math.max(1, estimateTokens(text)), 0);
  return {
    object: "list",
    data: inputs.map((text, index) => {
      const vector = vectorOf(text, dimensions);
      return { object: "embedding", index, embedding: base64 ? toBase64(vector) : [...vector] };
    }),
    model: "embed",
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

function readInputs(value: unknown): readonly string[] {
  const list: readonly unknown[] = isTokens(value) || !Array.isArray(value) ? [value] : value;
  if (list.length === 0 || list.length > MAX_INPUTS) {
    throw invalidField("input", `1 to ${MAX_INPUTS} texts are needed.`);
  }
  return list.map((item, at) => {
    if (isTokens(item)) return item.map(String).join(" ");
    if (typeof item === "string" && item !== "") return item;
    throw invalidField(list.length === 1 ? "input" : `input[${at}]`, "a text is needed.");
  });
}

const isTokens = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.length > 0 && value.every((item) => Number.isInteger(item));

function readDimensions(value: unknown): number {
  if (value === undefined || value === null) return DEFAULT_DIMENSIONS;
  const whole = typeof value === "number" && Number.isInteger(value);
  if (whole && value >= 1 && value <= MAX_DIMENSIONS) return value;
  throw invalidField("dimensions", `a whole number from 1 to ${MAX_DIMENSIONS} is needed.`);
}

function readEncoding(value: unknown): boolean {
  if (value === undefined || value === null || value === "float") return false;
  if (value === "base64") return true;
  throw invalidField("encoding_format", "float or base64 is needed.");
}

/**
 * A vector of length 1: every word pushes a few coordinates that its hash names, so that texts that
 * share words are near to each other, as with real embeddings.
 */
function vectorOf(text: string, dimensions: number): Float32Array {
  const vector = new Float64Array(dimensions);
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [text]) {
    const hash = createHash("sha256").update(word).digest();
    for (let at = 0; at < hash.length; at += 4) {
      const bits = hash.readUInt32LE(at);
      const index = (bits >>> 1) % dimensions;
      vector[index] = (vector[index] ?? 0) + (bits % 2 === 0 ? 1 : -1);
    }
  }
  const length = Math.hypot(...vector);
  // All pushes may cancel out.
  if (length === 0) return Float32Array.from(vector, (_, at) => (at === 0 ? 1 : 0));
  return Float32Array.from(vector, (value) => value / length);
}

const toBase64 = (vector: Float32Array): string =>
  Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");
