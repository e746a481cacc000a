import { deletedSchema, listOf } from "@turnpike/contract/api/conventions.ts";
import {
  newTeamSchema,
  teamChangeSchema,
  teamListQuery,
  teamParams,
  teamSchema,
} from "@turnpike/contract/api/teams.ts";

import { placeOfOrganization, placeOfTeam } from "#governance/places.ts";
import {
  archiveTeam,
  createTeam,
  getTeam,
  listTeamsFor,
  renameTeam,
  teamView,
} from "#governance/teams.ts";
import { adminRoute } from "#http/admin/admin-route.ts";
import { pageOf } from "#http/admin/page.ts";

const group = "Teams";

export const TEAM_ROUTES = [
  adminRoute({
    method: "GET",
    path: "/api/teams",
    group,
    summary: "Lists teams.",
    action: "teams.read",
    query: teamListQuery,
    response: listOf(teamSchema),
    place: "reach",
    handle: ({ query, deed, reach }) =>
      pageOf(query, {
        rows: (page) => listTeamsFor(deed, { ...page, reach, archived: query.archived }),
        idOf: ({ id }) => id,
        view: teamView,
      }),
  }),
  adminRoute({
    method: "POST",
    path: "/api/teams",
    group,
    summary: "Makes a team.",
    action: "teams.write",
    seenBy: "organizations.read",
    noun: "organization",
    body: newTeamSchema,
    response: teamSchema,
    status: 201,
    place: ({ body, deed }) => placeOfOrganization(deed.core, body.organization_id),
    handle: async ({ body, deed }) => {
      const { organization_id: organizationId, name } = body;
      const row = await createTeam(deed, { organizationId, name });
      return { body: teamView(row), version: row.version };
    },
  }),
  adminRoute({
    method: "GET",
    path: "/api/teams/:team_id",
    group,
    summary: "Shows a team.",
    action: "teams.read",
    params: teamParams,
    response: teamSchema,
    place: ({ params, deed }) => placeOfTeam(deed.core, params.team_id),
    handle: async ({ params, deed }) => {
      const row = await getTeam(deed, params.team_id);
      return { body: teamView(row), version: row.version };
    },
  }),
  adminRoute({
    method: "PATCH",
    path: "/api/teams/:team_id",
    group,
    summary: "Renames a team.",
    action: "teams.write",
    params: teamParams,
    body: teamChangeSchema,
    response: teamSchema,
    needsVersion: true,
    place: ({ params, deed }) => placeOfTeam(deed.core, params.team_id),
    handle: async ({ params, body, deed, expected }) => {
      const row = await renameTeam(deed, params.team_id, { name: body.name, expected });
      return { body: teamView(row), version: row.version };
    },
  }),
  adminRoute({
    method: "DELETE",
    path: "/api/teams/:team_id",
    group,
    summary: "Archives a team that has no projects.",
    action: "teams.write",
    params: teamParams,
    response: deletedSchema,
    place: ({ params, deed }) => placeOfTeam(deed.core, params.team_id),
    handle: async ({ params, deed, expected }) => {
      await archiveTeam(deed, params.team_id, { expected });
      return { body: { id: params.team_id, deleted: true } };
    },
  }),
];
