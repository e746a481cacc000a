import type { JsonObject } from "#lib/json.ts";
import type { Answer, ErrorKind, Finish } from "../scenario.ts";

export interface ErrorAnswer {
  readonly status: number;
  readonly body: JsonObject;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A provider of one protocol, written by hand from its documents and recordings. */
export interface FakeProvider {
  /** Name under which clients ask for it. */
  readonly model: string;
  /** Members of an answer that this protocol has no way to say. */
  readonly cannot: readonly (keyof Answer)[];
  /** Ends that it does not tell from others, and as which it tells them. */
  readonly tells: Readonly<Partial<Record<Finish, Finish>>>;
  /** The opaque token of its reasoning: what must come back on the next turn. */
  readonly token: string;
  whole(answer: Answer): JsonObject;
  stream(answer: Answer): Buffer;
  readonly streamType: string;
  error(kind: ErrorKind): ErrorAnswer;
}

export const inputOf = (input: readonly string[]): string => input.join("");

export const sseData = (...events: readonly (JsonObject | string)[]): Buffer =>
  Buffer.from(
    events
      .map((event) => `data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`)
      .join(""),
  );

export const sseTyped = (...events: readonly JsonObject[]): Buffer =>
  Buffer.from(
    events
      .map((event) => `event: ${String(event["type"])}\ndata: ${JSON.stringify(event)}\n\n`)
      .join(""),
  );
