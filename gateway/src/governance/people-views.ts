import type {
  AdminKeyView,
  InvitationView,
  MemberView,
  ServiceAccountView,
} from "@turnpike/contract/api/members.ts";

import { scopesOf } from "#governance/admin-keys.ts";
import { found, timeOrNull, timeText } from "#governance/checks.ts";
import type { Deed } from "#governance/deed.ts";
import type { ResetLink } from "#governance/password-reset.ts";
import { WHOLE_PLATFORM, type Place } from "#governance/permissions.ts";
import { findAdminKey, type StoredAdminKey } from "#store/admin-keys.ts";
import { findInvitation, type StoredInvitation } from "#store/invitations.ts";
import { findMembership, membershipsOf, type MemberRow } from "#store/memberships.ts";
import { findOrganization } from "#store/organizations.ts";
import { pageOfInvitations, pageOfMembers, pageOfServiceAccounts } from "#store/people-pages.ts";
import { findUser, type StoredUser } from "#store/users.ts";

export const memberView = (row: MemberRow): MemberView => ({
  object: "member",
  id: row.id,
  user_id: row.user_id,
  organization_id: row.organization_id,
  team_id: row.team_id,
  role: row.role,
  source: row.source,
  kind: row.kind,
  name: row.name,
  email: row.email,
  created_at: timeText(row.created_at),
  disabled_at: timeOrNull(row.disabled_at),
});

export function invitationView(row: StoredInvitation, now: number): InvitationView {
  return {
    object: "invitation",
    id: row.id,
    organization_id: row.organization_id,
    team_id: row.team_id,
    email: row.email,
    role: row.role,
    state: stateOf(row, now),
    invited_by: row.invited_by,
    created_at: timeText(row.created_at),
    expires_at: timeText(row.expires_at),
  };
}

function stateOf(row: StoredInvitation, now: number): InvitationView["state"] {
  if (row.accepted_at !== null) return "accepted";
  if (row.revoked_at !== null) return "revoked";
  return row.expires_at <= now ? "expired" : "open";
}

export const serviceAccountView = (row: StoredUser): ServiceAccountView => ({
  object: "service_account",
  id: row.id,
  organization_id: row.organization_id ?? "",
  name: row.name,
  created_at: timeText(row.created_at),
  disabled_at: timeOrNull(row.disabled_at),
});

export const adminKeyView = (row: StoredAdminKey): AdminKeyView => ({
  object: "admin_key",
  id: row.id,
  organization_id: row.organization_id,
  owner_id: row.user_id,
  name: row.name,
  hint: row.hint,
  scopes: [...scopesOf(row)],
  created_at: timeText(row.created_at),
  expires_at: timeOrNull(row.expires_at),
  revoked_at: timeOrNull(row.revoked_at),
  last_used_at: timeOrNull(row.last_used_at),
});

type Core = Deed["core"];
type Page = Parameters<typeof pageOfMembers>[1];

export const membersPage = ({ core }: Deed, page: Page): Promise<readonly MemberRow[]> =>
  pageOfMembers(core, page);
export const invitationsPage = ({ core }: Deed, page: Page): Promise<readonly StoredInvitation[]> =>
  pageOfInvitations(core, page);
export const serviceAccountsPage = ({ core }: Deed, page: Page): Promise<readonly StoredUser[]> =>
  pageOfServiceAccounts(core, page);

export async function placeOfMember(core: Core, id: string): Promise<Place | undefined> {
  const row = await findMembership(core, id);
  return row && { organizationId: row.organization_id, teamId: row.team_id };
}

/** A membership with the person it is of. */
export async function getMember({ core }: Deed, id: string): Promise<MemberRow> {
  const membership = found(await findMembership(core, id), "member");
  const { kind, email, name, disabled_at } = found(
    await findUser(core, membership.user_id),
    "member",
  );
  return { ...membership, kind, email, name, disabled_at };
}

export const resetLinkView = ({ token, userId, expiresAt }: ResetLink) => ({
  object: "password_reset" as const,
  user_id: userId,
  expires_at: new Date(expiresAt).toISOString(),
  token,
});

export async function placeOfInvitation(core: Core, id: string): Promise<Place | undefined> {
  const row = await findInvitation(core, id);
  return row && { organizationId: row.organization_id, teamId: row.team_id };
}

/** Of a service account: its first membership's. */
export async function placeOfServiceAccount(core: Core, id: string): Promise<Place | undefined> {
  const user = await findUser(core, id);
  if (user?.kind !== "service" || user.organization_id === null) return undefined;
  const [membership] = await membershipsOf(core, id);
  return { organizationId: user.organization_id, teamId: membership?.team_id ?? null };
}

/** Of an admin key: its organization's; its owner finds it in their own team, too. */
export async function placeOfAdminKey(
  { core, actor }: Deed,
  id: string,
): Promise<Place | undefined> {
  const row = await findAdminKey(core, id);
  if (row === undefined) return undefined;
  const { organization_id: organizationId, user_id: ownerId } = row;
  const own = actor.memberships.find((membership) => membership.organizationId === organizationId);
  return { organizationId, teamId: own?.teamId ?? null, ownerId };
}

/** Where an admin key would lie: members of a team make their own there, too. */
export async function placeOfNewAdminKey(
  { core, actor }: Deed,
  wanted: { readonly organization_id: string | null; readonly owner_id?: string | undefined },
): Promise<Place | undefined> {
  const { organization_id: organizationId } = wanted;
  if (organizationId === null) return WHOLE_PLATFORM;
  if ((await findOrganization(core, organizationId)) === undefined) return undefined;
  const own = actor.memberships.find((membership) => membership.organizationId === organizationId);
  return {
    organizationId,
    teamId: own?.teamId ?? null,
    ownerId: wanted.owner_id ?? actor.userId,
  };
}
