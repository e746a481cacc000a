import type { AdminRoute } from "#http/admin/admin-route.ts";
import { ORGANIZATION_ROUTES } from "#http/admin/organizations.ts";
import { PROJECT_ROUTES } from "#http/admin/projects.ts";
import { TEAM_ROUTES } from "#http/admin/teams.ts";

/** The table of the admin API: routes, authorization, reference and OpenAPI document are made of it. */
export const ADMIN_ROUTES: readonly AdminRoute[] = [
  ...ORGANIZATION_ROUTES,
  ...TEAM_ROUTES,
  ...PROJECT_ROUTES,
];
