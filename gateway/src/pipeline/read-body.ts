import { isUtf8 } from "node:buffer";

import { GatewayError, invalidRequest } from "#canonical/failure.ts";
import { duplicateKey, scanObject, type JsonScan } from "#lib/json-scan.ts";
import { isObject, type JsonObject } from "#lib/json.ts";

/** A request body: its text, where its members stand in it, and the parsed object. */
export interface JsonBody {
  readonly text: string;
  readonly scan: JsonScan;
  readonly object: JsonObject;
}

/** Parses a body once. Throws `invalid_request` with what is wrong and where. */
export function readBody(bytes: Buffer): JsonBody {
  if (bytes.length === 0) {
    throw invalidRequest("body", "The request has no body. Send a JSON object.");
  }
  if (!isUtf8(bytes)) throw invalidRequest("body", "The body is not valid UTF-8.");
  return readJson(bytes.toString("utf8"));
}

export function readJson(text: string): JsonBody {
  const object = parse(text);
  if (!isObject(object)) {
    throw invalidRequest("body", 'The body must be a JSON object, like {"model": …}.');
  }
  let scan: JsonScan;
  try {
    scan = scanObject(text);
  } catch {
    throw invalidRequest("body", "The body is nested over 200 levels deep.");
  }
  const twice = duplicateKey(scan);
  if (twice !== undefined) {
    // Two readers of such a body see two different requests; that has smuggled tool calls past
    // checks (Envoy AI Gateway GHSA-4gph-2hhr-5mwg).
    throw invalidRequest(
      twice,
      `The member "${twice.slice(0, 60)}" stands twice in the body. Send it once.`,
    );
  }
  return { text, scan, object };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // V8 quotes the body in its message; place and character are enough, and leak nothing to logs.
    const message = error instanceof Error ? error.message : "";
    const position = /position (\d+)/.exec(message)?.[1];
    const token = /^Unexpected token '(.)'/.exec(message)?.[1];
    const place = position === undefined ? "" : ` at character ${position}`;
    const what = token === undefined ? "it is broken" : `unexpected ${JSON.stringify(token)}`;
    const where = /end of JSON/i.test(message) ? "it ends too early" : what + place;
    throw new GatewayError({
      code: "invalid_request",
      field: "body",
      message: `The body is not valid JSON: ${where}.`,
    });
  }
}
