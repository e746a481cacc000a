import type { Role } from "@turnpike/contract/governance.ts";

import { GatewayError } from "#canonical/failure.ts";
import type { Actor } from "#governance/actor.ts";
import { changeAudited, type Change } from "#governance/audit.ts";
import { actorOf } from "#governance/authenticate-actor.ts";
import { checkVersion, type Versioned } from "#governance/checks.ts";
import type { Deed } from "#governance/deed.ts";
import { checkMayGiveRole, mayGiveRole } from "#governance/grants.ts";
import { checkNewPassword, hashPassword } from "#governance/password.ts";
import { newPerson, readEmail, readName } from "#governance/people.ts";
import { belongsTo, can } from "#governance/permissions.ts";
import { digestOfToken, randomToken } from "#governance/secret-token.ts";
import { strangerActor } from "#governance/sign-in.ts";
import { newId } from "#lib/ids.ts";
import {
  closeInvitation,
  findInvitation,
  findInvitationByDigest,
  insertInvitation,
  type StoredInvitation,
} from "#store/invitations.ts";
import { activeMembershipsOf, insertMembership, membershipsOf } from "#store/memberships.ts";
import { deleteSessionsOf } from "#store/sessions.ts";
import { findUser, findUserByEmail, insertUser, type StoredUser } from "#store/users.ts";

const VALID_MS = 7 * 24 * 60 * 60_000;

interface NewInvitation {
  readonly organizationId: string;
  /** `null`: to the whole organization. */
  readonly teamId: string | null;
  readonly email: string;
  readonly role: Role;
}

/**
 * Invites the holder of an address; the token for the link is given this once. Throws `forbidden`
 * when the role is beyond the actor's.
 */
export const inviteMember = (
  deed: Deed,
  pepper: Buffer,
  { organizationId, teamId, email, role }: NewInvitation,
): Promise<{ readonly token: string; readonly stored: StoredInvitation }> =>
  changeAudited(deed, async ({ transaction, audit }) => {
    checkMayGiveRole(deed.actor, { organizationId, teamId, role }, "invitations.write");
    const token = randomToken();
    const stored: StoredInvitation = {
      id: newId("inv_", deed.now),
      organization_id: organizationId,
      team_id: teamId,
      email: readEmail(email),
      role,
      token_digest: digestOfToken(pepper, "invitation", token),
      invited_by: deed.actor.userId ?? "operator",
      created_at: deed.now,
      expires_at: deed.now + VALID_MS,
      accepted_at: null,
      revoked_at: null,
    };
    await insertInvitation(transaction, stored);
    const target = { kind: "invitation", id: stored.id } as const;
    await audit({ action: "invitations.create", target, organizationId, after: stored });
    return { token, stored };
  });

/** An invitation changes once: when it is used or taken back. */
export const versionOfInvitation = (row: StoredInvitation): number =>
  row.accepted_at === null && row.revoked_at === null ? 1 : 2;

/**
 * Takes an invitation back. Throws `not_found`, `forbidden`, `precondition_failed`, `conflict` (used
 * or revoked already).
 */
export const revokeInvitation = (
  deed: Deed,
  id: string,
  { expected }: Versioned = {},
): Promise<void> =>
  changeAudited(deed, async ({ transaction, audit }) => {
    const before = await findInvitation(transaction, id);
    if (before === undefined || !belongsTo(deed.actor, before.organization_id)) {
      throw new GatewayError({ code: "not_found", message: "There is no such invitation." });
    }
    const { organization_id: organizationId, team_id: teamId } = before;
    if (!can(deed.actor, "invitations.write", { organizationId, teamId })) {
      throw new GatewayError({
        code: "forbidden",
        message: "You may not revoke invitations here.",
      });
    }
    checkVersion({ version: versionOfInvitation(before) }, expected);
    const isClosed = await closeInvitation(transaction, id, { revoked_at: deed.now });
    if (!isClosed) {
      throw new GatewayError({ code: "conflict", message: "The invitation is not open any more." });
    }
    const target = { kind: "invitation", id } as const;
    const after = { ...before, revoked_at: deed.now };
    await audit({ action: "invitations.revoke", target, organizationId, before, after });
  });

/** An invitation that can be accepted. Throws `not_found` in the same words for all others. */
export async function openInvitation(
  { core, now }: Pick<Deed, "core" | "now">,
  pepper: Buffer,
  token: string,
): Promise<StoredInvitation> {
  const digest = digestOfToken(pepper, "invitation", token);
  const invitation = await findInvitationByDigest(core, digest);
  const isOpen =
    invitation !== undefined &&
    invitation.accepted_at === null &&
    invitation.revoked_at === null &&
    invitation.expires_at > now;
  if (!isOpen) throw new GatewayError(NOT_OPEN);
  return invitation;
}

interface Acceptance {
  readonly token: string;
  /** Of somebody new. */
  readonly name?: string | undefined;
  readonly password?: string | undefined;
  /** Who is signed in already, if anybody is. */
  readonly signedIn?: Actor | undefined;
}

/**
 * Accepts an invitation: somebody new sets a password, whoever has an account must be signed in with
 * the invited address. Other sessions of the person end. Throws `not_found`, `conflict`, `forbidden`.
 */
export async function acceptInvitation(
  deed: Omit<Deed, "actor">,
  pepper: Buffer,
  acceptance: Acceptance,
): Promise<StoredUser> {
  const invitation = await openInvitation(deed, pepper, acceptance.token);
  const known = await findUserByEmail(deed.core, invitation.email);
  const passwordHash = known === undefined ? await newPasswordHash(acceptance, invitation) : null;
  if (known !== undefined) checkIsSignedIn(known, acceptance.signedIn);
  const actor = acceptance.signedIn ?? strangerActor(invitation.email);
  return changeAudited({ ...deed, actor }, async (change) => {
    await checkInviter(change, invitation);
    const accepted_at = deed.now;
    if (!(await closeInvitation(change.transaction, invitation.id, { accepted_at }))) {
      throw new GatewayError(NOT_OPEN);
    }
    const user =
      known ?? (await makePerson(change, { invitation, acceptance, passwordHash, now: deed.now }));
    await join(change, { user, invitation, now: deed.now });
    return user;
  });
}

function newPasswordHash({ password }: Acceptance, { email }: StoredInvitation): Promise<string> {
  checkNewPassword(password ?? "", email);
  return hashPassword(password ?? "");
}

function checkIsSignedIn(known: StoredUser, actor: Actor | undefined): void {
  if (actor?.via.kind === "session" && actor.userId === known.id) return;
  throw new GatewayError({
    code: "forbidden",
    message: "There is an account with this address. Sign in with it, then open the link again.",
  });
}

/** Who has lost a role since cannot give it any more by an invitation that was not used yet. */
async function checkInviter({ transaction }: Change, invitation: StoredInvitation): Promise<void> {
  const { invited_by: id, organization_id: organizationId, team_id: teamId, role } = invitation;
  if (id === "operator") return;
  const [user, memberships] = await Promise.all([
    findUser(transaction, id),
    activeMembershipsOf(transaction, id),
  ]);
  const inviter =
    user?.disabled_at === null
      ? actorOf(user, memberships, { kind: "session", id: "none" })
      : undefined;
  const place = { organizationId, teamId, role };
  if (inviter !== undefined && mayGiveRole(inviter, place, "invitations.write")) return;
  throw new GatewayError(NOT_OPEN);
}

interface Joining {
  readonly invitation: StoredInvitation;
  readonly acceptance: Acceptance;
  readonly passwordHash: string | null;
  readonly now: number;
}

async function makePerson(
  { transaction, version, audit }: Change,
  { invitation, acceptance, passwordHash, now }: Joining,
): Promise<StoredUser> {
  const { email } = invitation;
  const name = readName(acceptance.name, email);
  const user = { ...newPerson({ email, name, now, version }), password_hash: passwordHash };
  await insertUser(transaction, user);
  const target = { kind: "user", id: user.id } as const;
  await audit({ action: "users.create", target, organizationId: null, after: user });
  return user;
}

async function join(
  { transaction, version, audit }: Change,
  {
    user,
    invitation,
    now,
  }: { readonly user: StoredUser; readonly invitation: StoredInvitation; readonly now: number },
): Promise<void> {
  const { organization_id: organizationId, team_id: teamId, role } = invitation;
  const existing = (await membershipsOf(transaction, user.id)).some(
    (membership) => membership.organization_id === organizationId && membership.team_id === teamId,
  );
  if (existing) {
    const message = "You are a member there already; somebody there can change your role.";
    throw new GatewayError({ code: "conflict", message });
  }
  const membership = {
    id: newId("mem_", now),
    user_id: user.id,
    organization_id: organizationId,
    team_id: teamId,
    role,
    source: "invitation",
    created_at: now,
    version,
  } as const;
  await insertMembership(transaction, membership);
  await deleteSessionsOf(transaction, user.id);
  const target = { kind: "membership", id: membership.id } as const;
  await audit({ action: "invitations.accept", target, organizationId, after: membership });
}

const NOT_OPEN = {
  code: "not_found",
  message: "The invitation was used, revoked or has expired. Ask for another one.",
} as const;
