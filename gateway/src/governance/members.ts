import type { Role } from "@turnpike/contract/governance.ts";

import { GatewayError } from "#canonical/failure.ts";
import type { ActorMembership } from "#governance/actor.ts";
import { changeAudited, type Change } from "#governance/audit.ts";
import { checkVersion, type Versioned } from "#governance/checks.ts";
import type { Deed } from "#governance/deed.ts";
import { checkMayGiveRole } from "#governance/grants.ts";
import { belongsTo, can } from "#governance/permissions.ts";
import {
  countOwners,
  deleteMembership,
  findMembership,
  updateMembership,
  type StoredMembership,
} from "#store/memberships.ts";
import { deleteSessionsOf } from "#store/sessions.ts";
import { findUser, updateUser } from "#store/users.ts";

interface RoleChange extends Versioned {
  readonly membershipId: string;
  readonly role: Role;
}

/**
 * Gives a member another role; its sessions end. Throws `not_found`, `forbidden` (the old or the new
 * role is beyond the actor's), `precondition_failed`, `conflict` (the last owner).
 */
export const changeMemberRole = (
  deed: Deed,
  { membershipId, role, expected }: RoleChange,
): Promise<StoredMembership> =>
  changeAudited(deed, async (change) => {
    const before = await membershipWithin(change, deed, membershipId);
    checkMayGiveRole(deed.actor, { ...placeOf(before), role });
    checkVersion(before, expected);
    if (role !== "owner") await checkOwnerRemains(change, before);
    // A role given by hand stays when the groups of the identity provider say otherwise.
    const after = { ...before, role, source: "manual", version: change.version } as const;
    await updateMembership(change.transaction, before.id, after);
    await deleteSessionsOf(change.transaction, before.user_id);
    await change.audit({ action: "members.update", ...targetOf(before), before, after });
    return after;
  });

/** Takes a member out; its sessions end. Everybody may leave by themselves. */
export const removeMember = (
  deed: Deed,
  membershipId: string,
  { expected }: Versioned = {},
): Promise<void> =>
  changeAudited(deed, async (change) => {
    const before = await membershipWithin(change, deed, membershipId);
    checkVersion(before, expected);
    await checkOwnerRemains(change, before);
    await deleteMembership(change.transaction, before.id);
    await deleteSessionsOf(change.transaction, before.user_id);
    await change.audit({ action: "members.delete", ...targetOf(before), before });
  });

/**
 * Disables a user wherever it belongs, or lets it in again; its sessions end, its keys and admin keys rest.
 * People: by platform admins; service accounts: by whoever could have made them.
 */
export const setUserDisabled = (
  deed: Deed,
  { userId, isDisabled }: { readonly userId: string; readonly isDisabled: boolean },
): Promise<void> =>
  changeAudited(deed, async (change) => {
    const before = await findUser(change.transaction, userId);
    if (before?.kind !== "person") throw noSuch("user");
    if (!can(deed.actor, "users.disable", { organizationId: null })) throw noSuch("user");
    if (isDisabled && deed.actor.userId === userId) {
      throw new GatewayError({ code: "conflict", message: "You cannot disable yourself." });
    }
    const after = { ...before, disabled_at: isDisabled ? deed.now : null, version: change.version };
    await updateUser(change.transaction, userId, after);
    await deleteSessionsOf(change.transaction, userId);
    const target = { kind: "user", id: userId } as const;
    const action = isDisabled ? "users.disable" : "users.enable";
    await change.audit({ action, target, organizationId: null, before, after });
  });

async function membershipWithin(
  { transaction }: Change,
  { actor }: Deed,
  id: string,
): Promise<StoredMembership> {
  const membership = await findMembership(transaction, id);
  if (membership === undefined || !belongsTo(actor, membership.organization_id)) {
    throw noSuch("membership");
  }
  const isOwn = actor.userId === membership.user_id && actor.scopes === undefined;
  if (!isOwn) checkMayGiveRole(actor, placeOf(membership));
  return membership;
}

async function checkOwnerRemains({ transaction }: Change, before: StoredMembership): Promise<void> {
  if (!(await isLastOwner(transaction, before))) return;
  throw new GatewayError({
    code: "conflict",
    message: "This is the organization's last owner. Make somebody else an owner first.",
  });
}

/** Whether without this membership nobody who can sign in would own the organization. */
export async function isLastOwner(
  transaction: Change["transaction"],
  membership: StoredMembership,
): Promise<boolean> {
  if (membership.role !== "owner" || membership.team_id !== null) return false;
  const user = await findUser(transaction, membership.user_id);
  if (user?.kind !== "person" || user.disabled_at !== null) return false;
  return (await countOwners(transaction, membership.organization_id)) <= 1;
}

const placeOf = (membership: StoredMembership): ActorMembership => ({
  organizationId: membership.organization_id,
  teamId: membership.team_id,
  role: membership.role,
});

const targetOf = (membership: StoredMembership) =>
  ({
    target: { kind: "membership", id: membership.id },
    organizationId: membership.organization_id,
  }) as const;

const noSuch = (what: string): GatewayError =>
  new GatewayError({ code: "not_found", message: `There is no such ${what}.` });
