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
  const unanswered: { readonly id: string; readonly name: string }[] = [];
  let count = 0;
  const take = (matches: (call: { id: string; name: string }) => boolean): string | undefined => {
    const at = unanswered.findIndex(matches);
    return at === -1 ? undefined : unanswered.splice(at, 1)[0]?.id;
  };
  return {
    ofCall(call) {
      const id = idOf(call) ?? `${MADE_UP}${count}`;
      count++;
      unanswered.push({ id, name: asString(call["name"]) ?? "" });
      return id;
    },
    ofResult(result) {
      const own = idOf(result);
      const name = asString(result["name"]) ?? "";
      const taken = take((call) => (own === undefined ? call.name === name : call.id === own));
      return own ?? taken ?? `${MADE_UP}${count++}`;
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
