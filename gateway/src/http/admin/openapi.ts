import { problemSchema } from "@turnpike/contract/api/conventions.ts";
import { z } from "zod";

import { FAILURES } from "#canonical/failure.ts";
import { MAX_BODY_BYTES, type AdminRoute } from "#http/admin/admin-route.ts";
import { isObject, type JsonObject } from "#lib/json.ts";
import { VERSION } from "#lib/version.ts";

const MUTATES = new Set(["POST", "PUT", "PATCH", "DELETE"]);

/** The table of routes as an OpenAPI 3.1 document; its schemas are those that requests are read by. */
export function openApiDocument(routes: readonly AdminRoute[]): JsonObject {
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Turnpike admin API",
      version: VERSION,
      description:
        "Who may, how much, and who did what. Conventions are in docs/admin-api.md: pages, ETags, idempotency keys, problem documents.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    security: [{ adminKey: [] }, { session: [] }],
    tags: [...new Set(routes.map(({ group }) => group))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        adminKey: { type: "http", scheme: "bearer", description: "An admin key: tp-adm-…" },
        session: {
          type: "apiKey",
          in: "cookie",
          name: "turnpike_session",
          description: "Of somebody signed in; changes need the header x-csrf-token, too.",
        },
      },
      schemas: { Problem: jsonSchema(problemSchema, "output") },
      responses: Object.fromEntries(
        PROBLEMS.map((status) => [`Problem${status}`, problemOf(status)]),
      ),
    },
  };
}

const PROBLEMS = [400, 401, 403, 404, 409, 412, 413, 415, 422, 428, 429, 503] as const;

const TOO_LARGE = `: a body may have ${MAX_BODY_BYTES} bytes`;

function problemOf(status: number): JsonObject {
  const codes = Object.entries(FAILURES)
    .filter(([code, kind]) => kind.status === status && !code.startsWith("upstream_"))
    .map(([code]) => code);
  return {
    description: codes.join(", ") + (status === 413 ? TOO_LARGE : ""),
    content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
  };
}

function operationOf(route: AdminRoute): JsonObject {
  const { method, group, summary, action, body, response, produces, status = 200 } = route;
  const responseType = produces ?? "application/json";
  const problems = PROBLEMS.filter((code) => raises(route, code));
  return {
    operationId: operationId(route),
    tags: [group],
    summary,
    description: `Scope: \`${action}\`.`,
    parameters: [
      ...parametersOf(route.params, "path"),
      ...parametersOf(route.query, "query"),
      ...headersOf(route),
    ],
    ...(body !== undefined && {
      requestBody: {
        required: true,
        content: {
          "application/json": { schema: jsonSchema(route.platformBody ?? body, "input") },
        },
      },
    }),
    responses: {
      [status]: {
        description: method === "DELETE" ? "Done." : "As asked for.",
        content: {
          [responseType.split(";", 1)[0] ?? responseType]: {
            schema: produces === undefined ? jsonSchema(response, "output") : { type: "string" },
          },
        },
      },
      ...Object.fromEntries(
        problems.map((code) => [code, { $ref: `#/components/responses/Problem${code}` }]),
      ),
    },
  };
}

/** Which failures a route can answer with. */
function raises({ method, needsVersion, body }: AdminRoute, status: number): boolean {
  if (status === 428) return needsVersion === true;
  if (status === 412) return MUTATES.has(method);
  if (status === 422) return method === "POST";
  if (status === 409) return MUTATES.has(method);
  if (status === 413 || status === 415) return body !== undefined;
  return true;
}

/** `GET /api/teams/:team_id` → `get_teams_team_id`. */
const operationId = ({ method, path }: AdminRoute): string =>
  `${method.toLowerCase()}_${path.replace(/^\/api\//, "").replaceAll(/\W+/g, "_")}`;

function parametersOf(schema: z.ZodType | undefined, place: "path" | "query"): JsonObject[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = jsonSchema(schema, "input") as {
    properties?: Record<string, JsonObject>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === "path" || required.includes(name),
    ...(typeof property["description"] === "string" && { description: property["description"] }),
    schema: property,
  }));
}

function headersOf({ method, needsVersion }: AdminRoute): JsonObject[] {
  const header = (name: string, required: boolean, description: string): JsonObject => ({
    name,
    in: "header",
    required,
    description,
    schema: { type: "string" },
  });
  return [
    ...(needsVersion === true || method === "PATCH" || method === "DELETE"
      ? [header("If-Match", needsVersion === true, "The ETag that was read, or `*`.")]
      : []),
    ...(method === "POST"
      ? [header("Idempotency-Key", false, "The first answer is given again for 24 hours.")]
      : []),
  ];
}

/** Without `$schema`: the document says its dialect once. */
function jsonSchema(schema: z.ZodType, io: "input" | "output"): JsonObject {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return isObject(rest) ? rest : {};
}
