import type { OidcSection } from "@turnpike/contract/config-auth.ts";
import { ROLES, type Role } from "@turnpike/contract/governance.ts";
import type { Transaction } from "kysely";

import type { Change } from "#governance/audit.ts";
import { isLastOwner } from "#governance/members.ts";
import { newId } from "#lib/ids.ts";
import {
  deleteMembership,
  insertMembership,
  membershipsOf,
  updateMembership,
  type StoredMembership,
} from "#store/memberships.ts";
import { findPlaceByName } from "#store/places.ts";
import type { CoreTables } from "#store/schema.ts";
import { deleteSessionsOf } from "#store/sessions.ts";
import type { StoredUser } from "#store/users.ts";

/** A role that a group of the provider gives. */
export interface GroupRole {
  readonly organizationId: string;
  readonly teamId: string | null;
  readonly role: Role;
}

/** What the settings give to members of these groups; organizations and teams that are gone give nothing. */
export async function rolesOfGroups(
  transaction: Transaction<CoreTables>,
  { groups: rules = {} }: OidcSection,
  groups: readonly string[],
): Promise<readonly GroupRole[]> {
  const grants = groups
    .filter((group) => Object.hasOwn(rules, group))
    .flatMap((group) => rules[group] ?? []);
  const roles = new Map<string, GroupRole>();
  for (const { organization, team, role } of grants) {
    const place = await findPlaceByName(transaction, organization, team);
    if (place === undefined) continue;
    const name = placeName(place);
    const known = roles.get(name);
    if (known === undefined || ROLES.indexOf(role) < ROLES.indexOf(known.role)) {
      roles.set(name, { ...place, role });
    }
  }
  return [...roles.values()];
}

interface Applied {
  readonly user: StoredUser;
  readonly roles: readonly GroupRole[];
  readonly now: number;
}

/**
 * Makes the roles that came from groups those that they give now. What was given by hand stays, and
 * so does an organization's last owner. Where anything changes, sessions end.
 */
export async function applyGroupRoles(change: Change, applied: Applied): Promise<void> {
  const existing = await membershipsOf(change.transaction, applied.user.id);
  const changes = [
    ...(await removeLost(change, applied, existing)),
    ...(await addGained(change, applied, existing)),
  ];
  if (changes.length > 0) await deleteSessionsOf(change.transaction, applied.user.id);
}

async function removeLost(
  { transaction, audit }: Change,
  { roles }: Applied,
  existing: readonly StoredMembership[],
): Promise<readonly string[]> {
  const wanted = new Set(roles.map(placeName));
  const lost = existing.filter(
    (membership) => membership.source === "oidc" && !wanted.has(placeName(placeOf(membership))),
  );
  const removed: string[] = [];
  for (const before of lost) {
    if (await isLastOwner(transaction, before)) continue;
    await deleteMembership(transaction, before.id);
    const target = { kind: "membership", id: before.id } as const;
    const organizationId = before.organization_id;
    await audit({ action: "members.delete", target, organizationId, before });
    removed.push(before.id);
  }
  return removed;
}

async function addGained(
  change: Change,
  applied: Applied,
  existing: readonly StoredMembership[],
): Promise<readonly string[]> {
  const changed: string[] = [];
  for (const wanted of applied.roles) {
    const before = existing.find((one) => placeName(placeOf(one)) === placeName(wanted));
    if (before !== undefined && (await mustStay(change, before, wanted))) continue;
    changed.push(await giveRole(change, applied, { before, wanted }));
  }
  return changed;
}

/** It is as the group says already, was given by hand, or is the last owner's. */
const mustStay = async (
  { transaction }: Change,
  before: StoredMembership,
  wanted: GroupRole,
): Promise<boolean> =>
  before.source !== "oidc" ||
  before.role === wanted.role ||
  (await isLastOwner(transaction, before));

interface Giving {
  readonly before: StoredMembership | undefined;
  readonly wanted: GroupRole;
}

async function giveRole(
  { transaction, version, audit }: Change,
  { user, now }: Applied,
  { before, wanted }: Giving,
): Promise<string> {
  const after: StoredMembership = {
    id: before?.id ?? newId("mem_", now),
    user_id: user.id,
    organization_id: wanted.organizationId,
    team_id: wanted.teamId,
    role: wanted.role,
    source: "oidc",
    created_at: before?.created_at ?? now,
    version,
  };
  await (before === undefined
    ? insertMembership(transaction, after)
    : updateMembership(transaction, after.id, after));
  const action = before === undefined ? "members.create" : "members.update";
  const target = { kind: "membership", id: after.id } as const;
  await audit({ action, target, organizationId: wanted.organizationId, before, after });
  return after.id;
}

type Place = Pick<GroupRole, "organizationId" | "teamId">;

const placeOf = (membership: StoredMembership): Place => ({
  organizationId: membership.organization_id,
  teamId: membership.team_id,
});

const placeName = ({ organizationId, teamId }: Place): string =>
  `${organizationId} ${teamId ?? ""}`;
