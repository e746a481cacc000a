import type { Role } from "@turnpike/contract/governance.ts";

import { GatewayError } from "#canonical/failure.ts";
import { changeAudited } from "#governance/audit.ts";
import type { Deed } from "#governance/deed.ts";
import { checkMayGiveRole } from "#governance/grants.ts";
import { belongsTo } from "#governance/permissions.ts";
import { newId } from "#lib/ids.ts";
import { insertMembership, membershipsOf } from "#store/memberships.ts";
import { findUser, insertUser, updateUser, type StoredUser } from "#store/users.ts";

interface NewServiceAccount {
  readonly organizationId: string;
  /** `null`: of the whole organization. */
  readonly teamId: string | null;
  readonly name: string;
  readonly role: Role;
}

/**
 * Makes a user that is no person: it owns keys and admin keys, and cannot sign in. Throws `forbidden`
 * when its role would be beyond the actor's.
 */
export const createServiceAccount = (
  deed: Deed,
  { organizationId, teamId, name, role }: NewServiceAccount,
): Promise<StoredUser> =>
  changeAudited(deed, async ({ transaction, version, audit }) => {
    checkMayGiveRole(deed.actor, { organizationId, teamId, role }, "service-accounts.write");
    const account: StoredUser = {
      id: newId("user_", deed.now),
      kind: "service",
      organization_id: organizationId,
      email: null,
      name,
      password_hash: null,
      oidc_issuer: null,
      oidc_subject: null,
      is_platform_admin: 0,
      created_at: deed.now,
      disabled_at: null,
      version,
    };
    await insertUser(transaction, account);
    const membership = {
      id: newId("mem_", deed.now),
      user_id: account.id,
      organization_id: organizationId,
      team_id: teamId,
      role,
      source: "manual",
      created_at: deed.now,
      version,
    } as const;
    await insertMembership(transaction, membership);
    const target = { kind: "service-account", id: account.id } as const;
    await audit({ action: "service-accounts.create", target, organizationId, after: account });
    await audit({
      action: "members.create",
      target: { kind: "membership", id: membership.id },
      organizationId,
      after: membership,
    });
    return account;
  });

/** Puts a service account out of force with its keys and admin keys, or back. Throws `not_found`, `forbidden`. */
export const setServiceAccountDisabled = (
  deed: Deed,
  { id, isDisabled }: { readonly id: string; readonly isDisabled: boolean },
): Promise<StoredUser> =>
  changeAudited(deed, async ({ transaction, version, audit }) => {
    const before = await findUser(transaction, id);
    const organizationId = before?.organization_id ?? null;
    const isThere =
      before?.kind === "service" &&
      organizationId !== null &&
      belongsTo(deed.actor, organizationId);
    if (!isThere) {
      throw new GatewayError({ code: "not_found", message: "There is no such service account." });
    }
    for (const membership of await membershipsOf(transaction, id)) {
      const { organization_id, team_id, role } = membership;
      const place = { organizationId: organization_id, teamId: team_id, role };
      checkMayGiveRole(deed.actor, place, "service-accounts.write");
    }
    const after = { ...before, disabled_at: isDisabled ? deed.now : null, version };
    await updateUser(transaction, id, after);
    const action = isDisabled ? "service-accounts.disable" : "service-accounts.enable";
    const target = { kind: "service-account", id } as const;
    await audit({ action, target, organizationId, before, after });
    return after;
  });
