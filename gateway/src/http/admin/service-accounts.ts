import { deletedSchema, listOf } from "@turnpike/contract/api/conventions.ts";
import {
  adminKeyListQuery,
  adminKeyParams,
  adminKeySchema,
  memberListQuery,
  newAdminKeySchema,
  newServiceAccountSchema,
  serviceAccountParams,
  serviceAccountSchema,
  shownAdminKeySchema,
} from "@turnpike/contract/api/members.ts";

import { invalidRequest } from "#canonical/failure.ts";
import { createAdminKey, listAdminKeys, revokeAdminKey } from "#governance/admin-keys.ts";
import type { Deed } from "#governance/deed.ts";
import {
  adminKeyView,
  placeOfAdminKey,
  placeOfNewAdminKey,
  placeOfServiceAccount,
  serviceAccountsPage,
  serviceAccountView,
} from "#governance/people-views.ts";
import { ACTIONS, type Scope } from "#governance/permissions.ts";
import { placeOfOrganizationOrTeam } from "#governance/places.ts";
import { createServiceAccount, setServiceAccountDisabled } from "#governance/service-accounts.ts";
import { adminRoute } from "#http/admin/admin-route.ts";
import { pageOf } from "#http/admin/page.ts";

const ACCOUNTS = "Service accounts";
const KEYS = "Admin keys";

/** Scopes by their names. Throws `invalid_request` for one that there is not. */
function readScopeNames(names: readonly string[]): ReadonlySet<Scope> {
  const scopes = names.map((name, at) => {
    const scope = ACTIONS.find((known) => known === name);
    if (scope !== undefined) return scope;
    throw invalidRequest(
      `scopes.${at}`,
      `scopes.${at} is no scope. Scopes: ${ACTIONS.join(", ")}.`,
    );
  });
  return new Set(scopes);
}

const ownerOf = ({ actor }: Deed, ownerId: string | undefined): string => {
  const id = ownerId ?? actor.userId;
  if (id === null) throw invalidRequest("owner_id", "owner_id is needed: name a service account.");
  return id;
};

export const SERVICE_ACCOUNT_ROUTES = [
  adminRoute({
    method: "GET",
    path: "/api/service-accounts",
    group: ACCOUNTS,
    summary: "Lists service accounts: users that are no persons and own keys.",
    action: "service-accounts.read",
    query: memberListQuery,
    response: listOf(serviceAccountSchema),
    place: "reach",
    handle: ({ query, deed, reach }) =>
      pageOf(query, {
        rows: (page) => serviceAccountsPage(deed, { ...page, reach }),
        idOf: ({ id }) => id,
        view: serviceAccountView,
      }),
  }),
  adminRoute({
    method: "POST",
    path: "/api/service-accounts",
    group: ACCOUNTS,
    summary: "Makes a service account with a role at an organization or a team.",
    action: "service-accounts.write",
    seenBy: ({ body }) => (body.team_id === null ? "organizations.read" : "teams.read"),
    noun: "organization or team",
    body: newServiceAccountSchema,
    response: serviceAccountSchema,
    status: 201,
    place: ({ body, deed }) => placeOfOrganizationOrTeam(deed.core, body),
    handle: async ({ body, deed }) => {
      const row = await createServiceAccount(deed, {
        organizationId: body.organization_id,
        teamId: body.team_id,
        name: body.name,
        role: body.role,
      });
      return { body: serviceAccountView(row), version: row.version };
    },
  }),
  ...([true, false] as const).map((isDisabled) =>
    adminRoute({
      method: "POST",
      path: `/api/service-accounts/:service_account_id/${isDisabled ? "disable" : "enable"}`,
      group: ACCOUNTS,
      summary: isDisabled
        ? "Puts a service account, its keys and its admin keys out of force."
        : "Puts a service account back in force.",
      action: "service-accounts.write",
      params: serviceAccountParams,
      response: serviceAccountSchema,
      place: ({ params, deed }) => placeOfServiceAccount(deed.core, params.service_account_id),
      handle: async ({ params, deed }) => {
        const row = await setServiceAccountDisabled(deed, {
          id: params.service_account_id,
          isDisabled,
        });
        return { body: serviceAccountView(row), version: row.version };
      },
    }),
  ),
  adminRoute({
    method: "GET",
    path: "/api/admin-keys",
    group: KEYS,
    summary: "Lists the admin keys that you may see; without an organization, the platform's.",
    action: "admin-keys.read",
    query: adminKeyListQuery,
    response: listOf(adminKeySchema),
    place: "reach",
    handle: ({ query, deed, reach }) =>
      pageOf(query, {
        rows: async ({ after, limit }) => {
          const keys = await listAdminKeys(deed, organizationOf(query.organization_id, reach));
          const sorted = keys.toSorted((a, b) => (a.id < b.id ? 1 : -1));
          return sorted.filter(({ id }) => after === undefined || id < after).slice(0, limit);
        },
        idOf: ({ id }) => id,
        view: adminKeyView,
      }),
  }),
  adminRoute({
    method: "POST",
    path: "/api/admin-keys",
    group: KEYS,
    summary: "Makes an admin key for yourself or a service account; it is shown this once.",
    action: "admin-keys.write",
    seenBy: "organizations.read",
    noun: "organization",
    body: newAdminKeySchema,
    response: shownAdminKeySchema,
    status: 201,
    place: ({ body, deed }) => placeOfNewAdminKey(deed, body),
    handle: async ({ body, deed, parts }) => {
      const { key, stored } = await createAdminKey(deed, parts.pepper, {
        name: body.name,
        organizationId: body.organization_id,
        ownerId: ownerOf(deed, body.owner_id),
        scopes: readScopeNames(body.scopes),
        expiresAt: body.expires_at === null ? null : Date.parse(body.expires_at),
      });
      return { body: { ...adminKeyView(stored), key }, version: stored.version };
    },
  }),
  adminRoute({
    method: "DELETE",
    path: "/api/admin-keys/:admin_key_id",
    group: KEYS,
    summary: "Revokes an admin key, within a second on every gateway.",
    action: "admin-keys.write",
    params: adminKeyParams,
    response: deletedSchema,
    place: ({ params, deed }) => placeOfAdminKey(deed, params.admin_key_id),
    handle: async ({ params, deed, expected }) => {
      await revokeAdminKey(deed, params.admin_key_id, { expected });
      return { body: { id: params.admin_key_id, deleted: true } };
    },
  }),
];

/** Whose admin keys are meant: of the organization named, or of the only one there is for the actor. */
function organizationOf(
  named: string | undefined,
  reach: "all" | { readonly organizationIds: readonly string[] },
): string | null {
  if (named !== undefined) return named;
  return reach === "all" ? null : (reach.organizationIds[0] ?? null);
}
