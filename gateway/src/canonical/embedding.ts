import type { JsonObject } from "#lib/json.ts";
import type { Usage } from "#canonical/usage.ts";

/** A request for vectors. Token arrays are passed on as they are, where the provider takes them. */
export interface EmbeddingRequest {
  /** As the client wrote it. */
  readonly model: string;
  readonly input: readonly string[] | readonly (readonly number[])[];
  readonly dimensions?: number;
  /** How the client wants its vectors: `base64` is float32, little-endian. Absent: numbers. */
  readonly encodingFormat?: "float" | "base64";
  /** What the vectors are for: `query`, `document`, or a provider's own word. */
  readonly inputType?: string;
  readonly user?: string;
  /** Members of the client's body that have no word here. */
  readonly extra?: JsonObject;
}

export interface EmbeddingResponse {
  /** In the order of the inputs; numbers, or base64 of little-endian float32. */
  readonly vectors: readonly (readonly number[] | string)[];
  /** The provider's name of the model that answered. */
  readonly model: string;
  readonly usage?: Usage;
}

/** A vector as base64 of little-endian float32. */
export function encodeVector(vector: readonly number[] | string): string {
  if (typeof vector === "string") return vector;
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [at, value] of vector.entries()) bytes.writeFloatLE(value, at * 4);
  return bytes.toString("base64");
}

/** A vector as numbers. */
export function decodeVector(vector: readonly number[] | string): readonly number[] {
  if (typeof vector !== "string") return vector;
  const bytes = Buffer.from(vector, "base64");
  const numbers: number[] = [];
  for (let at = 0; at + 4 <= bytes.length; at += 4) numbers.push(bytes.readFloatLE(at));
  return numbers;
}
