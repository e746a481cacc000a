import { parseObject, type JsonObject } from "#lib/json.ts";
import type { ErrorKind, Finish, Seen } from "../scenario.ts";

/** A client of one dialect: how it asks, and what it understands of the answer. */
export interface Client {
  path(model: string, stream: boolean): string;
  /** The body of every request, to which a scenario adds its members. */
  base(model: string, stream: boolean): JsonObject;
  /** The body of a next turn: what was asked, the answer, and what the user says to it. */
  next(asked: JsonObject, seen: Seen): JsonObject;
  readWhole(body: JsonObject): Seen;
  readStream(text: string): Seen;
  /** Name of an end in this dialect. */
  readonly finish: Readonly<Record<Finish, string>>;
  /** Members of an answer that this dialect has no way to say. */
  readonly cannot: readonly (keyof Seen)[];
  /** Status and the members of the error that clients decide by. */
  readonly errors: Readonly<Record<ErrorKind, { status: number; error: JsonObject }>>;
}

/** Data of all events, in order; `[DONE]` and comments left out. */
export function eventsOf(text: string): JsonObject[] {
  return text.split(/\r?\n\r?\n/).flatMap((frame): JsonObject[] => {
    const data = frame
      .split(/\r?\n/)
      .filter((line) => line.startsWith("data:"))
      .map((line) => line.slice(5).trimStart())
      .join("\n");
    const event = parseObject(data);
    return event === undefined ? [] : [event];
  });
}

/** The text of the result that the client's own code gives to a call. */
export const RESULT = "42 degrees";
export const FOLLOW_UP = "And now?";
