import type { AdminRoute } from "#http/admin/admin-route.ts";
import { AUDIT_ROUTES } from "#http/admin/audit.ts";
import { BUDGET_ROUTES } from "#http/admin/budgets.ts";
import { keyRoutes } from "#http/admin/keys.ts";
import { memberRoutes } from "#http/admin/members.ts";
import { ORGANIZATION_ROUTES } from "#http/admin/organizations.ts";
import { POLICY_ROUTES } from "#http/admin/policies.ts";
import { PRICE_OVERRIDE_ROUTES } from "#http/admin/price-overrides.ts";
import { PROJECT_ROUTES } from "#http/admin/projects.ts";
import { serviceAccountRoutes } from "#http/admin/service-accounts.ts";
import { TEAM_ROUTES } from "#http/admin/teams.ts";

/** What handlers need of the gateway beyond the store. */
export interface AdminParts {
  /** Of the digests of keys and tokens. */
  readonly pepper: Buffer;
}

/**
 * The table of the admin API: routes, authorization, reference and OpenAPI document are made of it.
 * A resource is a file beside this one and a line here.
 */
export const adminRoutes = (parts: AdminParts): readonly AdminRoute[] => [
  ...ORGANIZATION_ROUTES,
  ...TEAM_ROUTES,
  ...PROJECT_ROUTES,
  ...memberRoutes(parts),
  ...serviceAccountRoutes(parts),
  ...keyRoutes(parts),
  ...POLICY_ROUTES,
  ...BUDGET_ROUTES,
  ...PRICE_OVERRIDE_ROUTES,
  ...AUDIT_ROUTES,
];
