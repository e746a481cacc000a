import { z } from "zod";

import type { AdminRoute } from "../../gateway/src/http/admin/admin-route.ts";
import { code, generatedFrom, table } from "./markdown.ts";

const CONVENTIONS = `# Admin API

${generatedFrom("gateway/src/http/admin/admin-routes.ts")}
Who may, how much, and who did what: \`/api/*\`. The same as an OpenAPI 3.1 document: \`GET /api/openapi.json\`.
The [command line](tenancy.md) does the common things without a running gateway.

## Conventions

- **Who calls**: \`Authorization: Bearer tp-adm-…\` (an admin key), or the cookie of a session with the header \`x-csrf-token\`.
  An inference key (\`sk-tp-…\`) is refused. An admin key may do what its owner may, narrowed by its scopes: a scope is the
  name of an action, given below.
- **What may not be seen is not there**: things of other organizations, and of teams that one is not in, are 404, also in
  lists and counts. What one may see and not change is 403.
- **Bodies** are JSON, at most 1 MiB. An unknown field is 400 and named, and so is a field that is not yours to set.
  Documents of policies, budgets and settings are written as in the configuration file, in camelCase.
- **Times** are ISO 8601. **USD** is decimal text, exact to the nano-dollar.
- **Lists** take \`limit\` (50, at most 200) and \`cursor\`, and answer
  \`{"object": "list", "data": […], "has_more": true, "next_cursor": "…"}\`, the newest first. What comes meanwhile shifts nothing.
- **Changes are not lost**: objects have an \`ETag\`. \`PATCH\` needs it as \`If-Match\` (428 without, 412 when the object has
  changed since; \`*\` for any). \`DELETE\` and the role of a member take it, and do without.
- **Nothing is done twice**: a \`POST\` with an \`Idempotency-Key\` gives its first answer again for 24 hours (with
  \`idempotent-replayed: true\`); for another body the key is 422, while the first is under way 409. Money needs one.
- **Errors** are \`application/problem+json\` (RFC 9457) with \`code\` ([all codes](errors.md)), \`field\` and \`request_id\`.
- **Rate**: 600 requests a minute for each caller, 200 at once; beyond that 429 with \`retry-after\`.
- **Every change is in the audit log**, in the same transaction.
`;

/** The reference of the admin API. */
export function renderAdminApiPage(routes: readonly AdminRoute[]): string {
  const groups = [...new Set(routes.map(({ group }) => group))];
  return [CONVENTIONS, ...groups.map((group) => groupText(group, routes))].join("\n");
}

function groupText(group: string, routes: readonly AdminRoute[]): string {
  const rows = routes
    .filter((route) => route.group === group)
    .map((route) => [
      code(`${route.method} ${route.path.replaceAll(/:(\w+)/g, "{$1}")}`),
      route.summary,
      membersText(route),
      code(route.action),
    ]);
  return `## ${group}\n\n${table(["Route", "Does", "Takes", "Scope"], rows)}`;
}

/** Names of what it takes; those that must be there are in bold. */
function membersText({ body, platformBody, query }: AdminRoute): string {
  const own = namesOf(body);
  const platform = namesOf(platformBody).filter(([name]) => !own.some(([known]) => known === name));
  const asked = namesOf(query).filter(([name]) => name !== "limit" && name !== "cursor");
  return [
    own.map(memberText).join(", "),
    platform.length > 0 ? `platform admins: ${platform.map(memberText).join(", ")}` : "",
    asked.length > 0 ? `?${asked.map(memberText).join(", ")}` : "",
  ]
    .filter((text) => text !== "")
    .join("; ");
}

const memberText = ([name, required]: readonly [string, boolean]): string =>
  required ? `**${code(name)}**` : code(name);

type Kind = Pick<z.core.JSONSchema.BaseSchema, "properties" | "required">;

function namesOf(schema: z.ZodType | undefined): readonly (readonly [string, boolean])[] {
  if (schema === undefined) return [];
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  // Of a union each has its own members; what all of them need must be there.
  const kinds: readonly Kind[] = json.oneOf ?? json.anyOf ?? [json];
  const names = new Set(kinds.flatMap(({ properties = {} }) => Object.keys(properties)));
  return [...names].map((name) => [name, kinds.every(({ required }) => required?.includes(name))]);
}
