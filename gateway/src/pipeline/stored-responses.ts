import type { Kysely } from "kysely";

import { GatewayError } from "#canonical/failure.ts";
import { patchObject } from "#lib/json-scan.ts";
import { asArray, asObject, asString, isObject, parseObject, type JsonObject } from "#lib/json.ts";
import { parseSseFrame } from "#lib/sse.ts";
import type { Call } from "#pipeline/call.ts";
import { readJson, type JsonBody } from "#pipeline/read-body.ts";
import { isZeroRetention } from "#pipeline/zero-retention.ts";
import { subjectOf, type ContentOwner } from "#privacy/content-owner.ts";
import type { Envelope } from "#privacy/envelope.ts";
import type { MasterKey } from "#privacy/master-key.ts";
import type { CoreTables } from "#store/schema.ts";
import {
  deleteResponse,
  findResponse,
  insertResponse,
  type StoredResponseRow,
} from "#store/stored-responses.ts";

/** A kept response with all the input that led to it, earlier turns included. */
export interface StoredResponse {
  readonly response: JsonObject;
  readonly input: readonly unknown[];
}

/** Responses that clients asked to keep (`store: true`), encrypted at rest, found by their own key only. */
export interface StoredResponses {
  put(owner: ResponseOwner, stored: StoredResponse): Promise<void>;
  get(keyId: string, id: string): Promise<StoredResponse | undefined>;
  delete(keyId: string, id: string): Promise<boolean>;
}

/** Who may find it again, and whose text it is. */
export interface ResponseOwner extends ContentOwner {
  readonly keyId: string;
}

interface Deps {
  readonly core: Kysely<CoreTables>;
  /** Opens what older versions sealed. */
  readonly master: Pick<MasterKey, "open">;
  readonly envelope: Pick<Envelope, "sealFor" | "open" | "pseudonym">;
  readonly now: () => number;
}

const FIELD = "response";
const KEEP_MS = 30 * 24 * 60 * 60 * 1000;

export function createStoredResponses({ core, master, envelope, now }: Deps): StoredResponses {
  const context = (keyId: string, id: string): string => `response:${keyId}:${id}`;
  const open = async (row: StoredResponseRow): Promise<Buffer | undefined> => {
    const sealed = Buffer.from(row.sealed);
    const { encryption_key: encryptionKey, organization_id: organizationId } = row;
    if (encryptionKey === null) return master.open(sealed, context(row.key_id, row.id));
    const plain = await envelope.open({
      organizationId: organizationId ?? "",
      recordId: context(row.key_id, row.id),
      keyId: encryptionKey,
      fields: { [FIELD]: sealed },
    });
    return plain?.[FIELD];
  };
  return {
    put: async (owner, stored) => {
      const id = asString(stored.response["id"]);
      if (id === undefined) return;
      const { organizationId, projectId, keyId } = owner;
      const subject = subjectOf(owner);
      const { keyId: encryptionKey, fields } = await envelope.sealFor(
        { organizationId, purpose: "content", subject },
        context(keyId, id),
        { [FIELD]: Buffer.from(JSON.stringify(stored)) },
      );
      const at = now();
      await insertResponse(core, {
        id,
        key_id: keyId,
        created_at: at,
        expires_at: at + KEEP_MS,
        sealed: fields[FIELD] ?? Buffer.alloc(0),
        organization_id: organizationId,
        project_id: projectId,
        subject: envelope.pseudonym(organizationId, subject),
        encryption_key: encryptionKey,
      });
    },
    get: async (keyId, id) => {
      const row = await findResponse(core, { id, keyId, now: now() });
      const plain = row === undefined ? undefined : await open(row);
      return plain === undefined ? undefined : (JSON.parse(plain.toString()) as StoredResponse);
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
  if (body.object["store"] !== true || isZeroRetention(call)) return;
  const response = call.streamed ? responseOfStream(answer) : parseObject(answer);
  if (response === undefined) return;
  const owner = {
    keyId: access.key.id,
    organizationId: access.organization.id,
    projectId: access.project.id,
    endUser: call.endUser,
  };
  const input = withItemIds(inputItems(body.object), response);
  await gateway.responses.put(owner, { response, input });
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
