import { OpenCalls } from "#canonical/open-calls.ts";
import { asString } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";
import type { CallIds } from "./parse-part.ts";

/** Marks ids that this gateway made up, which no provider has to see. */
const MADE_UP = "call_gm_";

export const isMadeUpId = (id: string): boolean => id.startsWith(MADE_UP);

/**
 * Ids of a whole conversation: calls are numbered, and a result without an id belongs to the oldest
 * call of its name that has no result yet.
 */
export function conversationIds(): CallIds {
  const byName = new Map<string, OpenCalls>();
  const nameOfId = new Map<string, string>();
  let count = 0;
  const callsOf = (name: string): OpenCalls => {
    const known = byName.get(name) ?? new OpenCalls();
    byName.set(name, known);
    return known;
  };
  return {
    ofCall(call) {
      const id = idOf(call) ?? `${MADE_UP}${count}`;
      count++;
      const name = asString(call["name"]) ?? "";
      callsOf(name).add(id);
      nameOfId.set(id, name);
      return id;
    },
    ofResult(result) {
      const name = asString(result["name"]) ?? "";
      const id = idOf(result) ?? callsOf(name).oldest() ?? `${MADE_UP}${count++}`;
      callsOf(nameOfId.get(id) ?? name).delete(id);
      return id;
    },
  };
}

/** Ids of an answer's calls, different in every answer: they are made from the answer's own id. */
export function answerIds(responseId: () => string): CallIds {
  let count = 0;
  return {
    ofCall(call) {
      const id = idOf(call) ?? `${MADE_UP}${seed(responseId(), call)}_${count}`;
      count++;
      return id;
    },
    ofResult: (result) => idOf(result) ?? `${MADE_UP}${count++}`,
  };
}

const idOf = (object: JsonObject): string | undefined => asString(object["id"]) || undefined;

function seed(responseId: string, call: JsonObject): string {
  const text = responseId === "" ? JSON.stringify(call) : responseId;
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  }
  return (value >>> 0).toString(36);
}
