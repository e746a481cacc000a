import {
  newOrganizationSchema,
  organizationChangeSchema,
  organizationListQuery,
  organizationParams,
  organizationPlatformChangeSchema,
  organizationSchema,
} from "@turnpike/contract/api/organizations.ts";
import { listOf } from "@turnpike/contract/api/conventions.ts";

import { WHOLE_PLATFORM } from "#governance/permissions.ts";
import {
  changeOrganization,
  createOrganization,
  getOrganization,
  organizationsOfActor,
  organizationView,
} from "#governance/organizations.ts";
import { placeOfOrganization } from "#governance/places.ts";
import { adminRoute } from "#http/admin/admin-route.ts";
import { pageOf } from "#http/admin/page.ts";

const group = "Organizations";

export const ORGANIZATION_ROUTES = [
  adminRoute({
    method: "GET",
    path: "/api/organizations",
    group,
    summary: "Lists the organizations that you belong to; a platform admin's are all.",
    action: "organizations.read",
    query: organizationListQuery,
    response: listOf(organizationSchema),
    place: "reach",
    handle: ({ query, deed }) =>
      pageOf(query, {
        rows: (page) => organizationsOfActor(deed, page),
        idOf: ({ id }) => id,
        view: organizationView,
      }),
  }),
  adminRoute({
    method: "POST",
    path: "/api/organizations",
    group,
    summary: "Makes an organization.",
    action: "organizations.create",
    body: newOrganizationSchema,
    response: organizationSchema,
    status: 201,
    place: () => WHOLE_PLATFORM,
    handle: async ({ body, deed }) => {
      const row = await createOrganization(deed, body);
      return { body: organizationView(row), version: row.version };
    },
  }),
  adminRoute({
    method: "GET",
    path: "/api/organizations/:organization_id",
    group,
    summary: "Shows an organization.",
    action: "organizations.read",
    params: organizationParams,
    response: organizationSchema,
    place: ({ params, deed }) => placeOfOrganization(deed.core, params.organization_id),
    handle: async ({ params, deed }) => {
      const row = await getOrganization(deed, params.organization_id);
      return { body: organizationView(row), version: row.version };
    },
  }),
  adminRoute({
    method: "PATCH",
    path: "/api/organizations/:organization_id",
    group,
    summary:
      "Changes an organization. Plan, slug, credit limit, fee and disabling are the platform's.",
    action: "organizations.update",
    params: organizationParams,
    body: organizationChangeSchema,
    platformBody: organizationPlatformChangeSchema,
    response: organizationSchema,
    needsVersion: true,
    place: ({ params, deed }) => placeOfOrganization(deed.core, params.organization_id),
    handle: async ({ params, body, deed, expected }) => {
      const row = await changeOrganization(deed, params.organization_id, { ...body, expected });
      return { body: organizationView(row), version: row.version };
    },
  }),
];
