import { deletedSchema, listOf } from "@turnpike/contract/api/conventions.ts";
import {
  effectivePolicyQuery,
  effectivePolicySchema,
  policyBodySchema,
  policyListQuery,
  policyParams,
  policySchema,
} from "@turnpike/contract/api/policies.ts";
import type { Level } from "@turnpike/contract/governance.ts";

import { invalidRequest } from "#canonical/failure.ts";
import { found } from "#governance/checks.ts";
import type { Deed } from "#governance/deed.ts";
import { placeOfAttached, placeOfTarget } from "#governance/places.ts";
import {
  deletePolicy,
  getPolicy,
  listPoliciesFor,
  policyView,
  putPolicy,
} from "#governance/policies.ts";
import { adminRoute } from "#http/admin/admin-route.ts";
import { pageOf } from "#http/admin/page.ts";

const group = "Policies";

interface Params {
  readonly level: Level;
  readonly target_id: string;
}

const ofPolicy = {
  group,
  path: "/api/policies/:level/:target_id",
  noun: "target or policy",
  params: policyParams,
  place: ({ params, deed }: { params: Params; deed: Deed }) =>
    placeOfAttached(deed.core, params.level, params.target_id),
} as const;

const targetOf = ({ level, target_id: targetId }: Params) => ({ level, targetId });

interface Asked {
  readonly key_id?: string | undefined;
  readonly project_id?: string | undefined;
}

/** Throws `invalid_request` unless exactly one is named. */
function askedOf({ key_id: key, project_id: project }: Asked) {
  if (key !== undefined && project === undefined) return { level: "key", id: key } as const;
  if (project !== undefined && key === undefined) return { level: "project", id: project } as const;
  throw invalidRequest("key_id", "Name one: key_id or project_id.");
}

export const POLICY_ROUTES = [
  adminRoute({
    method: "GET",
    path: "/api/policies",
    group,
    summary: "Lists the policies that are attached somewhere.",
    action: "policies.read",
    query: policyListQuery,
    response: listOf(policySchema),
    place: "reach",
    handle: ({ query, deed, reach }) =>
      pageOf(query, {
        rows: (page) => listPoliciesFor(deed, { ...page, reach }),
        idOf: ({ id }) => id,
        view: policyView,
      }),
  }),
  adminRoute({
    method: "GET",
    path: "/api/policies/effective",
    group,
    summary: "Explains what holds for a key or a project, part by part, and which level says so.",
    action: "policies.read",
    noun: "key or project",
    query: effectivePolicyQuery,
    response: effectivePolicySchema,
    place: ({ query, deed }) => {
      const { level, id } = askedOf(query);
      return placeOfTarget(deed.core, level, id);
    },
    handle: async ({ query, parts }) => {
      const { level, id } = askedOf(query);
      const explained = found(await parts.explainPolicy({ level, id }), "key or project");
      return {
        body: {
          object: "effective_policy" as const,
          level,
          target_id: id,
          parts: explained.map(({ part, rule, effective, from }) => ({
            part,
            rule,
            effective,
            from: from.map(({ targetId, ...origin }) => ({ ...origin, target_id: targetId })),
          })),
        },
      };
    },
  }),
  adminRoute({
    ...ofPolicy,
    method: "GET",
    summary: "Shows the policy of an organization, team, project or key.",
    action: "policies.read",
    response: policySchema,
    handle: async ({ params, deed }) => {
      const row = await getPolicy(deed, targetOf(params));
      return { body: policyView(row), version: row.version };
    },
  }),
  adminRoute({
    ...ofPolicy,
    method: "PUT",
    summary: "Attaches a policy, in place of the one that is there: that needs its ETag.",
    action: "policies.write",
    body: policyBodySchema,
    response: policySchema,
    handle: async ({ params, body, deed, expected, ifMatch }) => {
      const row = await putPolicy(deed, {
        ...targetOf(params),
        document: body.document,
        expected,
        needsVersion: ifMatch !== "any",
      });
      return { body: policyView(row), version: row.version };
    },
  }),
  adminRoute({
    ...ofPolicy,
    method: "DELETE",
    summary: "Takes a policy off.",
    action: "policies.write",
    response: deletedSchema,
    handle: async ({ params, deed, expected }) => {
      const { id } = await deletePolicy(deed, { ...targetOf(params), expected });
      return { body: { id, deleted: true } };
    },
  }),
];
