import type { AdminRoute } from "#http/admin/admin-route.ts";
import { ALERT_ROUTES } from "#http/admin/alerts.ts";
import { AUDIT_ROUTES } from "#http/admin/audit.ts";
import { BUDGET_ROUTES } from "#http/admin/budgets.ts";
import { CREDENTIAL_ROUTES } from "#http/admin/credentials.ts";
import { CREDIT_ROUTES } from "#http/admin/credits.ts";
import { GATE_PAY_ROUTES } from "#http/admin/gate-pay.ts";
import { KEY_ROUTES } from "#http/admin/keys.ts";
import { MEMBER_ROUTES } from "#http/admin/members.ts";
import { ORGANIZATION_ROUTES } from "#http/admin/organizations.ts";
import { PAYMENT_ROUTES } from "#http/admin/payments.ts";
import { POLICY_ROUTES } from "#http/admin/policies.ts";
import { PRICE_OVERRIDE_ROUTES } from "#http/admin/price-overrides.ts";
import { PRIVACY_ROUTES } from "#http/admin/privacy.ts";
import { PROJECT_ROUTES } from "#http/admin/projects.ts";
import { RECORD_ROUTES } from "#http/admin/records.ts";
import { SERVICE_ACCOUNT_ROUTES } from "#http/admin/service-accounts.ts";
import { TEAM_ROUTES } from "#http/admin/teams.ts";

/**
 * The table of the admin API: routes, authorization, reference and OpenAPI document are made of it.
 * A resource is a file beside this one and a line here.
 */
export const ADMIN_ROUTES: readonly AdminRoute[] = [
  ...ORGANIZATION_ROUTES,
  ...TEAM_ROUTES,
  ...PROJECT_ROUTES,
  ...MEMBER_ROUTES,
  ...SERVICE_ACCOUNT_ROUTES,
  ...KEY_ROUTES,
  ...POLICY_ROUTES,
  ...BUDGET_ROUTES,
  ...CREDIT_ROUTES,
  ...GATE_PAY_ROUTES,
  ...PAYMENT_ROUTES,
  ...PRICE_OVERRIDE_ROUTES,
  ...CREDENTIAL_ROUTES,
  ...AUDIT_ROUTES,
  ...RECORD_ROUTES,
  ...ALERT_ROUTES,
  ...PRIVACY_ROUTES,
];
