import { asString, type JsonObject } from "#lib/json.ts";

/** Text cut in three, so that a stream has more than one delta. */
export function pieces(text: string): readonly string[] {
  const size = Math.max(1, Math.ceil(text.length / 3));
  const found: string[] = [];
  for (let at = 0; at < text.length; at += size) found.push(text.slice(at, at + size));
  return found;
}

export const dataEvents = (events: readonly unknown[], end = ""): Buffer =>
  Buffer.from(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("") + end);

/** Events that are named by their own `type`, as OpenAI Responses and Anthropic send them. */
export const namedEvents = (events: readonly JsonObject[]): Buffer =>
  Buffer.from(
    events
      .map((event) => `event: ${asString(event["type"])}\ndata: ${JSON.stringify(event)}\n\n`)
      .join(""),
  );
