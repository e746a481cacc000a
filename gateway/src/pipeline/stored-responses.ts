import type { Kysely } from "kysely";

import { GatewayError } from "#canonical/failure.ts";
import { patchObject } from "#lib/json-scan.ts";
import { asArray, asObject, asString, isObject, parseObject, type JsonObject } from "#lib/json.ts";
import { parseSseFrame } from "#lib/sse.ts";
import type { Call } from "#pipeline/call.ts";
import { readJson, type JsonBody } from "#pipeline/read-body.ts";
import type { MasterKey } from "#privacy/master-key.ts";
import type { CoreTables } from "#store/schema.ts";
import { deleteResponse, findResponse, insertResponse } from "#store/stored-responses.ts";

/** A kept response with all the input that led to it, earlier turns included. */
export interface StoredResponse {
  readonly response: JsonObject;
  readonly input: readonly unknown[];
}

/** Responses that clients asked to keep (`store: true`), encrypted at rest, found by their own key only. */
export interface StoredResponses {
  put(keyId: string, stored: StoredResponse): Promise<void>;
  get(keyId: string, id: string): Promise<StoredResponse | undefined>;
  delete(keyId: string, id: string): Promise<boolean>;
}

const KEEP_MS = 30 * 24 * 60 * 60 * 1000;

export function createStoredResponses(
  core: Kysely<CoreTables>,
  master: Pick<MasterKey, "seal" | "open">,
  now: () => number,
): StoredResponses {
  const context = (keyId: string, id: string): string => `response:${keyId}:${id}`;
  return {
    put: async (keyId, stored) => {
      const id = asString(stored.response["id"]);
      if (id === undefined) return;
      const sealed = master.seal(Buffer.from(JSON.stringify(stored)), context(keyId, id));
      const at = now();
      await insertResponse(core, {
        id,
        key_id: keyId,
        created_at: at,
        expires_at: at + KEEP_MS,
        sealed,
        organization_id: null,
        project_id: null,
        subject: null,
        encryption_key: null,
      });
    },
    get: async (keyId, id) => {
      const row = await findResponse(core, { id, keyId, now: now() });
      if (row === undefined) return undefined;
      return JSON.parse(
        master.open(Buffer.from(row.sealed), context(keyId, id)).toString(),
      ) as StoredResponse;
    },
    delete: (keyId, id) => deleteResponse(core, { keyId, id }),
  };
}

/** The error for a response that is not there; says how to have it next time. */
export const responseNotFound = (id: string, field: string): GatewayError =>
  new GatewayError({
    code: "not_found",
    field,
    message: `There is no stored response "${id.slice(0, 100)}" for this key. Turnpike keeps a response only when its request says "store": true, for 30 days; send that on the first turn, or send the whole conversation as "input".`,
  });

/**
 * Replaces `previous_response_id` by the conversation that it stands for, so that any provider can
 * go on with it. The rest of the body stays as the client wrote it.
 */
export async function expandStoredInput(call: Call, body: JsonBody): Promise<JsonBody> {
  if (call.exchange.protocol !== "openai-responses") return body;
  if (body.object["background"] === true) throw new GatewayError(NO_BACKGROUND);
  const id = body.object["previous_response_id"];
  if (typeof id !== "string" || id === "") return body;
  const stored = await call.gateway.responses.get(call.access?.key.id ?? "", id);
  if (stored === undefined) throw responseNotFound(id, "previous_response_id");
  const input = [
    ...stored.input,
    ...asArray(stored.response["output"]),
    ...inputItems(body.object),
  ];
  const changes = { input: JSON.stringify(input), previous_response_id: undefined };
  return readJson(patchObject(body.text, body.scan, changes));
}

const NO_BACKGROUND = {
  code: "unsupported_parameter",
  field: "background",
  message:
    'Background responses are not offered. Leave "background" out and stream the answer instead.',
} as const;

/** The input as items: text alone is a user message. */
function inputItems(body: JsonObject): readonly unknown[] {
  const { input } = body as { input?: unknown };
  if (typeof input === "string") {
    return [{ type: "message", role: "user", content: [{ type: "input_text", text: input }] }];
  }
  return asArray(input);
}

/**
 * Keeps a response when its request asked for it. Runs before the last bytes of the answer are
 * sent: who has seen the end of a response can ask for it.
 */
export async function keepResponse(call: Call, answer: string): Promise<void> {
  const { exchange, body, access, gateway } = call;
  if (exchange.protocol !== "openai-responses" || body === undefined || access === undefined)
    return;
  if (body.object["store"] !== true) return;
  const response = call.streamed ? responseOfStream(answer) : parseObject(answer);
  if (response === undefined) return;
  await gateway.responses.put(access.key.id, {
    response,
    input: withItemIds(inputItems(body.object), response),
  });
}

/** Items are listed by id (`GET /v1/responses/{id}/input_items`): those without get one. */
function withItemIds(items: readonly unknown[], response: JsonObject): readonly unknown[] {
  const base = asString(response["id"])?.replace(/^resp_/, "") ?? "";
  return items.map((item, at) =>
    isObject(item) && item["id"] === undefined ? { ...item, id: `in_${base}_${at}` } : item,
  );
}

/** The response object in the terminal event of a stream. */
function responseOfStream(tail: string): JsonObject | undefined {
  for (const frame of tail.split(/\r?\n\r?\n/)) {
    const data = parseObject(parseSseFrame(frame)?.data ?? "");
    const response = data?.["response"];
    if (isObject(response) && asObject(response)["id"] !== undefined) return response;
  }
  return undefined;
}
