import { deletedSchema, listOf } from "@turnpike/contract/api/conventions.ts";
import {
  newProjectSchema,
  projectChangeSchema,
  projectListQuery,
  projectParams,
  projectSchema,
} from "@turnpike/contract/api/projects.ts";

import { placeOfOrganizationOrTeam, placeOfProject } from "#governance/places.ts";
import {
  archiveProject,
  changeProject,
  createProject,
  getProject,
  listProjectsFor,
  projectView,
} from "#governance/projects.ts";
import { adminRoute } from "#http/admin/admin-route.ts";
import { pageOf } from "#http/admin/page.ts";

const group = "Projects";

export const PROJECT_ROUTES = [
  adminRoute({
    method: "GET",
    path: "/api/projects",
    group,
    summary: "Lists projects.",
    action: "projects.read",
    query: projectListQuery,
    response: listOf(projectSchema),
    place: "reach",
    handle: ({ query, deed, reach }) =>
      pageOf(query, {
        rows: (page) =>
          listProjectsFor(deed, {
            ...page,
            reach,
            archived: query.archived,
            teamId: query.team_id,
          }),
        idOf: ({ id }) => id,
        view: projectView,
      }),
  }),
  adminRoute({
    method: "POST",
    path: "/api/projects",
    group,
    summary: "Makes a project, of a team or of none.",
    action: "projects.write",
    seenBy: ({ body }) => (body.team_id === null ? "organizations.read" : "teams.read"),
    noun: "organization or team",
    body: newProjectSchema,
    response: projectSchema,
    status: 201,
    place: ({ body, deed }) => placeOfOrganizationOrTeam(deed.core, body),
    handle: async ({ body, deed }) => {
      const row = await createProject(deed, body);
      return { body: projectView(row), version: row.version };
    },
  }),
  adminRoute({
    method: "GET",
    path: "/api/projects/:project_id",
    group,
    summary: "Shows a project.",
    action: "projects.read",
    params: projectParams,
    response: projectSchema,
    place: ({ params, deed }) => placeOfProject(deed.core, params.project_id),
    handle: async ({ params, deed }) => {
      const row = await getProject(deed, params.project_id);
      return { body: projectView(row), version: row.version };
    },
  }),
  adminRoute({
    method: "PATCH",
    path: "/api/projects/:project_id",
    group,
    summary: "Changes a project. To move it, write access to its new team is needed, too.",
    action: "projects.write",
    params: projectParams,
    body: projectChangeSchema,
    response: projectSchema,
    needsVersion: true,
    place: ({ params, deed }) => placeOfProject(deed.core, params.project_id),
    handle: async ({ params, body, deed, expected }) => {
      const row = await changeProject(deed, params.project_id, { ...body, expected });
      return { body: projectView(row), version: row.version };
    },
  }),
  adminRoute({
    method: "DELETE",
    path: "/api/projects/:project_id",
    group,
    summary: "Archives a project: its keys are refused, its records stay.",
    action: "projects.write",
    params: projectParams,
    response: deletedSchema,
    place: ({ params, deed }) => placeOfProject(deed.core, params.project_id),
    handle: async ({ params, deed, expected }) => {
      await archiveProject(deed, params.project_id, { expected });
      return { body: { id: params.project_id, deleted: true } };
    },
  }),
];
