import type { FastifyInstance, FastifyRequest } from "fastify";

import { GatewayError } from "#canonical/failure.ts";
import type { KeyRing } from "#governance/key-ring.ts";
import { asString, isObject, type JsonObject } from "#lib/json.ts";
import { credentialOf } from "#pipeline/authenticate.ts";
import {
  responseNotFound,
  type StoredResponse,
  type StoredResponses,
} from "#pipeline/stored-responses.ts";

interface Deps {
  readonly keys: Pick<KeyRing, "authenticate">;
  readonly responses: StoredResponses;
}

/** Adds what the Responses API offers for kept responses: read, delete, list input, cancel. */
export function addResponseRoutes(server: FastifyInstance, { keys, responses }: Deps): void {
  const keyOf = (request: FastifyRequest): string =>
    keys.authenticate(credentialOf(request), request.ip).key.id;
  const idOf = (request: FastifyRequest): string => (request.params as { id: string }).id;
  const find = async (request: FastifyRequest): Promise<StoredResponse> => {
    const id = idOf(request);
    const stored = await responses.get(keyOf(request), id);
    if (stored === undefined) throw responseNotFound(id, "id");
    return stored;
  };
  for (const prefix of ["/v1", "/openai/v1"]) {
    server.get(`${prefix}/responses/:id`, async (request) => (await find(request)).response);
    server.delete(`${prefix}/responses/:id`, async (request) => {
      const id = idOf(request);
      if (!(await responses.delete(keyOf(request), id))) throw responseNotFound(id, "id");
      return { id, object: "response", deleted: true };
    });
    server.get(`${prefix}/responses/:id/input_items`, async (request) =>
      inputPage((await find(request)).input, request.query as JsonObject),
    );
    server.post(`${prefix}/responses/:id/cancel`, async (request) => {
      await find(request);
      throw new GatewayError({
        code: "invalid_request",
        field: "id",
        message:
          "Only background responses can be cancelled, and this one is complete. Close the connection to stop a response that is being streamed.",
      });
    });
  }
}

const DEFAULT_PAGE = 20;
const MAX_PAGE = 100;

/** One page of the input, the newest item first as OpenAI does, unless `order=asc`. */
function inputPage(input: readonly unknown[], query: JsonObject): JsonObject {
  const items = input.filter(isObject);
  const sorted = query["order"] === "asc" ? items : items.toReversed();
  const after = asString(query["after"]);
  const from = after === undefined ? 0 : sorted.findIndex(({ id }) => id === after) + 1;
  const asked = Number(query["limit"] ?? DEFAULT_PAGE);
  const limit = Number.isInteger(asked) && asked > 0 ? Math.min(asked, MAX_PAGE) : DEFAULT_PAGE;
  const data = sorted.slice(from, from + limit);
  return {
    object: "list",
    data,
    first_id: data[0]?.["id"] ?? null,
    last_id: data.at(-1)?.["id"] ?? null,
    has_more: from + limit < sorted.length,
  };
}
